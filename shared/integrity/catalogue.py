"""Reads the checks that are shipped as SQL files."""

import functools
import re
from dataclasses import dataclass
from importlib.resources import files

from shared.errors import invariant

_NAME = re.compile(r"-- name: (\S.*)")


@dataclass(frozen=True, slots=True)
class SqlCheck:
    file: str
    name: str
    sql: str


@functools.cache
def sql_checks() -> tuple[SqlCheck, ...]:
    """All of them, in the order of their files. A file without a name is a defect."""
    folder = files("shared.integrity") / "checks"
    found = []
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".sql"):
            sql = file.read_text(encoding="utf-8")
            named = _NAME.fullmatch(sql.partition("\n")[0].rstrip())
            invariant(named is not None, f"{file.name} does not begin with `-- name: …`")
            assert named is not None  # noqa: S101 - narrows the type; the invariant above already refused
            found.append(SqlCheck(file.name, named[1], sql))
    return tuple(found)

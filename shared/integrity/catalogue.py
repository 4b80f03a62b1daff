"""Reads the checks that are shipped as SQL files."""

import functools
import re
from dataclasses import dataclass
from importlib.resources import files

from shared.errors import invariant

_NAME = re.compile(r"-- name: (\S.*)")
_TITLE = re.compile(r"^-- zh: (\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SqlCheck:
    """`title` is the name as clerks read it, in Chinese."""

    file: str
    name: str
    title: str | None
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
            titled = _TITLE.search(sql)
            found.append(SqlCheck(file.name, named[1], titled[1].rstrip() if titled else None, sql))
    return tuple(found)

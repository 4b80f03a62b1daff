"""Judges the migrations without a database: their files, their order, what they do to running traffic.

`python -m tests.architecture.migrations_lint` renders `alembic upgrade head --sql` into
out/migrations.sql, so that a finding's line can be looked up there, and gives it to squawk.
"""

import ast
import io
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config

from tests.architecture.source import ROOT

VERSIONS = ROOT / "migrations" / "versions"
RENDERED = ROOT / "out" / "migrations.sql"

# Its date comes first, so that a listing shows the history; the sentence says what changes.
FILE_NAME = re.compile(r"\d{8}_\d{4}_(?P<revision>[0-9a-z]+)_[a-z0-9_]+\.py")
# Alembic's own table has a VARCHAR; it is not ours to change, and our tables use TEXT.
VERSION_TABLE = re.compile(r"CREATE TABLE core\.alembic_version \(.*?\n\);\n", re.DOTALL)


@dataclass(frozen=True)
class Revision:
    """A migration as its file says it is."""

    file: str
    revision: str | None
    down_revision: str | None
    sentence: str | None
    downgrades: bool

    @classmethod
    def parse(cls, file: str, text: str) -> "Revision":
        tree = ast.parse(text, filename=file)
        constants = {
            target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        return cls(
            file=file,
            revision=_text(constants.get("revision")),
            down_revision=_text(constants.get("down_revision")),
            sentence=ast.get_docstring(tree),
            downgrades=any(_has_steps(node, "downgrade") for node in tree.body),
        )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _has_steps(node: ast.stmt, name: str) -> bool:
    return (
        isinstance(node, ast.FunctionDef)
        and node.name == name
        and any(not isinstance(step, ast.Pass) for step in node.body)
    )


def file_faults(revision: Revision) -> Iterator[str]:
    """A migration is found by its date, says in a sentence what it does, and has a way back."""
    named = FILE_NAME.fullmatch(revision.file)
    if not named or named["revision"] != revision.revision:
        yield f"{revision.file}: the name is YYYYMMDD_HHMM_{revision.revision or '<revision>'}_<sentence>.py"
    if not revision.sentence:
        yield f"{revision.file}: a docstring says what changes and why old code keeps working"
    if not revision.downgrades:
        yield f"{revision.file}: downgrade() does nothing; up, down, up must work"


def order_faults(revisions: Sequence[Revision]) -> Iterator[str]:
    """One history: two heads mean that two changes were made beside each other and never met."""
    followed = {revision.down_revision for revision in revisions}
    heads = sorted(revision.file for revision in revisions if revision.revision not in followed)
    if len(heads) != 1:
        yield f"one head is wanted, these are: {', '.join(heads) or 'none'}"


def rendered_sql() -> str:
    """What `alembic upgrade head --sql` prints, without Alembic's own table."""
    buffer = io.StringIO()
    config = Config(ROOT / "alembic.ini", output_buffer=buffer)
    config.set_main_option("script_location", str(ROOT / "migrations"))
    command.upgrade(config, "head", sql=True)
    return VERSION_TABLE.sub("", buffer.getvalue())


def squawk(sql: Path) -> tuple[bool, str]:
    """Whether squawk found nothing, and what it printed."""
    process = subprocess.run(  # noqa: S603 - our own linter from this environment, fixed arguments
        [Path(sys.executable).parent / "squawk", "--config", ROOT / ".squawk.toml", sql],
        capture_output=True,
        text=True,
        check=False,
    )
    return process.returncode == 0, (process.stdout + process.stderr).strip()


def main() -> int:
    files = sorted(VERSIONS.glob("*.py"))
    revisions = [Revision.parse(file.name, file.read_text(encoding="utf-8")) for file in files]
    faults = [fault for revision in revisions for fault in file_faults(revision)]
    faults.extend(order_faults(revisions))
    if faults:
        sys.stdout.write("\n".join([*faults, ""]))
        return 1
    RENDERED.parent.mkdir(exist_ok=True)
    RENDERED.write_text(rendered_sql(), encoding="utf-8")
    clean, report = squawk(RENDERED)
    sys.stdout.write(
        f"{report}\n{len(revisions)} migrations, one head, rendered to {RENDERED.relative_to(ROOT)}\n"
    )
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())

"""The migration lint finds what it is for: planted files, planted histories, planted SQL."""

from pathlib import Path

import pytest

from tests.architecture.migrations_lint import Revision, file_faults, order_faults, squawk

GOOD = '''"""Add the stock of a phase. Old code does not read it."""
revision = "0002"
down_revision = "0001"
def upgrade() -> None:
    op.create_table("stock")
def downgrade() -> None:
    op.drop_table("stock")
'''
GOOD_NAME = "20261123_0900_0002_add_stock.py"


def revision(name: str, down: str | None) -> Revision:
    return Revision(f"{name}.py", name, down, "A sentence.", downgrades=True)


def test_a_good_migration_has_no_fault() -> None:
    assert list(file_faults(Revision.parse(GOOD_NAME, GOOD))) == []


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("add_stock.py", GOOD, "the name is"),
        ("20261123_0900_0003_add_stock.py", GOOD, "the name is YYYYMMDD_HHMM_0002"),
        (GOOD_NAME, GOOD.partition("\n")[2], "a docstring"),
        (GOOD_NAME, GOOD.replace('op.drop_table("stock")', "pass"), "downgrade() does nothing"),
    ],
)
def test_a_faulty_migration_file_is_found(file: str, text: str, fault: str) -> None:
    (finding,) = file_faults(Revision.parse(file, text))
    assert fault in finding


def test_one_history_has_no_fault() -> None:
    assert list(order_faults([revision("a", None), revision("b", "a")])) == []


def test_two_heads_are_found() -> None:
    (finding,) = order_faults([revision("a", None), revision("b", "a"), revision("c", "a")])
    assert finding.endswith("b.py, c.py")


def test_new_tables_may_be_made_freely(tmp_path: Path) -> None:
    sql = tmp_path / "new.sql"
    sql.write_text(
        "BEGIN;\nCREATE TABLE core.a (id BIGINT PRIMARY KEY);\nCREATE INDEX ix ON core.a (id);\nCOMMIT;"
    )
    assert squawk(sql)[0]


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("CREATE INDEX ix ON core.a (b)", "require-concurrent-index-creation"),
        ("ALTER TABLE core.a ADD COLUMN b TEXT NOT NULL", "adding-required-field"),
        ("ALTER TABLE core.a DROP COLUMN b", "ban-drop-column"),
        ("ALTER TABLE core.a ALTER COLUMN b TYPE BIGINT", "changing-column-type"),
        ("CREATE TABLE core.b (at TIMESTAMP)", "prefer-timestamp-tz"),
        ("CREATE TABLE core.b (name VARCHAR(40))", "prefer-text-field"),
        ("CREATE TABLE core.b (id", "syntax-error"),
    ],
)
def test_what_would_stop_traffic_is_found(tmp_path: Path, statement: str, rule: str) -> None:
    sql = tmp_path / "bad.sql"
    sql.write_text(f"BEGIN;\n{statement};\nCOMMIT;\n")
    clean, report = squawk(sql)
    assert not clean
    assert rule in report

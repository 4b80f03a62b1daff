"""The one Alembic history: it goes up and down, agrees with the tables, and installs the functions."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import text

from migrations import runner
from migrations.functions import function_sources
from shared.db.schema import head_revision
from shared.db.store import schema_revision
from shared.kit import Kit
from tests.support.servers import Servers

_FUNCTION = re.compile(
    r"CREATE OR REPLACE FUNCTION (\w+\.\w+) ?\(.*?AS (\$\w*\$)(.*?)\2", re.DOTALL | re.IGNORECASE
)


@pytest.fixture
def empty_url(servers: Servers, worker_id: str) -> Iterator[str]:
    name = f"hv_schema_{worker_id}"
    yield servers.create_database(name)
    servers.drop_database(name)


def test_history_goes_up_down_and_up_again_and_agrees_with_the_tables(empty_url: str) -> None:
    runner.upgrade(empty_url)
    runner.check(empty_url)
    runner.downgrade(empty_url, "base")
    runner.upgrade(empty_url)
    runner.check(empty_url)


def test_every_step_of_the_history_has_a_way_back(empty_url: str) -> None:
    runner.upgrade(empty_url)
    for _ in range(int(head_revision())):
        runner.downgrade(empty_url, "-1")
    runner.upgrade(empty_url)


def test_upgrade_of_an_upgraded_database_changes_nothing(empty_url: str) -> None:
    runner.upgrade(empty_url)
    runner.upgrade(empty_url)
    runner.check(empty_url)


async def test_database_is_at_the_head_that_the_code_needs(kit: Kit) -> None:
    async with kit.database.snapshot() as tx:
        assert await schema_revision(tx) == head_revision()


async def test_every_function_of_the_sources_is_installed_as_it_stands(kit: Kit) -> None:
    sources = {name: body for source in function_sources() for name, _, body in _FUNCTION.findall(source)}
    async with kit.database.snapshot() as tx:
        rows = await tx.execute(
            text("""
                SELECT n.nspname || '.' || p.proname, p.prosrc FROM pg_proc p
                JOIN pg_namespace n ON n.oid = p.pronamespace
                WHERE n.nspname IN ('core', 'issuance', 'redemption', 'quota') AND p.prokind = 'f'
            """)
        )
        installed = {row[0]: row[1] for row in rows}

    assert len(sources) > 5
    assert {name: installed.get(name) for name in sources} == sources
    # Triggers' functions belong to migrations; everything else has a source.
    assert set(installed) - set(sources) == {"core.refuse_change"}


async def test_history_tables_refuse_change_and_removal(kit: Kit) -> None:
    for table in ("core.ledger_transfer", "core.audit_entry", "core.consent", "issuance.draw"):
        for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}"):
            with pytest.raises(Exception, match="append-only"):
                async with kit.database.transaction() as tx:
                    await tx.execute(text(statement))

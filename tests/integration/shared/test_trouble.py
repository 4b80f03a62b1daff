"""The database gone, frozen, or cut off in the middle: 503 in time, and recovery without a restart."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx
import pytest

from shared.clock import ManualClock, machine_seconds
from shared.settings import Settings
from tests.support.http import serving
from tests.support.probe import create_app
from tests.support.servers import Servers

READ = ("GET", "/probe/v1/things/a", None)
WRITE = ("POST", "/probe/v1/things/a", {"number": 1})
HOT = ("POST", "/probe/v1/hot-things/a", {"number": 1})
ANSWERED_WITHIN_SECONDS = 5.0
# Nothing listens on it; the kernel refuses at once.
CLOSED = "127.0.0.1:1"

Call = tuple[str, str, dict[str, int] | None]


async def status_in_time(client: httpx.AsyncClient, call: Call) -> int:
    """The status; asserts that it came within 5 s, and that 503 is `busy` and says when to come back."""
    method, path, body = call
    started = machine_seconds()
    answer = await client.request(method, path, json=body)
    assert machine_seconds() - started < ANSWERED_WITHIN_SECONDS
    if answer.status_code == 503:
        assert answer.json()["code"] == "busy"
        assert int(answer.headers["retry-after"]) >= 1
    return answer.status_code


@asynccontextmanager
async def superuser(servers: Servers, settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    name = settings.database_url.partition("@/")[2].partition("?")[0]
    connection = await asyncpg.connect(
        servers.database_url(name), server_settings={"application_name": "test"}
    )
    try:
        yield connection
    finally:
        await connection.close()


async def backends(connection: asyncpg.Connection) -> list[int]:
    rows = await connection.fetch(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND application_name = 'health-vouchers'"
    )
    return [row["pid"] for row in rows]


async def end_backends(connection: asyncpg.Connection) -> None:
    for pid in await backends(connection):
        await connection.execute("SELECT pg_terminate_backend($1)", pid)


@pytest.mark.parametrize("call", [READ, WRITE, HOT], ids=["read", "write", "hot"])
async def test_database_away_is_503_in_time(settings: Settings, call: Call) -> None:
    away = settings.model_copy(update={"database_url": f"postgresql://hv@{CLOSED}/hv"})
    async with serving(probe=create_app(away)) as client:
        assert await status_in_time(client, call) == 503
        assert (await client.get("/probe/healthz")).status_code == 200


async def test_connections_cut_while_idle_cost_one_request_each_at_most(
    client: httpx.AsyncClient, servers: Servers, settings: Settings
) -> None:
    async with superuser(servers, settings) as connection:
        for call in (READ, HOT):
            assert await status_in_time(client, call) in {200, 201}
            await end_backends(connection)
            statuses = [await status_in_time(client, call) for _ in range(4)]
            assert set(statuses[:1]) <= {200, 201, 503}
            assert set(statuses[1:]) <= {200, 201}


async def test_connection_cut_in_the_middle_is_503_and_the_next_request_is_fine(
    client: httpx.AsyncClient, servers: Servers, settings: Settings
) -> None:
    async with superuser(servers, settings) as connection:
        while await status_in_time(client, READ) != 200:
            pass  # connections that the test before has cut
        under_way = asyncio.create_task(status_in_time(client, ("GET", "/probe/v1/slow?seconds=3", None)))
        asleep = (
            "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'"
        )
        while not under_way.done() and not await connection.fetchval(asleep):  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.02)
        await end_backends(connection)
        assert await under_way == 503
        assert await status_in_time(client, READ) in {200, 503}
        assert await status_in_time(client, READ) == 200


async def test_frozen_database_is_503_in_time_also_for_those_who_wait_for_a_connection(
    servers: Servers, settings: Settings, clock: ManualClock
) -> None:
    small = settings.model_copy(update={"db_pool_size": 2, "db_hot_pool_size": 1})
    async with (
        serving(probe=create_app(small, clock=clock)) as client,
        superuser(servers, settings) as connection,
    ):
        await end_backends(connection)
        await asyncio.gather(*(status_in_time(client, call) for call in (READ, READ, HOT)))
        frozen = await backends(connection)
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        try:
            calls = [READ] * 4 + [HOT] * 2
            statuses = await asyncio.gather(*(status_in_time(client, call) for call in calls))
        finally:
            for pid in frozen:
                os.kill(pid, signal.SIGCONT)
        assert statuses.count(503) >= 3
        assert {await status_in_time(client, call) for call in (READ, WRITE, HOT)} == {200, 201}


async def test_statement_that_takes_too_long_is_503(client: httpx.AsyncClient) -> None:
    assert await status_in_time(client, ("GET", "/probe/v1/slow?seconds=20", None)) == 503
    assert await status_in_time(client, READ) == 200


class TestReadiness:
    @staticmethod
    async def ready(client: httpx.AsyncClient) -> tuple[int, str | None]:
        started = machine_seconds()
        answer = await client.get("/probe/readyz")
        assert machine_seconds() - started < ANSWERED_WITHIN_SECONDS
        return answer.status_code, answer.json().get("code")

    async def test_ready_when_all_is_there(self, client: httpx.AsyncClient) -> None:
        assert await self.ready(client) == (200, None)

    async def test_not_without_the_database(self, settings: Settings) -> None:
        away = settings.model_copy(update={"database_url": f"postgresql://hv@{CLOSED}/hv"})
        async with serving(probe=create_app(away)) as client:
            assert await self.ready(client) == (503, "not_ready")
            assert (await client.get("/probe/healthz")).json() == {"status": "alive"}

    async def test_not_without_redis_while_requests_go_on(self, settings: Settings) -> None:
        away = settings.model_copy(update={"redis_url": f"redis://{CLOSED}/0"})
        async with serving(probe=create_app(away)) as client:
            assert await self.ready(client) == (503, "not_ready")
            assert await status_in_time(client, READ) == 200

    async def test_not_while_the_schema_is_behind(
        self, client: httpx.AsyncClient, servers: Servers, settings: Settings
    ) -> None:
        async with superuser(servers, settings) as connection:
            head = await connection.fetchval("SELECT version_num FROM core.alembic_version")
            await connection.execute("UPDATE core.alembic_version SET version_num = '0001'")
            try:
                assert await self.ready(client) == (503, "not_ready")
            finally:
                await connection.execute("UPDATE core.alembic_version SET version_num = $1", head)
            assert await self.ready(client) == (200, None)

    async def test_not_before_the_first_migration(self, servers: Servers, settings: Settings) -> None:
        empty = settings.model_copy(update={"database_url": servers.create_database("hv_empty")})
        async with serving(probe=create_app(empty)) as client:
            assert await self.ready(client) == (503, "not_ready")
        servers.drop_database("hv_empty")

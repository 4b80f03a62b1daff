"""The workers themselves: arq, relay, schedule and heartbeat, over a Redis that goes away and comes back."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from urllib.parse import unquote, urlsplit

import asyncpg
import pytest
from sqlalchemy import make_url, text

from deploy.local.jobs import Shift
from shared import outbox
from shared.clock import machine_now, machine_seconds
from shared.db import Database, Tx
from shared.jobs import relay, store
from shared.jobs.handlers import Job, Periodic
from shared.jobs.periodic import LEASE, run_due
from shared.jobs.worker import WorkerParts, build_worker
from shared.kit import Kit, build_kit
from shared.outbox import OutboxItem
from shared.settings import Settings

# arq's own close calls what redis-py calls deprecated; as an error it would keep the connections open.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")

KIND = "test.counted"
QUEUE = "console"
SOON_SECONDS = 20.0


@pytest.fixture(scope="module", autouse=True)
async def table(kit: Kit) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text("CREATE TABLE public.effect (id uuid NOT NULL)"))


async def count(tx: Tx, items: Sequence[OutboxItem]) -> None:
    statement = text("INSERT INTO public.effect SELECT * FROM unnest(CAST(:ids AS uuid[]))")
    await tx.execute(statement, {"ids": [item.id for item in items]})


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    started = machine_seconds()
    while not await condition():
        assert machine_seconds() - started < SOON_SECONDS
        await asyncio.sleep(0.05)


async def counted(kit: Kit) -> int:
    async with kit.database.snapshot() as tx:
        rows = (await tx.execute(text("SELECT id FROM public.effect"))).scalars().all()
    assert len(rows) == len(set(rows)), "something took effect twice"
    return len(rows)


async def add(kit: Kit, rows: int) -> None:
    async with kit.database.transaction() as tx:
        await outbox.add_many(tx, QUEUE, KIND, [(number, {}) for number in range(rows)])


class Door:
    """A way to Redis that can be shut: what goes through is cut off, what comes is turned away."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._server: asyncio.Server | None = None
        self._through: set[asyncio.StreamWriter] = set()
        self._is_shut = False
        self.turned_away = 0

    @property
    def url(self) -> str:
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"redis://:{self._target.password}@127.0.0.1:{port}/0"

    @asynccontextmanager
    async def standing(self) -> AsyncIterator[None]:
        self._server = await asyncio.start_server(self._pass, "127.0.0.1", 0)
        yield
        self._server.close()
        self.shut()

    def shut(self) -> None:
        self._is_shut = True
        for writer in self._through:
            writer.close()
        self._through.clear()

    def open(self) -> None:
        self._is_shut = False

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_shut:
            self.turned_away += 1
            writer.close()
            return
        there = await asyncio.open_unix_connection(unquote(self._target.path))
        self._through |= {writer, there[1]}
        await asyncio.gather(self._copy(reader, there[1]), self._copy(there[0], writer))

    @staticmethod
    async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def working(settings: Settings, periodics: Sequence[Periodic] = ()) -> AsyncIterator[None]:
    """A worker as the launcher runs it: built anew when it fails."""
    parts = WorkerParts(queue=QUEUE, jobs=[Job(KIND, effect=count)], periodics=periodics)
    shift = Shift(QUEUE, lambda: build_worker(build_kit(settings), parts))
    task = asyncio.create_task(shift.run())
    try:
        yield
    finally:
        shift.stop()
        await task


async def test_rows_reach_a_worker_and_are_done_once(settings: Settings, kit: Kit) -> None:
    before = await counted(kit)
    async with working(settings), working(settings):
        await add(kit, 300)

        async def done() -> bool:
            return await counted(kit) == before + 300

        await until(done)


async def test_redis_that_goes_away_delays_and_loses_nothing(
    settings: Settings, kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "HANDOVER_SECONDS", 1)
    door = Door(settings.redis_url)
    before = await counted(kit)

    async def noticed() -> bool:
        return door.turned_away >= 3

    async def done(rows: int) -> bool:
        return await counted(kit) == before + rows

    async with door.standing(), working(settings.model_copy(update={"redis_url": door.url})):
        await add(kit, 50)
        await until(lambda: done(50))
        door.shut()
        await until(noticed)
        await add(kit, 50)
        assert await done(50)
        async with kit.database.snapshot() as tx:
            assert (await outbox.store.backlog(tx)).waiting == 50
        door.open()
        await until(lambda: done(100))


async def test_worker_shows_that_it_is_alive(settings: Settings, kit: Kit) -> None:
    started = machine_now()

    async def seen() -> bool:
        async with kit.database.snapshot() as tx:
            statement = text("SELECT seen_at FROM core.worker WHERE queue = :queue")
            seen_at = (await tx.execute(statement, {"queue": QUEUE})).scalar_one_or_none()
        return seen_at is not None and seen_at >= started

    async with working(settings):
        await until(seen)


class TestPeriodic:
    @staticmethod
    def every_hour(name: str, run: Callable[[], Awaitable[None]]) -> Periodic:
        return Periodic(name, timedelta(hours=1), run)

    async def test_runs_once_for_all_workers_at_the_same_moment(self, kit: Kit) -> None:
        runs = 0

        async def run() -> None:
            nonlocal runs
            runs += 1
            await asyncio.sleep(0.05)

        periodic = self.every_hour("test.once", run)
        turns = await asyncio.gather(*(run_due(kit.database, periodic) for _ in range(8)))
        assert (runs, sum(turns)) == (1, 1)
        assert not await run_due(kit.database, periodic), "not due again for an hour"

    async def test_failure_is_written_down_and_tried_again_next_time(self, kit: Kit) -> None:
        async def fail() -> None:
            raise ValueError("no luck")

        periodic = self.every_hour("test.fails", fail)
        assert await run_due(kit.database, periodic)
        async with kit.database.snapshot() as tx:
            statement = text(
                "SELECT last_error, last_finished_at, next_at FROM core.schedule WHERE name = :name"
            )
            row = (await tx.execute(statement, {"name": periodic.name})).one()
        assert row.last_error == "ValueError: no luck"
        assert row.last_finished_at is None
        assert row.next_at > machine_now() + timedelta(minutes=59)

    async def test_worker_that_died_in_its_turn_leaves_it_to_another(self, kit: Kit) -> None:
        now = machine_now()
        async with kit.database.transaction() as tx:
            assert await store.take_turn(tx, "test.died", now=now, lease_until=now + LEASE)
        async with kit.database.transaction() as tx:
            assert not await store.take_turn(tx, "test.died", now=now, lease_until=now + LEASE)
        later = now + LEASE
        async with kit.database.transaction() as tx:
            assert await store.take_turn(tx, "test.died", now=later, lease_until=later + LEASE)

    async def test_looking_for_what_is_due_writes_nothing(self, kit: Kit) -> None:
        now = machine_now()
        async with kit.database.transaction() as tx:
            await store.take_turn(tx, "test.later", now=now, lease_until=now + LEASE)
        names = ["test.later", "test.never_ran"]
        # On connections that refuse to write.
        reading = make_url(kit.database.url).update_query_dict({"default_transaction_read_only": "on"})
        database = Database(reading.render_as_string(hide_password=False))
        await database.start()
        try:
            assert await store.due(database, names, now=now) == {"test.never_ran"}
            assert await store.due(database, names, now=now + LEASE) == set(names)
            with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
                await database.call("INSERT INTO core.schedule (name, next_at) VALUES ('test.x', now())")
        finally:
            await database.stop()

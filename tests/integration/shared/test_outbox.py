"""What must happen next happens: delivered at least once, effective once, never out of sight."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from redis.exceptions import ConnectionError as RedisAway
from sqlalchemy import text

from shared import outbox
from shared.clock import machine_now
from shared.db import Tx
from shared.jobs import relay
from shared.jobs.handlers import Job
from shared.jobs.relay import relay_once
from shared.jobs.runner import Runner, backoff
from shared.kit import Kit
from shared.outbox import OutboxItem, store
from shared.settings import Settings

QUEUE = "console"
KIND = "test.effect"
ROOT = Path(__file__).resolve().parents[3]

_COUNT = text("""
    INSERT INTO public.effect (id) SELECT * FROM unnest(CAST(:ids AS uuid[]))
""")


@pytest.fixture(scope="module", autouse=True)
async def table(kit: Kit) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text("CREATE TABLE public.effect (id uuid NOT NULL)"))


@pytest.fixture(autouse=True)
async def empty(kit: Kit) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text("DELETE FROM core.outbox"))
        await tx.execute(text("DELETE FROM public.effect"))


async def count(tx: Tx, items: Sequence[OutboxItem]) -> None:
    """The effect: one row for each item, so that doing it twice shows."""
    await tx.execute(_COUNT, {"ids": [item.id for item in items]})


async def added(kit: Kit, rows: int) -> None:
    async with kit.database.transaction() as tx:
        await outbox.add_many(tx, QUEUE, KIND, [(number % 1024, {"n": number}) for number in range(rows)])


async def due(kit: Kit) -> list[tuple[int, UUID]]:
    """Leases what is due, without a wait for the lease."""
    async with kit.database.transaction() as tx:
        now = machine_now()
        rows = await store.lease_due(tx, QUEUE, now=now, lease_until=now, limit=1000)
    return [(bucket, row_id) for bucket, row_id, _ in rows]


async def state(kit: Kit) -> tuple[int, int, int]:
    """How many effects, how many rows that wait, how many dead ones."""
    async with kit.database.snapshot() as tx:
        effects = (await tx.execute(text("SELECT count(*) FROM public.effect"))).scalar_one()
        distinct = (await tx.execute(text("SELECT count(DISTINCT id) FROM public.effect"))).scalar_one()
        backlog = await store.backlog(tx)
    assert effects == distinct, "something took effect twice"
    return int(effects), backlog.waiting, backlog.dead


def runner(kit: Kit, **job: object) -> Runner:
    return Runner(kit.database, {KIND: Job(KIND, **{"effect": count, **job})})  # type: ignore[arg-type] # a test's shorthand


async def test_row_is_there_exactly_when_its_cause_was_committed(kit: Kit) -> None:
    await added(kit, 3)

    async def fail_after_it() -> None:
        async with kit.database.transaction() as tx:
            await outbox.add(tx, QUEUE, KIND, {})
            raise RuntimeError("after")

    with pytest.raises(RuntimeError, match="after"):
        await fail_after_it()
    assert await state(kit) == (0, 3, 0)


async def test_rows_are_done_once_and_gone(kit: Kit) -> None:
    await added(kit, 250)
    assert await runner(kit).run(KIND, await due(kit)) == 250
    assert await state(kit) == (250, 0, 0)
    assert await due(kit) == []


async def test_relays_at_the_same_moment_share_the_rows(kit: Kit) -> None:
    await added(kit, 400)
    handed: list[tuple[int, UUID]] = []

    async def enqueue(kind: str, addresses: list[tuple[int, UUID]]) -> None:
        assert kind == KIND
        handed.extend(addresses)

    await asyncio.gather(*(relay_once(kit.database, QUEUE, enqueue) for _ in range(4)))
    assert len(handed) == len(set(handed)) == 400


async def test_row_handed_over_twice_takes_effect_once(kit: Kit) -> None:
    await added(kit, 20)
    addresses = await due(kit)
    done = await asyncio.gather(*(runner(kit).run(KIND, addresses) for _ in range(5)))
    assert sum(done) >= 20
    effects, waiting, dead = await state(kit)
    # An attempt that was taken over leaves its rows to the one that took them.
    assert (effects + waiting, dead) == (20, 0)
    await runner(kit).run(KIND, await due(kit))
    assert await state(kit) == (20, 0, 0)


async def test_worker_that_was_thought_dead_cannot_finish_what_another_took_over(kit: Kit) -> None:
    await added(kit, 1)
    addresses = await due(kit)
    until = machine_now() + timedelta(seconds=30)

    async def begin() -> OutboxItem:
        async with kit.database.transaction() as tx:
            (item,) = await store.begin(tx, KIND, addresses, until)
            return item

    async def finish(item: OutboxItem) -> bool:
        async with kit.database.transaction() as tx:
            finished = await store.finish(tx, [item])
            if finished:
                await count(tx, [item])
            return bool(finished)

    thought_dead = await begin()
    took_over = await begin()
    assert not await finish(thought_dead)
    async with kit.database.transaction() as tx:
        # Nor may it put the row back while the other is at it.
        await store.retry(tx, thought_dead, next_at=machine_now(), error="late", dead=True)
    assert await state(kit) == (0, 1, 0)
    assert await finish(took_over)
    assert await state(kit) == (1, 0, 0)


_DIES = """
import asyncio, os, sys
from uuid import UUID
from shared.jobs.handlers import Job
from shared.jobs.runner import Runner
from shared.kit import build_kit
from shared.settings import Settings
from tests.integration.shared.test_outbox import KIND, count

async def die(tx, items):
    await count(tx, items)
    os._exit(9)

async def main():
    kit = build_kit(Settings())
    address = (int(sys.argv[1]), UUID(sys.argv[2]))
    await Runner(kit.database, {KIND: Job(KIND, effect=die)}).run(KIND, [address])

asyncio.run(main())
"""


async def test_worker_killed_between_lease_and_finish_leaves_the_row_to_the_next(
    kit: Kit, settings: Settings
) -> None:
    await added(kit, 1)
    ((bucket, row_id),) = await due(kit)
    environment = {
        **os.environ,
        "HV_ENVIRONMENT": "local",
        "HV_DATABASE_URL": settings.database_url,
        "HV_REDIS_URL": settings.redis_url,
        "HV_DATA_KEYS": settings.data_keys.get_secret_value(),
        "HV_INDEX_KEY": settings.index_key.get_secret_value(),
        "HV_TOKEN_KEY": settings.token_key.get_secret_value(),
    }
    killed = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _DIES, str(bucket), str(row_id)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        check=False,
    )
    assert killed.returncode == 9, killed.stderr.decode()
    assert await state(kit) == (0, 1, 0)
    async with kit.database.transaction() as tx:
        # Its lease ends.
        await tx.execute(text("UPDATE core.outbox SET next_at = :now"), {"now": machine_now()})
    assert await runner(kit).run(KIND, await due(kit)) == 1
    assert await state(kit) == (1, 0, 0)


async def test_one_bad_row_does_not_hold_up_the_good_ones(kit: Kit) -> None:
    await added(kit, 10)

    async def allergic(tx: Tx, items: Sequence[OutboxItem]) -> None:
        if any(item.payload["n"] == 7 for item in items):
            raise ValueError("seven")
        await count(tx, items)

    await runner(kit, effect=allergic).run(KIND, await due(kit))
    assert await state(kit) == (9, 1, 0)


async def test_failures_wait_longer_each_time_then_are_dead_and_seen(kit: Kit) -> None:
    await added(kit, 1)

    async def fails(_tx: Tx, _items: Sequence[OutboxItem]) -> None:
        raise ValueError("the other side said no")

    failing = runner(kit, effect=fails, attempts_max=3)
    for attempt in range(1, 4):
        async with kit.database.transaction() as tx:
            await tx.execute(text("UPDATE core.outbox SET next_at = :now"), {"now": machine_now()})
        before = machine_now()
        await failing.run(KIND, await due(kit))
        async with kit.database.snapshot() as tx:
            row = (
                await tx.execute(text("SELECT attempt, state, next_at, last_error FROM core.outbox"))
            ).one()
        assert row.attempt == attempt
        assert row.last_error == "ValueError: the other side said no"
        assert row.next_at >= before + backoff(attempt)
    assert row.state == "dead"
    assert await state(kit) == (0, 0, 1)
    assert await due(kit) == []


def test_pauses_grow_to_a_quarter_of_an_hour() -> None:
    pauses = [backoff(attempt).total_seconds() for attempt in range(1, 40)]
    assert pauses[:4] == [2, 4, 8, 16]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 900


async def test_errand_runs_outside_a_transaction_and_its_row_ends_after_it(kit: Kit) -> None:
    await added(kit, 3)
    sent: list[int] = []

    async def send(item: OutboxItem) -> None:
        if item.payload["n"] == 1 and item.attempt == 1:
            raise ConnectionResetError
        sent.append(item.payload["n"])

    errands = Runner(kit.database, {KIND: Job(KIND, errand=send)})
    await errands.run(KIND, await due(kit))
    assert sorted(sent) == [0, 2]
    async with kit.database.transaction() as tx:
        await tx.execute(text("UPDATE core.outbox SET next_at = :now"), {"now": machine_now()})
    await errands.run(KIND, await due(kit))
    assert sorted(sent) == [0, 1, 2]
    assert (await state(kit))[1:] == (0, 0)


async def test_unknown_kind_does_nothing_and_stays_visible(kit: Kit) -> None:
    await added(kit, 1)
    assert await Runner(kit.database, {}).run(KIND, await due(kit)) == 0
    assert await state(kit) == (0, 1, 0)


async def test_redis_away_delays_and_loses_nothing(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "HANDOVER_SECONDS", 0)
    await added(kit, 30)
    away = True

    async def enqueue(kind: str, addresses: list[tuple[int, UUID]]) -> None:
        if away:
            raise RedisAway
        await runner(kit).run(kind, addresses)

    for _ in range(3):
        with pytest.raises(RedisAway):
            await relay_once(kit.database, QUEUE, enqueue)
    assert await state(kit) == (0, 30, 0)
    away = False
    await relay_once(kit.database, QUEUE, enqueue)
    assert await state(kit) == (30, 0, 0)

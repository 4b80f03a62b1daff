"""Micro-batches: what arrives while one is under way is the next; a fault harms its own item only."""

import asyncio
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field

import pytest
from typing_extensions import override

from shared import batching
from shared.batching import YIELDING_BATCH_MAX, Batcher
from shared.batching.precedence import Precedence
from shared.errors import Busy


@dataclass
class Server:
    """Doubles numbers, a batch at a time, and remembers what it was given."""

    broken: Callable[[Sequence[int]], Exception | None] = lambda _items: None
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    batches: list[tuple[Hashable, list[int]]] = field(default_factory=list)
    under_way: int = 0
    most_under_way: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def run(self, key: Hashable, items: Sequence[int]) -> list[int]:
        self.batches.append((key, list(items)))
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.gate.wait()
            await asyncio.sleep(0)
            if error := self.broken(items):
                raise error
            return [2 * item for item in items]
        finally:
            self.under_way -= 1


async def settle() -> None:
    """Lets every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


async def test_lone_item_waits_for_nobody() -> None:
    server = Server()
    assert await Batcher(server.run).submit("k", 21) == 42
    assert server.batches == [("k", [21])]


async def test_what_arrives_meanwhile_is_the_next_batch_in_order() -> None:
    server = Server()
    server.gate.clear()
    batcher = Batcher(server.run)
    answers = [asyncio.create_task(batcher.submit("k", item)) for item in range(10)]
    await settle()
    server.gate.set()
    assert await asyncio.gather(*answers) == [2 * item for item in range(10)]
    assert [items for _, items in server.batches] == [[0], list(range(1, 10))] or [
        items for _, items in server.batches
    ] == [list(range(10))]
    assert server.most_under_way == 1


async def test_batches_are_bounded() -> None:
    server = Server()
    batcher = Batcher(server.run, batch_max=4)
    await asyncio.gather(*(batcher.submit("k", item) for item in range(10)))
    assert max(len(items) for _, items in server.batches) == 4


async def test_keys_do_not_wait_for_each_other() -> None:
    server = Server()
    server.gate.clear()
    batcher = Batcher(server.run)
    answers = [asyncio.create_task(batcher.submit(key, 1)) for key in "abc"]
    await settle()
    assert server.under_way == 3
    server.gate.set()
    await asyncio.gather(*answers)


async def test_items_that_must_stay_apart_never_share_a_batch() -> None:
    server = Server()
    batcher = Batcher(server.run, apart=lambda item: item % 3)
    await asyncio.gather(*(batcher.submit("k", item) for item in range(30)))
    assert sorted(item for _, items in server.batches for item in items) == list(range(30))
    for _, items in server.batches:
        assert len({item % 3 for item in items}) == len(items)


async def test_poisonous_item_harms_only_itself() -> None:
    server = Server(broken=lambda items: ValueError("seven") if 7 in items else None)
    batcher = Batcher(server.run)
    answers = await asyncio.gather(*(batcher.submit("k", item) for item in range(10)), return_exceptions=True)
    assert [answer for answer in answers if isinstance(answer, int)] == [2 * n for n in range(10) if n != 7]
    assert isinstance(answers[7], ValueError)


async def test_database_that_is_away_is_asked_once_for_all_of_them() -> None:
    server = Server(broken=lambda _items: ConnectionRefusedError())
    server.gate.clear()
    batcher = Batcher(server.run)
    answers = [asyncio.create_task(batcher.submit("k", item)) for item in range(20)]
    await settle()
    server.gate.set()
    outcomes = await asyncio.gather(*answers, return_exceptions=True)
    assert all(isinstance(outcome, ConnectionRefusedError) for outcome in outcomes)
    assert len(server.batches) <= 2


async def test_answer_that_lacks_an_item_is_a_fault_and_leaves_nobody_waiting() -> None:
    async def short(_key: Hashable, items: Sequence[int]) -> list[int]:
        return [0] * (len(items) - 1)

    batcher = Batcher(short)
    outcomes = await asyncio.gather(*(batcher.submit("k", item) for item in range(3)), return_exceptions=True)
    assert [type(outcome).__name__ for outcome in outcomes] == ["InvariantBroken"] * 3


async def test_full_queue_is_busy_at_once() -> None:
    server = Server()
    server.gate.clear()
    batcher = Batcher(server.run, batch_max=2, queue_max=3)
    under_way = [asyncio.create_task(batcher.submit("k", item)) for item in range(2)]
    await settle()
    waiting = [asyncio.create_task(batcher.submit("k", item)) for item in range(3)]
    await settle()
    with pytest.raises(Busy):
        await batcher.submit("k", 99)
    server.gate.set()
    await asyncio.gather(*under_way, *waiting)
    assert await batcher.submit("k", 5) == 10


async def test_a_slow_server_lets_half_a_second_of_work_wait_and_a_quick_one_more() -> None:
    now = 0.0

    async def admitted(batch_seconds: float) -> int:
        """How many of a hundred may wait after batches that took so long."""
        server = Server()

        async def run(key: Hashable, items: Sequence[int]) -> list[int]:
            nonlocal now
            results = await server.run(key, items)
            now += batch_seconds
            return results

        batcher = Batcher(run, batch_max=4, seconds=lambda: now)
        for item in range(50):
            await batcher.submit("k", item)
        server.gate.clear()
        waiting = [asyncio.create_task(batcher.submit("k", item)) for item in range(100)]
        await settle()
        server.gate.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(answer, (int, Busy)) for answer in answers)
        return sum(isinstance(answer, int) for answer in answers)

    # One batch may always wait; of quicker ones as many as fit into half a second (the last one begins then).
    assert [await admitted(seconds) for seconds in (2.0, 0.1, 0.001)] == [4, 21, 100]


@dataclass
class Counter(Precedence):
    """Whether tills are at work is said by the test."""

    busy: bool = False

    @override
    def tills_at_work(self) -> bool:
        return self.busy


@pytest.mark.parametrize(("tills", "busy", "rests"), [(False, True, 3), (False, False, 0), (True, True, 0)])
async def test_while_tills_are_at_work_others_go_in_small_batches_and_rest_as_long_as_each_took(
    *, tills: bool, busy: bool, rests: int
) -> None:
    server, took, now = Server(), 0.02, 0.0

    async def run(key: Hashable, items: Sequence[int]) -> list[int]:
        nonlocal now
        now += took
        return await server.run(key, items)

    batcher = Batcher(run, tills=tills, seconds=lambda: now, precedence=Counter(busy=busy))
    started = asyncio.get_running_loop().time()
    await asyncio.gather(*(batcher.submit("k", item) for item in range(100)))
    assert asyncio.get_running_loop().time() - started >= rests * took
    largest = max(len(items) for _, items in server.batches)
    assert largest == (YIELDING_BATCH_MAX if rests else 100)


async def test_a_till_that_asked_counts_as_being_at_work_and_others_do_not() -> None:
    for tills in (True, False):
        precedence = Precedence()
        await Batcher(Server().run, tills=tills, precedence=precedence).submit("k", 1)
        assert precedence.tills_at_work() is tills


async def test_everybody_is_answered_in_time_by_a_server_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batching, "DEADLINE_SECONDS", 0.1)
    server = Server()
    server.gate.clear()
    batcher = Batcher(server.run)
    async with asyncio.timeout(20):
        submitted = (batcher.submit("k", item) for item in range(3))
        outcomes = await asyncio.gather(*submitted, return_exceptions=True)
    assert all(isinstance(outcome, Busy) for outcome in outcomes)
    server.gate.set()
    await batcher.drain()
    monkeypatch.undo()
    assert await batcher.submit("k", 4) == 8


async def test_client_that_goes_away_costs_no_work() -> None:
    server = Server()
    server.gate.clear()
    batcher = Batcher(server.run)
    first = asyncio.create_task(batcher.submit("k", 1))
    await settle()
    gone = asyncio.create_task(batcher.submit("k", 2))
    stays = asyncio.create_task(batcher.submit("k", 3))
    await settle()
    gone.cancel()
    await settle()
    server.gate.set()
    assert (await first, await stays) == (2, 6)
    assert all(2 not in items for _, items in server.batches)


async def test_drain_waits_for_everything_that_was_submitted() -> None:
    server = Server()
    server.gate.clear()
    batcher = Batcher(server.run, batch_max=1)
    answers = [asyncio.create_task(batcher.submit("k", item)) for item in range(5)]
    await settle()
    server.gate.set()
    await batcher.drain()
    await settle()
    assert all(answer.done() for answer in answers)


async def test_lanes_are_forgotten_when_they_are_empty() -> None:
    batcher = Batcher(Server().run)
    await asyncio.gather(*(batcher.submit(key, 1) for key in range(100)))
    await settle()
    assert batcher._lanes == {}

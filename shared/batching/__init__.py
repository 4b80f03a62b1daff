"""Micro-batches without a timer (docs: hot path).

Per process and key one batch is under way; what arrives meanwhile is the next. A lone request is a
batch of one and waits for nobody; under load the cost of a commit is shared by up to 128.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.batching.precedence import OF_THE_PROCESS, Precedence
from shared.clock import machine_seconds
from shared.db import is_unavailable
from shared.errors import Busy, invariant

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

BATCH_MAX = 128
# Of those who let tills go first: what a batch's answers cost the event loop delays a till's by 5 ms at most.
YIELDING_BATCH_MAX = 32
# A batch that something else held up is no reason to rest as long.
REST_SECONDS_MAX = 0.05
# The work that may wait, by the time that batches took lately: beyond it waiting is worse than 503, and
# whoever was let in is answered soon. One batch may always wait.
WAIT_SECONDS = 0.5
# And however quick they are.
QUEUE_MAX = 2048
# How much the last batch counts in the time that a batch takes.
_NEWEST_SHARE = 0.3
# An answer later than this is of no use to a till; api.md promises one within 5 s.
DEADLINE_SECONDS = 4.5


@dataclass(slots=True)
class _Waiting(Generic[ItemT, ResultT]):
    item: ItemT
    answer: "asyncio.Future[ResultT]"


@dataclass(slots=True)
class _Lane(Generic[ItemT, ResultT]):
    queue: "deque[_Waiting[ItemT, ResultT]]" = field(default_factory=deque)
    task: "asyncio.Task[None] | None" = None


class Batcher(Generic[ItemT, ResultT]):
    """`run` does a batch of one key and returns one result per item, in order, after the commit.

    `apart` names what two items of one batch must not share (such as the person): the later one waits
    for the next batch. When a batch fails its items are done one by one, so that one poisonous item
    harms only itself; a database that is away harms all of them at once, and nobody waits for it twice.

    `tills`: its requests are terminals'. All others let these go first (shared/batching/precedence.py).
    """

    def __init__(
        self,
        run: Callable[[Hashable, Sequence[ItemT]], Awaitable[Sequence[ResultT]]],
        *,
        apart: Callable[[ItemT], Hashable] | None = None,
        tills: bool = False,
        batch_max: int = BATCH_MAX,
        queue_max: int = QUEUE_MAX,
        seconds: Callable[[], float] = machine_seconds,
        precedence: Precedence = OF_THE_PROCESS,
    ) -> None:
        self._run = run
        self._apart = apart
        self._tills = tills
        self._precedence = precedence
        self._batch_max = batch_max
        self._queue_max = queue_max
        self._seconds = seconds
        self._batch_seconds = 0.0
        self._lanes: dict[Hashable, _Lane[ItemT, ResultT]] = {}

    async def submit(self, key: Hashable, item: ItemT) -> ResultT:
        """Raises Busy when too much waits already, when the answer would come too late, or on shutdown."""
        if self._tills:
            self._precedence.till_asked()
        lane = self._lanes.setdefault(key, _Lane())
        if self._is_full(len(lane.queue)):
            raise Busy
        loop = asyncio.get_running_loop()
        waiting: _Waiting[ItemT, ResultT] = _Waiting(item, loop.create_future())
        lane.queue.append(waiting)
        if lane.task is None:
            lane.task = asyncio.create_task(self._work(key, lane))
        # Also for an item whose batch is under way: what became of it, its request number tells later.
        too_late = loop.call_later(DEADLINE_SECONDS, self._fail, waiting, Busy())
        try:
            return await waiting.answer
        finally:
            too_late.cancel()

    def _yields(self) -> bool:
        return not self._tills and self._precedence.tills_at_work()

    def _is_full(self, waiting: int) -> bool:
        batch_max, batch_seconds = self._batch_max, self._batch_seconds
        if self._yields():
            batch_max, batch_seconds = min(batch_max, YIELDING_BATCH_MAX), 2 * batch_seconds
        if waiting < self._batch_max:
            return False
        return waiting >= self._queue_max or waiting / batch_max * batch_seconds > WAIT_SECONDS

    async def drain(self) -> None:
        """Waits until everything that was submitted is answered; call it when no more will come."""
        while tasks := [lane.task for lane in self._lanes.values() if lane.task is not None]:
            await asyncio.gather(*tasks)

    async def _work(self, key: Hashable, lane: _Lane[ItemT, ResultT]) -> None:
        try:
            while batch := self._take(lane):
                started = self._seconds()
                await self._answer(key, batch)
                if self._yields():
                    await asyncio.sleep(min(self._seconds() - started, REST_SECONDS_MAX))
        finally:
            lane.task = None
            if not lane.queue:
                self._lanes.pop(key, None)

    def _take(self, lane: _Lane[ItemT, ResultT]) -> list[_Waiting[ItemT, ResultT]]:
        """The next batch: live items in their order, none that must stay apart from another."""
        batch: list[_Waiting[ItemT, ResultT]] = []
        later: list[_Waiting[ItemT, ResultT]] = []
        taken: set[Hashable] = set()
        most = min(self._batch_max, YIELDING_BATCH_MAX) if self._yields() else self._batch_max
        while lane.queue and len(batch) < most:
            waiting = lane.queue.popleft()
            if waiting.answer.done():
                continue  # its client went away, or was told that it takes too long
            apart = self._apart(waiting.item) if self._apart else None
            if apart is not None and apart in taken:
                later.append(waiting)
                continue
            taken.add(apart)
            batch.append(waiting)
        lane.queue.extendleft(reversed(later))
        return batch

    async def _answer(self, key: Hashable, batch: list[_Waiting[ItemT, ResultT]]) -> None:
        started = self._seconds()
        try:
            results = await self._run(key, [waiting.item for waiting in batch])
            self._batch_seconds += _NEWEST_SHARE * (self._seconds() - started - self._batch_seconds)
            invariant(len(results) == len(batch), "a batch answers each of its items")
        except Exception as error:  # noqa: BLE001 - handed to the callers, each item on its own
            if len(batch) > 1 and not is_unavailable(error):
                for waiting in batch:
                    await self._answer(key, [waiting])
                return
            for waiting in batch:
                self._fail(waiting, error)
            return
        for waiting, result in zip(batch, results, strict=True):
            if not waiting.answer.done():
                waiting.answer.set_result(result)

    @staticmethod
    def _fail(waiting: _Waiting[ItemT, ResultT], error: Exception) -> None:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)

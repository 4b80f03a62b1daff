"""Load for HTTP: closed loops, and open loops that keep to a timetable whatever the server does.

The generator shares the machine with what it measures, so it must cost little: callbacks on connections, no
task and no future for a request, and of an answer only status and length are read. About 10 µs a request.
It runs on an event loop of its own in a thread of its own, so that nothing else delays its clock.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush

import uvloop
from typing_extensions import override

from bench.loadwire import Connection

HOST = "127.0.0.1"
# No answer on any connection for so long: the run is given up, and what is open counts as lost.
PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 1.0

# What a citizen does after an answer (place, status, body): nothing, a next request, or one after so many
# seconds. A bare next request waits as long as the answer's Retry-After says, if it says anything.
Follow = Callable[[int, int, bytes], "bytes | tuple[float, bytes] | None"]


@dataclass(slots=True)
class Outcome:
    """What one loop saw. Times are seconds; `answered_at` counts from the loop's start, in order."""

    # By time.perf_counter; what counts from the start counts from here.
    started: float = 0.0
    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    # One for each answer: from the sending in a closed loop, from the due time in an open one.
    latencies: list[float] = field(default_factory=list)
    answered_at: dict[int, list[float]] = field(default_factory=dict)
    # The answers' bodies by the place of their request, where they were asked for.
    bodies: dict[int, bytes] = field(default_factory=dict)
    lost_connections: int = 0

    def rate(self, status: int) -> float:
        """Answers of this status a second."""
        return self.statuses[status] / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def last(self, status: int) -> float:
        """When the last answer of this status came, in seconds from the start; 0 when none did."""
        return max(self.answered_at.get(status, ()), default=0.0)


class _Run:
    """One loop under way: opens its connections, notes answers, ends when nothing is left to do."""

    def __init__(self, port: int, connections: int, *, keep_bodies: bool) -> None:
        self.outcome = Outcome()
        self._port = port
        self._wanted = connections
        self._keep = keep_bodies
        self._open: set[Connection] = set()
        self._answers: list[tuple[int, float]] = []
        self._started = self._heard = 0.0
        self._done: asyncio.Future[None] | None = None

    async def run(self) -> Outcome:
        loop = asyncio.get_running_loop()
        self._done = loop.create_future()
        for _ in range(self._wanted):
            _, connection = await loop.create_connection(partial(Connection, self), HOST, self._port)
            self._open.add(connection)
        self.outcome.started = self._started = self._heard = time.perf_counter()
        watch = loop.create_task(self._watched())
        self.set_off(list(self._open))
        await self._done
        self.outcome.seconds = time.perf_counter() - self._started
        watch.cancel()
        for connection in self._open:
            connection.close()
        return self._told()

    def set_off(self, connections: list[Connection]) -> None:
        for connection in connections:
            self.idle(connection)

    def idle(self, connection: Connection) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(None)

    def answered(self, connection: Connection, status: int, body: bytes, wait: float) -> None:
        self._note(connection, status, body)
        del wait
        self.idle(connection)

    def lost(self, connection: Connection) -> None:
        """A connection that ends with a request under way: whether that took effect is unknown."""
        self._open.discard(connection)
        self.outcome.lost_connections += connection.busy
        if not self._open:
            self.finish()

    def _note(self, connection: Connection, status: int, body: bytes) -> float:
        now = self._heard = time.perf_counter()
        self.outcome.latencies.append(now - connection.since)
        self._answers.append((status, now))
        if self._keep:
            self.outcome.bodies[connection.place] = body
        return now

    async def _watched(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._waiting() and time.perf_counter() - self._heard > PATIENCE_SECONDS:
                for connection in tuple(self._open):
                    connection.close()

    def _waiting(self) -> bool:
        return any(connection.busy for connection in self._open)

    def _told(self) -> Outcome:
        for status, at in self._answers:
            self.outcome.answered_at.setdefault(status, []).append(at - self._started)
        self.outcome.statuses.update({status: len(at) for status, at in self.outcome.answered_at.items()})
        return self.outcome


class Closed(_Run):
    """Each connection sends its next request when the last is answered; every request once, in order."""

    def __init__(
        self,
        *,
        port: int,
        requests: Sequence[bytes],
        connections: int,
        seconds: float | None = None,
        keep_bodies: bool = False,
    ) -> None:
        super().__init__(port, min(connections, len(requests)), keep_bodies=keep_bodies)
        self._requests = enumerate(requests)
        self._seconds = seconds

    @override
    def idle(self, connection: Connection) -> None:
        now = time.perf_counter()
        taken = None
        if self._seconds is None or now - self._started < self._seconds:
            taken = next(self._requests, None)
        if taken is not None:
            connection.send(taken[0], now, taken[1])
        elif not self._waiting():
            self.finish()


class Open(_Run):
    """Requests come when they are due, `arrivals` as (seconds from the start, request), in their order.

    A latency counts from the due time, whether a connection was free then or not: a server that stalls is
    charged for all who came meanwhile. `follow` says what the same citizen does after an answer.
    """

    def __init__(
        self,
        *,
        port: int,
        arrivals: Sequence[tuple[float, bytes]],
        connections: int,
        follow: Follow | None = None,
    ) -> None:
        super().__init__(port, connections, keep_bodies=False)
        self._arrivals = arrivals
        self._next = 0
        self._follow = follow
        self._free: list[Connection] = []
        self._due: deque[tuple[float, int, bytes]] = deque()
        # Next requests of citizens who wait: (due, place, request).
        self._later: list[tuple[float, int, bytes]] = []

    @override
    def set_off(self, connections: list[Connection]) -> None:
        self._free = connections
        self._tick()

    @override
    def idle(self, connection: Connection) -> None:
        if self._due:
            due, place, request = self._due.popleft()
            connection.send(place, due, request)
            return
        self._free.append(connection)
        if self._next == len(self._arrivals) and not self._later and not self._waiting():
            self.finish()

    @override
    def answered(self, connection: Connection, status: int, body: bytes, wait: float) -> None:
        place, now = connection.place, self._note(connection, status, body)
        told = self._follow(place, status, body) if self._follow else None
        if told is not None:
            seconds, request = told if isinstance(told, tuple) else (wait, told)
            heappush(self._later, (now + seconds, place, request))
            if seconds <= 0:
                self._take_due(now)
        self.idle(connection)

    @override
    def lost(self, connection: Connection) -> None:
        if connection in self._free:
            self._free.remove(connection)
        super().lost(connection)

    def _tick(self) -> None:
        """Hands out what is due and comes back for the next; a millisecond late at the most."""
        now = time.perf_counter()
        self._take_due(now)
        while self._due and self._free:
            self.idle(self._free.pop())
        if not self._open or self._done is None or self._done.done():
            return
        if self._next == len(self._arrivals) and not self._later and not self._due and not self._waiting():
            self.finish()
            return
        asyncio.get_running_loop().call_later(0.001, self._tick)

    def _take_due(self, now: float) -> None:
        since = now - self._started
        while self._next < len(self._arrivals) and self._arrivals[self._next][0] <= since:
            at, request = self._arrivals[self._next]
            self._due.append((self._started + at, self._next, request))
            self._next += 1
        while self._later and self._later[0][0] <= now:
            self._due.append(heappop(self._later))


async def together(*runs: Closed | Open) -> list[Outcome]:
    """Runs the loops at the same time, in one thread; returns their outcomes in order."""

    async def all_of_them() -> list[Outcome]:
        return list(await asyncio.gather(*(run.run() for run in runs)))

    return await asyncio.to_thread(lambda: uvloop.run(all_of_them()))


async def closed_loop(
    *,
    port: int,
    requests: Sequence[bytes],
    connections: int,
    seconds: float | None = None,
    keep_bodies: bool = False,
) -> Outcome:
    """Sends each request once, in order, over so many connections, until requests or `seconds` end."""
    run = Closed(
        port=port, requests=requests, connections=connections, seconds=seconds, keep_bodies=keep_bodies
    )
    return (await together(run))[0]


async def open_loop(
    *,
    port: int,
    arrivals: Sequence[tuple[float, bytes]],
    connections: int,
    follow: Follow | None = None,
) -> Outcome:
    """Sends requests at their times over so many connections, until all citizens are served."""
    run = Open(port=port, arrivals=arrivals, connections=connections, follow=follow)
    return (await together(run))[0]

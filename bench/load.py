"""A closed loop of prepared requests: each connection sends its next one when the last is answered."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.wire import ConnectionLost, connect


@dataclass(slots=True)
class Outcome:
    """What one run saw. Latencies are seconds, one for each answer."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)
    # The answers' bodies by the place of their request, for runs that build on them.
    bodies: dict[int, bytes] = field(default_factory=dict)
    lost_connections: int = 0

    def rate(self, status: int) -> float:
        """Answers of this status a second."""
        return self.statuses[status] / self.seconds if self.seconds else 0.0

    def quantile(self, share: float) -> float:
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


async def _run(port: int, requests: Iterator[tuple[int, bytes]], outcome: Outcome, deadline: float) -> None:
    connection = await connect("127.0.0.1", port)
    try:
        for place, request in requests:
            sent_at = time.perf_counter()
            if sent_at > deadline:
                return
            answer = await connection.exchange(request)
            outcome.latencies.append(time.perf_counter() - sent_at)
            outcome.statuses[answer.status] += 1
            outcome.bodies[place] = answer.body
    except ConnectionLost:
        outcome.lost_connections += 1
    finally:
        connection.close()


async def closed_loop(*, port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Outcome:
    """Sends the prepared requests, each once, over so many connections, until time or requests end."""
    outcome = Outcome()
    shared = iter(enumerate(requests))
    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(_run(port, shared, outcome, started + seconds))
    outcome.seconds = time.perf_counter() - started
    return outcome

"""Batches of card events over HTTP beside pgbench's single event, in pairs that follow each other."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from bench.cardevents.store import SINGLE_EVENT
from bench.load import HOST, Outcome, closed_loop
from bench.machine import BACKENDS, GENERATOR, HTTP, JOBS, Usage, used
from bench.pgbench import transactions_a_second
from bench.rows import Row, Void, at_least, row_of
from bench.simulator.signing import Signer
from bench.wire import request_bytes

Event = dict[str, Any]

BATCH = 1_000
PAIRS = 5
TARGET = 3
_OK = 200
# Both sides choose how many connections suit them best; a look is short, a pair is not.
_CONNECTIONS, _CLIENTS = (1, 2, 4), (2, 8, 32)
_LOOK_BATCHES, _PAIR_BATCHES = 12, 40
_LOOK_EVENTS, _PAIR_EVENTS = 4_000, 16_000
_ROLES = (HTTP, BACKENDS, JOBS, GENERATOR)


@dataclass(frozen=True, slots=True)
class Rate:
    """Durable events a second, and CPU µs for each event by role."""

    per_second: float
    batch_p50: float
    batch_p99: float
    usage: Usage
    events: int

    @property
    def cost(self) -> str:
        micros = ", ".join(f"{role} {self.usage.micros(role, self.events):.0f}" for role in _ROLES)
        return f"CPU µs an event: {micros}; foreign {self.usage.foreign:.0%} of the machine"


@dataclass(frozen=True, slots=True)
class CardPairs:
    """`batch` makes a batch of new holders; pgbench's own tables are there."""

    port: int
    database_url: str
    signer: Signer
    path: str
    batch: Callable[[], list[Event]]
    say: Callable[[str], None]

    async def run(self, pairs: int = PAIRS) -> Row:
        """The median ratio of pairs that follow each other. Raises Void."""
        connections = await self._best(_CONNECTIONS, self._look)
        clients = await self._best(_CLIENTS, self._look_bare)
        ratios: list[float] = []
        for place in range(pairs):
            ours = await sent(self, [self.batch() for _ in range(_PAIR_BATCHES)], connections)
            with used() as usage:
                bare = await self._bare(clients, _PAIR_EVENTS)
            ratios.append(ours.per_second / bare)
            self.say(
                f"pair {place + 1}: {ours.per_second:,.0f} / {bare:,.0f} events/s; {ours.cost}; pgbench: "
                f"{BACKENDS} {usage.micros(BACKENDS, _PAIR_EVENTS):.0f}"
            )
        return row_of(
            "card events, batches of 1,000",
            "events/s ÷ pgbench, one event in a transaction, kept once",
            ratios,
            at_least(TARGET),
            note=f"{connections} connections, pgbench {clients} clients",
        )

    async def _best(self, counts: Sequence[int], look: Callable[[int], Any]) -> int:
        """Looks twice, in both directions: whoever comes first finds cold plans and empty tables."""
        seen: dict[int, list[float]] = {count: [] for count in counts}
        for count in (*counts, *reversed(counts)):
            seen[count].append(await look(count))
        return max(counts, key=lambda count: median(seen[count]))

    async def _look(self, connections: int) -> float:
        return (await sent(self, [self.batch() for _ in range(_LOOK_BATCHES)], connections)).per_second

    async def _look_bare(self, clients: int) -> float:
        return await self._bare(clients, _LOOK_EVENTS)

    async def _bare(self, clients: int, events: int) -> float:
        return await transactions_a_second(
            self.database_url, SINGLE_EVENT, clients=clients, each=events // clients
        )


async def sent(to: CardPairs, batches: Sequence[list[Event]], connections: int) -> Rate:
    """Sends the batches, made and signed beforehand, and measures until the last is answered. Raises Void."""
    requests = [_request(to, batch) for batch in batches]
    with used() as usage:
        outcome = await closed_loop(port=to.port, requests=requests, connections=connections)
    _check(outcome, len(batches))
    events = sum(len(batch) for batch in batches)
    return Rate(events / outcome.seconds, outcome.quantile(0.5), outcome.quantile(0.99), usage, events)


def _request(to: CardPairs, batch: list[Event]) -> bytes:
    content = json.dumps({"events": batch}, ensure_ascii=False).encode()
    return request_bytes(
        "POST",
        to.path,
        host=f"{HOST}:{to.port}",
        headers=to.signer.headers("POST", to.path, content),
        body=content,
    )


def _check(outcome: Outcome, expected: int) -> None:
    if outcome.statuses[_OK] != expected or outcome.lost_connections:
        raise Void(f"{expected} answers {_OK} were due, seen: {dict(outcome.statuses)}")

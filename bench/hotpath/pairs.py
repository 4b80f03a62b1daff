"""Pairs of runs in turn: ours over HTTP, and the bare database, on equal shares of the same people.

A shared machine is faster in one minute than in the next. What two runs that follow each other have in common
cancels out in their ratio; the order of the two alternates.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.load import closed_loop
from bench.machine import Usage, used
from bench.pgbench import transactions
from bench.rows import Row, Target, Void, row_of

CONNECTIONS = 64
PGBENCH_CLIENTS = 32
# Fewer transactions of a client than this, and its first ones, which plan, would count.
_EACH_MIN = 25
_RUN_SECONDS_MAX = 300.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run: items done, items a second, latencies in seconds, and what it used."""

    items: int
    rate: float
    p50: float
    p99: float
    usage: Usage


@dataclass(slots=True)
class Operation:
    """One operation's pairs, in the order in which they ran."""

    name: str
    against: str
    http: list[Run] = field(default_factory=list)
    bare: list[Run] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [ours.rate / theirs.rate for ours, theirs in zip(self.http, self.bare, strict=True)]

    def row(self, target: Target, measure: str) -> Row:
        rates = (
            f"{median(run.rate for run in self.http):,.0f}/s ÷ {median(run.rate for run in self.bare):,.0f}/s"
        )
        return row_of(self.name, measure, self.ratios, target, note=rates)


def clients_for(items: int) -> int:
    """How many clients of pgbench share so many items well."""
    return max(1, min(PGBENCH_CLIENTS, items // _EACH_MIN))


def whole_share(items: float) -> int:
    """The items of one run, so many that every client of pgbench has the same."""
    return int(items) // clients_for(int(items)) * clients_for(int(items))


async def over_http(
    port: int, requests: Sequence[bytes], *, status: int, connections: int = CONNECTIONS
) -> Run:
    """Raises Void when an answer is another than was due."""
    with used() as usage:
        outcome = await closed_loop(
            port=port, requests=requests, connections=connections, seconds=_RUN_SECONDS_MAX
        )
    if outcome.statuses[status] != len(requests) or outcome.lost_connections:
        raise Void(
            f"{len(requests)} answers {status} were due, seen: {dict(outcome.statuses)}, "
            f"{outcome.lost_connections} connections lost"
        )
    return Run(len(requests), outcome.rate(status), outcome.quantile(0.5), outcome.quantile(0.99), usage)


async def by_pgbench(url: str, script: str, *, clients: int, each: int) -> Run:
    """Raises PgbenchFailed."""
    with used() as usage:
        told = await transactions(url, script, clients=clients, each=each)
    return Run(clients * each, told.rate, told.p50, told.p99, usage)


Leg = Callable[[int], Awaitable[Run]]


async def in_turn(rounds: int, *legs: Leg) -> list[list[Run]]:
    """Runs the legs once a round, the first to run another one each time; the runs of each leg."""
    runs: list[list[Run]] = [[] for _ in legs]
    for number in range(rounds):
        order = list(range(len(legs)))
        turned = order[number % len(legs) :] + order[: number % len(legs)]
        for place in turned:
            runs[place].append(await legs[place](number))
    return runs

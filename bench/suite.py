"""The whole measurement of one stack: the hot calls beside the bare database, then the scenes."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

from redis.asyncio import Redis

from bench import machine
from bench.baseline.serve import baseline
from bench.cardevents.measure import CardsRun
from bench.ground import Ground
from bench.hotpath import requests
from bench.hotpath.lives import WARM_PEOPLE, Lives
from bench.hotpath.pairs import Operation, over_http
from bench.hotpath.town import Town
from bench.hotpath.writeoffs import WriteOffs
from bench.machine import HTTP, STACK, Memory, memory_watched, processes_of
from bench.profile import Layer, Profile, profiled
from bench.rows import REPORTED, Row, Void, at_least, at_most, row_of

MEMORY_MIB_MAX = 1024
_MIB = 1024**2
_BASELINE_WORKERS = 2
# The ratio to pgbench that each call is to reach.
_TARGETS = {"quiz start": 0.8, "quiz submit": 0.8, "draw": 0.8, "claim on one hot type": 3.0}

Scene = Callable[[Ground], Awaitable[list[Row]]]


@dataclass(slots=True)
class Measured:
    """What was seen so far: `rows` is the table, the rest how it came about. `void`: why it means nothing."""

    rows: list[Row] = field(default_factory=list)
    operations: list[Operation] = field(default_factory=list)
    profile: Profile = field(default_factory=Profile)
    # Of the profiled write-offs: CPU µs of the HTTP workers for each.
    profiled_micros: float = 0.0
    facts: dict[str, str] = field(default_factory=dict)
    void: str = ""

    @property
    def layers(self) -> list[Layer]:
        return self.profile.layers(self.profiled_micros) if self.profile.looks else []


async def measure(ground: Ground, measured: Measured, scenes: Sequence[Scene] = ()) -> None:
    """Everything. Raises Void, PgbenchFailed; what was measured before then is told."""
    sizes = ground.sizes
    pieces = WARM_PEOPLE + sizes.people + sizes.profiled
    async with ground.town(pieces=pieces) as town:
        measured.facts = await _facts(ground, town)
        lives = Lives(town, sizes.rounds, ground.say)
        await lives.gather(sizes.people)
        await lives.live()
        lead = ground.clerks.time.lead
        async with baseline(workers=_BASELINE_WORKERS, settings=ground.settings, lead=lead) as ordinary:
            write_offs = WriteOffs(town, sizes.rounds, ground.say, ordinary)
            await write_offs.measure(lives.everybody, warm=lives.warm)
        prepared = requests.write_offs(town, await town.vouchers(await town.holders(sizes.profiled)))
    # When every pool, plan and cache has grown as far as it does, and our own connections are closed; looking
    # would disturb the pairs.
    async with memory_watched() as memory:
        await _profile(ground, prepared, measured)
    measured.operations = [
        write_offs.operation,
        write_offs.other_way,
        write_offs.beside_ordinary,
        *lives.operations,
    ]
    measured.rows += _rows(write_offs, lives, measured)
    measured.rows += await _cards(ground)
    measured.rows += [_memory(memory), *_workers(write_offs, ground.workers)]
    await _play(ground, measured, scenes)


async def measure_scenes(ground: Ground, measured: Measured, scenes: Sequence[Scene]) -> None:
    """Without the hot calls. Raises Void."""
    async with ground.town(pieces=1) as town:
        measured.facts = await _facts(ground, town)
    await _play(ground, measured, scenes)


async def _play(ground: Ground, measured: Measured, scenes: Sequence[Scene]) -> None:
    for scene in scenes:
        measured.rows += await scene(ground)
    await require_integrity(ground)


async def _facts(ground: Ground, town: Town) -> dict[str, str]:
    versions = {"Postgres": await town.bench.version(), "Valkey": await _redis_version(ground)}
    return machine.facts(ground.folder, versions)


async def measure_workers(ground: Ground, measured: Measured) -> None:
    """The write-off on a stack with another number of HTTP workers. Raises Void, PgbenchFailed."""
    async with ground.town(pieces=WARM_PEOPLE + ground.sizes.one_worker) as town:
        holders = await town.holders(WARM_PEOPLE + ground.sizes.one_worker)
        write_offs = WriteOffs(town, ground.sizes.rounds, ground.say)
        await write_offs.measure(holders[WARM_PEOPLE:], warm=holders[:WARM_PEOPLE])
    await require_integrity(ground)
    measured.rows += _workers(write_offs, ground.workers)


async def require_integrity(ground: Ground) -> None:
    """Raises Void: a lost, doubled or oversold item makes every figure worthless."""
    ground.say("integrity: every check")
    report = await ground.clerks.integrity()
    if not report["ok"]:
        broken = ", ".join(check["name"] for check in report["checks"] if not check["ok"])
        raise Void(f"the integrity check found: {broken}")


def _rows(write_offs: WriteOffs, lives: Lives, measured: Measured) -> list[Row]:
    operation = write_offs.operation
    spread = [run.p99 / run.p50 for run in write_offs.http]
    micros = [run.usage.micros(HTTP, run.items) for run in write_offs.http]
    shown = ", ".join(f"{layer.name} {layer.micros:.0f}" for layer in measured.layers[:4])
    return [
        operation.row(at_least(1.0), f"÷ pgbench, {operation.against}"),
        write_offs.other_way.row(REPORTED, f"÷ pgbench, {write_offs.other_way.against}"),
        *(each.row(at_least(_TARGETS[each.name]), f"÷ pgbench, {each.against}") for each in lives.operations),
        row_of(
            "write-off, 64 connections",
            "p99 ÷ p50",
            spread,
            at_most(3),
            note=f"{_milliseconds(run.p50 for run in write_offs.http)} and "
            f"{_milliseconds(run.p99 for run in write_offs.http)}",
        ),
        row_of("write-off", "CPU of the HTTP workers for each", micros, REPORTED, unit="µs", note=shown),
        write_offs.beside_ordinary.row(REPORTED, f"× {write_offs.beside_ordinary.against}"),
    ]


def _milliseconds(seconds: Iterable[float]) -> str:
    return f"{median(seconds) * 1e3:.1f} ms"


def _memory(memory: Memory) -> Row:
    note = ", ".join(
        f"{role} {size / _MIB:,.0f}" for role, size in sorted(memory.roles.items()) if role in STACK
    )
    return row_of(
        "the whole stack",
        "peak memory, shared pages once",
        [memory.peak / _MIB],
        at_most(MEMORY_MIB_MAX, "MiB"),
        unit="MiB",
        note=note,
    )


def _workers(write_offs: WriteOffs, workers: int) -> list[Row]:
    rates = [run.rate for run in write_offs.http]
    name = f"write-off, {workers} HTTP worker{'s' if workers > 1 else ''}"
    return [
        row_of(name, "requests a second", rates, REPORTED),
        row_of(name, f"÷ pgbench, {write_offs.operation.against}", write_offs.operation.ratios, REPORTED),
    ]


async def _cards(ground: Ground) -> list[Row]:
    cards = CardsRun(
        platform=ground.platform,
        clerks=ground.clerks,
        port=ground.port,
        database_url=ground.database_url,
        say=ground.say,
        pairs=ground.sizes.rounds,
    )
    await cards.run(0)
    return cards.rows


async def _redis_version(ground: Ground) -> str:
    async with Redis.from_url(ground.redis_url) as redis:
        told = await redis.info("server")
    return str(told.get("valkey_version", told["redis_version"]))


async def _profile(ground: Ground, prepared: Sequence[bytes], measured: Measured) -> None:
    """Write-offs of their own: a worker that is looked at is slower, so they count for no rate."""
    worker = next(iter(processes_of(HTTP)))
    async with profiled(worker) as profile:
        run = await over_http(ground.port, prepared, status=201)
    measured.profile, measured.profiled_micros = profile, run.usage.micros(HTTP, run.items)

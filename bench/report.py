"""A run as a page: the table, what every call cost by role, where the time goes, and the machine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from bench.hotpath.pairs import Operation, Run
from bench.machine import BACKENDS, BASELINE, GENERATOR, HTTP, JOBS, REDIS
from bench.rows import Row
from bench.suite import Measured

COLUMNS = ("operation", "measure", "target", "median", "min–max", "reached", "note")
_ROLES = (HTTP, BACKENDS, JOBS, REDIS, BASELINE, GENERATOR)


@dataclass(frozen=True, slots=True)
class Report:
    at: datetime
    size: str
    measured: Measured

    @property
    def foreign(self) -> tuple[float, float]:
        """The share of all cores that other processes used: median and most of all runs."""
        shares = [run.usage.foreign for one in self.measured.operations for run in (*one.http, *one.bare)]
        return (median(shares), max(shares)) if shares else (0.0, 0.0)


def cells(row: Row) -> tuple[str, ...]:
    """In the order of COLUMNS."""
    return row.operation, row.measure, row.target, row.shown, row.range, row.verdict, row.note


def markdown(report: Report) -> str:
    told = report.measured
    parts = [f"# Benchmark, {report.at:%Y-%m-%d %H:%M} UTC ({report.size})", ""]
    if told.void:
        parts += [f"**Void: {told.void}.** The figures below mean nothing.", ""]
    parts += [*_table(COLUMNS, [cells(row) for row in told.rows]), "", _quiet(report), ""]
    if told.operations:
        parts += ["## Rates, latencies, CPU", "", *_EXPLAINED, ""]
        parts += [*_table(_COSTS, _costs(told.operations)), ""]
    parts += ["## Where an HTTP worker spends a write-off", "", *_profile(told), ""]
    return "\n".join(
        [*parts, "## Machine", "", *(f"- {name}: {fact}" for name, fact in told.facts.items()), ""]
    )


_EXPLAINED = (
    "Medians of the runs. CPU in µs for each item, by role; pgbench's connections plan anew in every run,",
    "which their rate leaves out and their CPU does not.",
)
_COSTS = ("operation", "side", "a second", "p50 ms", "p99 ms", *_ROLES)


def _costs(operations: Sequence[Operation]) -> list[tuple[str, ...]]:
    """Ours once for each operation, then each of those that it was measured beside."""
    sides: dict[str, dict[str, Sequence[Run]]] = {}
    for one in operations:
        told = sides.setdefault(one.name, {"HTTP": one.http})
        told[one.against] = one.bare
    return [(name, side, *_cost(runs)) for name, told in sides.items() for side, runs in told.items() if runs]


def _cost(runs: Sequence[Run]) -> tuple[str, ...]:
    times = (median(run.p50 for run in runs), median(run.p99 for run in runs))
    return (
        f"{median(run.rate for run in runs):,.0f}",
        *(f"{seconds * 1e3:.1f}" for seconds in times),
        *(f"{median(run.usage.micros(role, run.items) for run in runs):,.0f}" for role in _ROLES),
    )


def _quiet(report: Report) -> str:
    middle, most = report.foreign
    return (
        f"Others used {middle:.0%} of the machine's cores in the median run, {most:.0%} in the busiest. "
        "Ratios are of runs that followed each other; rates of a machine that was not quiet are not its own."
    )


def _profile(told: Measured) -> list[str]:
    profile = told.profile
    if not profile.looks:
        return [profile.missing or "Not looked at."]
    rows = [(layer.name, f"{layer.share:.0%}", f"{layer.micros:.0f}") for layer in told.layers]
    frames = [(frame, f"{share:.1%}") for frame, share in profile.frames()]
    return [
        f"{profile.looks:,} looks at one worker while it was busy.",
        "",
        *_table(("layer", "share", "µs a request"), rows),
        "",
        *_table(("innermost frame", "share"), frames),
    ]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [_line(head), _line(["---"] * len(head))]
    return lines + [_line(row) for row in rows]


def _line(row: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"

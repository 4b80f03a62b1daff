"""The whole measurement: two stacks one after the other, the table, and its page in bench/results."""

import json
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.table import Table

from bench import machine
from bench.ground import FULL, SHORT, Ground, Sizes
from bench.pgbench import PgbenchFailed
from bench.report import COLUMNS, Report, cells, markdown
from bench.rows import Void
from bench.scenes.measure import burst, dashboards, growth, opening_rush
from bench.suite import Measured, Scene, measure, measure_scenes, measure_workers
from deploy.commands.benchstack import SETTINGS, ground, say
from deploy.commands.progress import results_console
from deploy.commands.up import options
from deploy.local.foreground import run_in_foreground
from deploy.local.stack import Stack

RESULTS = machine.ROOT / "bench" / "results"
# Run after the hot calls on the same stack; each returns its rows of the table.
SCENES: tuple[Scene, ...] = (burst, opening_rush, dashboards, growth)
# Fewer vouchers than this cannot be told from a small table.
_VOUCHERS_MIN = 50_000


def sized(sizes: Sizes, *, people: int | None, rounds: int | None) -> Sizes:
    """Everything smaller or larger in proportion to the people."""
    if people is not None:
        share = people / sizes.people
        sizes = replace(
            sizes,
            people=people,
            profiled=max(256, round(sizes.profiled * share)),
            one_worker=max(640, round(sizes.one_worker * share)),
            rush=max(640, round(sizes.rush * share)),
            vouchers=max(_VOUCHERS_MIN, round(sizes.vouchers * share)),
        )
    return sizes if rounds is None else replace(sizes, rounds=rounds)


def run_suite(sizes: Sizes, workers: int | None, *, only_scenes: bool, as_json: bool) -> None:
    """Raises typer.Exit with 1 when the run is void; a target that is not reached is a result like others."""
    at, measured = datetime.now(UTC), Measured()

    async def whole(standing: Ground) -> None:
        if only_scenes:
            await measure_scenes(standing, measured, SCENES)
        else:
            await measure(standing, measured, SCENES)

    async def one_worker(standing: Ground) -> None:
        await measure_workers(standing, measured)

    complete = _ran(whole, sizes, workers, measured)
    if complete and not only_scenes and not measured.void and workers != 1:
        complete = _ran(one_worker, sizes, 1, measured)
    if not complete:
        raise typer.Exit(1)
    report = Report(at=at, size=_named(sizes), measured=measured)
    _tell(report, as_json=as_json)
    if measured.void:
        raise typer.Exit(1)


def _ran(
    story: Callable[[Ground], Awaitable[None]], sizes: Sizes, workers: int | None, measured: Measured
) -> bool:
    """Runs it on a stack of its own; False when it was stopped from outside."""
    ended: list[bool] = []

    async def told(stack: Stack) -> bool:
        async with ground(stack, sizes, stack.home) as standing:
            try:
                await story(standing)
            except (Void, PgbenchFailed) as void:
                measured.void = str(void)
        ended.append(True)
        return False

    with tempfile.TemporaryDirectory(prefix="hv-bench-", ignore_cleanup_errors=True) as folder:
        run_in_foreground(replace(options(0, Path(folder), workers), settings=SETTINGS), told)
    return bool(ended)


def _named(sizes: Sizes) -> str:
    form = {SHORT: "short", FULL: "full"}.get(sizes, "own size")
    return f"{form}: {sizes.people:,} people, {sizes.rounds} pairs"


def _tell(report: Report, *, as_json: bool) -> None:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{report.at:%Y-%m-%d-%H%M}.md"
    path.write_text(markdown(report), encoding="utf-8")
    if as_json:
        rows = [dict(zip(COLUMNS, cells(row), strict=True)) for row in report.measured.rows]
        typer.echo(json.dumps({"void": report.measured.void, "rows": rows}, ensure_ascii=False, indent=2))
    else:
        table = Table(title=f"Hot calls beside the bare database ({report.size})", title_justify="left")
        for column in COLUMNS:
            table.add_column(column)
        for row in report.measured.rows:
            table.add_row(*cells(row))
        results_console().print(table)
    if report.measured.void:
        say(f"VOID: {report.measured.void}")
    say(f"written to {path}")

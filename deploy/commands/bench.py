import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bench.cardevents.measure import CardsRun
from bench.ground import FULL, SHORT
from bench.large.measure import LargeRun
from bench.settlements.measure import SettlementRun
from bench.simulator.platform import Platform
from deploy.commands.benchstack import SETTINGS, clerks_beside, say, settings_of
from deploy.commands.benchsuite import run_suite, sized
from deploy.commands.progress import results_console
from deploy.commands.up import Workers, options
from deploy.demo_data.files import load_yaml
from deploy.local.foreground import run_in_foreground
from deploy.local.stack import Stack
from shared.crypto import load_keys

app = typer.Typer()


async def measure_large(stack: Stack, persons: int, folder: Path) -> LargeRun:
    settings = settings_of(stack)
    async with Platform(stack.base_url) as platform:
        run = LargeRun(
            platform=platform,
            clerks=await clerks_beside(stack, platform),
            base_url=stack.base_url,
            keys=load_keys(settings),
            database_url=settings.database_url,
            definition=load_yaml("honghe-2020/campaign.yaml"),
            questions=load_yaml("honghe_questions.yaml"),
            folder=folder,
            say=say,
        )
        await run.run(persons)
    return run


async def measure_settlement(stack: Stack, write_offs: int) -> SettlementRun:
    settings = settings_of(stack)
    async with Platform(stack.base_url) as platform:
        run = SettlementRun(
            platform=platform,
            clerks=await clerks_beside(stack, platform),
            keys=load_keys(settings),
            database_url=settings.database_url,
            definition=load_yaml("honghe-2020/campaign.yaml"),
            questions=load_yaml("honghe_questions.yaml"),
            say=say,
        )
        await run.run(write_offs)
    return run


async def measure_cards(stack: Stack, holders: int) -> CardsRun:
    async with Platform(stack.base_url) as platform:
        run = CardsRun(
            platform=platform,
            clerks=await clerks_beside(stack, platform),
            port=stack.port,
            database_url=settings_of(stack).database_url,
            say=say,
        )
        await run.run(holders)
    return run


def print_large(run: LargeRun | SettlementRun | CardsRun) -> None:
    table = Table(title="At its full size", title_justify="left")
    table.add_column("what")
    table.add_column("figure")
    for line in run.lines:
        table.add_row(line.name, line.figure)
    results_console().print(table)


@app.command()
def bench(
    workers: Workers = None,
    large: Annotated[
        int | None,
        typer.Option(min=1_000, help="Instead: time everything else beside a campaign of so many persons."),
    ] = None,
    settlement: Annotated[
        int | None,
        typer.Option(min=1_000, help="Instead: settle so many write-offs of 90 institutions by the job."),
    ] = None,
    *,
    cards: Annotated[
        int | None,
        typer.Option(min=0, help="Instead: send card events into tables with so many holders."),
    ] = None,
    scenes: Annotated[
        bool, typer.Option("--scenes", help="Only the scenes: storm, opening rush, dashboards, growth.")
    ] = False,
    full: Annotated[bool, typer.Option("--full", help="The long form: more people, more rounds.")] = False,
    people: Annotated[
        int | None, typer.Option(min=640, help="How many people live through the hot calls.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="How many pairs of runs each call gets.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure the hot calls on a stack of its own, beside pgbench on the same database."""
    if large is None and settlement is None and cards is None:
        sizes = sized(FULL if full else SHORT, people=people, rounds=rounds)
        run_suite(sizes, workers, only_scenes=scenes, as_json=as_json)
        return
    found: list[LargeRun | SettlementRun | CardsRun] = []

    with tempfile.TemporaryDirectory(prefix="hv-bench-", ignore_cleanup_errors=True) as folder:

        async def story(stack: Stack) -> bool:
            if settlement is not None:
                found.append(await measure_settlement(stack, settlement))
            elif cards is not None:
                found.append(await measure_cards(stack, cards))
            elif large is not None:
                found.append(await measure_large(stack, large, Path(folder)))
            return False

        run_in_foreground(replace(options(0, Path(folder), workers), settings=SETTINGS), story)
    for run in found:
        if as_json:
            typer.echo(json.dumps(run.as_json(), ensure_ascii=False, indent=2))
        else:
            print_large(run)
    if not found or not found[0].integrity_ok:
        raise typer.Exit(1)

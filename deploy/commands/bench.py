import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bench.cardevents.measure import CardsRun
from bench.large.measure import LargeRun
from bench.main_job import MainJob, Results
from bench.settlements.measure import SettlementRun
from bench.simulator.clerks import Clerks, clerks_of
from bench.simulator.platform import Platform
from deploy.commands.progress import results_console, stages
from deploy.commands.up import Workers, options
from deploy.demo_data import DEMO_CLOCK_START
from deploy.demo_data.files import load_yaml
from deploy.local.foreground import run_in_foreground
from deploy.local.stack import Stack
from shared.crypto import load_keys
from shared.settings import Settings

app = typer.Typer()

_SETTINGS = {"HV_DEMO": "1", "HV_CLOCK_START": DEMO_CLOCK_START, "HV_RATE_LIMITS": "off"}


def print_results(results: Results) -> None:
    table = Table(title="Hot calls over HTTP, 64 connections, durable", title_justify="left")
    for column in ("call", "per second", "p50 ms", "p99 ms", "÷ pgbench", "note"):
        table.add_column(column)
    for row in results.rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        table.add_row(
            row.name, f"{row.rate:,.0f}", f"{row.p50 * 1e3:.1f}", f"{row.p99 * 1e3:.1f}", ratio, row.note
        )
    console = results_console()
    console.print(table)
    console.print(f"integrity: {'ok' if results.integrity_ok else 'BROKEN – the figures are void'}")


def _settings(stack: Stack) -> Settings:
    return Settings.model_validate(
        {name.removeprefix("HV_").lower(): value for name, value in stack.settings.items()}
    )


async def _clerks(stack: Stack, platform: Platform) -> Clerks:
    return await clerks_of(
        platform,
        username=stack.settings["HV_ADMIN_USERNAME"],
        password=stack.settings["HV_ADMIN_PASSWORD"],
    )


async def measure_large(stack: Stack, persons: int, folder: Path) -> LargeRun:
    settings = _settings(stack)
    async with Platform(stack.base_url) as platform:
        run = LargeRun(
            platform=platform,
            clerks=await _clerks(stack, platform),
            base_url=stack.base_url,
            keys=load_keys(settings),
            database_url=settings.database_url,
            definition=load_yaml("honghe-2020/campaign.yaml"),
            questions=load_yaml("honghe_questions.yaml"),
            folder=folder,
            say=lambda line: typer.echo(line, err=True),
        )
        await run.run(persons)
    return run


async def measure_settlement(stack: Stack, write_offs: int) -> SettlementRun:
    settings = _settings(stack)
    async with Platform(stack.base_url) as platform:
        run = SettlementRun(
            platform=platform,
            clerks=await _clerks(stack, platform),
            keys=load_keys(settings),
            database_url=settings.database_url,
            definition=load_yaml("honghe-2020/campaign.yaml"),
            questions=load_yaml("honghe_questions.yaml"),
            say=lambda line: typer.echo(line, err=True),
        )
        await run.run(write_offs)
    return run


async def measure_cards(stack: Stack, holders: int) -> CardsRun:
    async with Platform(stack.base_url) as platform:
        run = CardsRun(
            platform=platform,
            clerks=await _clerks(stack, platform),
            port=stack.port,
            database_url=_settings(stack).database_url,
            say=lambda line: typer.echo(line, err=True),
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


async def measure(stack: Stack, citizens: int) -> Results:
    settings = _settings(stack)
    async with Platform(stack.base_url) as platform:
        clerks = await _clerks(stack, platform)
        with stages() as stage:
            job = MainJob(
                platform=platform,
                clerks=clerks,
                port=stack.port,
                database_url=settings.database_url,
                index=load_keys(settings).index,
                definition=load_yaml("honghe-2020/campaign.yaml"),
                questions=load_yaml("honghe_questions.yaml"),
                stage=stage,
            )
            return await job.run(citizens)


@app.command()
def bench(
    citizens: Annotated[int, typer.Option(min=640, help="How many people take part.")] = 6_000,
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure the hot calls on a stack of its own, beside pgbench on the same database."""
    found: list[Results | LargeRun | SettlementRun | CardsRun] = []

    with tempfile.TemporaryDirectory(prefix="hv-bench-", ignore_cleanup_errors=True) as folder:

        async def story(stack: Stack) -> bool:
            if settlement is not None:
                found.append(await measure_settlement(stack, settlement))
            elif cards is not None:
                found.append(await measure_cards(stack, cards))
            elif large is not None:
                found.append(await measure_large(stack, large, Path(folder)))
            else:
                found.append(await measure(stack, citizens))
            return False

        run_in_foreground(replace(options(0, Path(folder), workers), settings=_SETTINGS), story)
    for results in found:
        _show(results, as_json=as_json)
    if not found or not found[0].integrity_ok:
        raise typer.Exit(1)


def _show(results: Results | LargeRun | SettlementRun | CardsRun, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(results.as_json(), ensure_ascii=False, indent=2))
    elif isinstance(results, Results):
        print_results(results)
    else:
        print_large(results)

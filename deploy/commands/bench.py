import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bench.main_job import MainJob, Results
from bench.simulator.clerks import clerks_of
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


async def measure(stack: Stack, citizens: int) -> Results:
    settings = Settings.model_validate(
        {name.removeprefix("HV_").lower(): value for name, value in stack.settings.items()}
    )
    async with Platform(stack.base_url) as platform:
        clerks = await clerks_of(
            platform,
            username=stack.settings["HV_ADMIN_USERNAME"],
            password=stack.settings["HV_ADMIN_PASSWORD"],
        )
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
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Measure the hot calls on a stack of its own, beside pgbench on the same database."""
    found: list[Results] = []

    async def story(stack: Stack) -> bool:
        found.append(await measure(stack, citizens))
        return False

    with tempfile.TemporaryDirectory(prefix="hv-bench-", ignore_cleanup_errors=True) as folder:
        run_in_foreground(replace(options(0, Path(folder), workers), settings=_SETTINGS), story)
    for results in found:
        if as_json:
            typer.echo(json.dumps(results.as_json(), ensure_ascii=False, indent=2))
        else:
            print_results(results)
    if not found or not found[0].integrity_ok:
        raise typer.Exit(1)

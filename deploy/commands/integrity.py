import asyncio
import json
from dataclasses import asdict
from typing import Annotated

import typer
from rich.table import Table

from deploy.commands.progress import results_console
from deploy.commands.up import DataDir
from deploy.local.running import settings_of
from deploy.local.stack import default_home
from shared.clock import rfc3339
from shared.clock.operations import following_clock
from shared.integrity import Report
from shared.integrity.operations import recompute
from shared.kit import build_kit
from shared.settings import Settings

app = typer.Typer()


async def _recompute(settings: Settings) -> Report:
    kit = build_kit(settings)
    await kit.database.start()
    try:
        async with following_clock(kit):
            return await recompute(kit)
    finally:
        await kit.database.stop()


def _print(report: Report) -> None:
    table = Table(title=f"Integrity as of {rfc3339(report.as_of)}", title_justify="left")
    for column in ("invariant", "", "expected", "actual", "detail"):
        table.add_column(column, overflow="fold")
    for check in report.checks:
        sign = "ok" if check.ok else "BROKEN"
        table.add_row(check.name, sign, str(check.expected), str(check.actual), check.detail or "")
    results_console().print(table)


@app.command()
def integrity(
    data_dir: DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Recompute every invariant in SQL; exit code 0 only when all hold.

    Reads HV_DATABASE_URL and the keys from the environment, else of the stack that runs in the data folder.
    """
    report = asyncio.run(_recompute(settings_of(data_dir or default_home())))
    if as_json:
        document = {
            "as_of": rfc3339(report.as_of),
            "ok": report.ok,
            "checks": [asdict(check) for check in report.checks],
        }
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
    else:
        _print(report)
    raise typer.Exit(0 if report.ok else 1)

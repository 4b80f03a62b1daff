import asyncio
import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.table import Table

from bench.scenarios.honghe_replay import Comparison, HongheReplay, Stage
from bench.simulator.clerks import clerks_of
from bench.simulator.platform import Platform
from deploy.commands.progress import results_console, stages
from deploy.demo_data import DEMO_PASSWORD
from deploy.demo_data.files import load_yaml
from deploy.demo_data.honghe import honghe_definition

app = typer.Typer()


class Story(StrEnum):
    HONGHE_2020 = "honghe-2020"


async def play(base_url: str, scale: float, stage: Stage, *, username: str, password: str) -> Comparison:
    async with Platform(base_url) as platform:
        replay = HongheReplay(
            platform=platform,
            clerks=await clerks_of(platform, username=username, password=password),
            definition=honghe_definition(),
            published=load_yaml("honghe-2020/published.yaml"),
            questions=load_yaml("honghe_questions.yaml"),
            stage=stage,
        )
        return await replay.run(scale)


def print_comparison(comparison: Comparison) -> None:
    table = Table(title=f"{comparison.slug}: published beside reproduced", title_justify="left")
    for column in ("figure", "published", "reproduced", "", "note"):
        table.add_column(column, overflow="fold")
    signs = {True: "ok", False: "OFF", None: ""}
    for row in comparison.rows:
        table.add_row(row.figure, row.published, row.reproduced, signs[row.ok], row.note)
    results_console().print(table)


@app.command()
def replay(  # noqa: PLR0917 - options of a command line are named by their users
    story: Story,
    base_url: Annotated[str, typer.Option(help="Where the running stack answers.")],
    scale: Annotated[float, typer.Option(min=0.001, max=1.0, help="Part of the published size.")] = 1.0,
    username: Annotated[str, typer.Option(envvar="HV_ADMIN_USERNAME")] = "admin",
    password: Annotated[str, typer.Option(envvar="HV_ADMIN_PASSWORD")] = DEMO_PASSWORD,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Play the published days of a real campaign over HTTP against a running demonstration stack."""
    del story  # one so far; the argument keeps the command line stable
    with stages() as stage:
        comparison = asyncio.run(play(base_url, scale, stage, username=username, password=password))
    if as_json:
        typer.echo(json.dumps(comparison.as_json(), ensure_ascii=False, indent=2))
    else:
        print_comparison(comparison)
    if not comparison.ok:
        raise typer.Exit(1)

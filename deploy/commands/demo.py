import asyncio
import json
import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from bench.scenarios.handover import HandOver
from bench.scenarios.honghe_days import VISITORS
from bench.scenarios.honghe_story import HongheStory
from bench.scenarios.story import Stage, Story
from bench.scenarios.yueqing_story import YueqingStory
from bench.simulator.clerks import Clerks, clerks_of
from bench.simulator.platform import Platform
from deploy.commands.progress import results_console, stages
from deploy.commands.up import DataDir, Port, Workers, options
from deploy.demo_data import DEMO_CLOCK_START, DEMO_PASSWORD, DEMO_USERNAME
from deploy.demo_data.files import load_bytes, load_rows, load_yaml
from deploy.demo_data.honghe import ASSUMED, assumed_values, honghe_definition
from deploy.local.errors import LaunchError
from deploy.local.foreground import run_in_foreground
from deploy.local.stack import Stack, default_home

app = typer.Typer()

_SETTINGS = {"HV_DEMO": "1", "HV_CLOCK_START": DEMO_CLOCK_START, "HV_RATE_LIMITS": "off"}
# The notice names the year and no day; with one the platform can tell what each working day needs.
_CARDS_END = "2020-12-31"
_WAYS_IN_FILE = "ways-in.json"
# The jobs of the story are done within moments; a machine under load may take longer.
_JOBS_WITHIN = timedelta(seconds=60)


async def play(platform: Platform, clerks: Clerks, stage: Stage, *, days: int = len(VISITORS)) -> Story:
    """Plays what is not there yet: a second demonstration on the same data finds its programmes loaded.

    `days` of the campaign, at least `DAYS_MIN`.
    """
    story = Story()
    honghe = _honghe(platform, clerks, stage, story, days)
    yueqing = _yueqing(platform, clerks, stage, story)
    campaigns = await platform.get("/issuance/v1/campaigns")
    if honghe.slug not in {item["slug"] for item in campaigns["items"]}:
        await yueqing.load()
        await yueqing.play()
        await honghe.load()
        await honghe.play()
        await yueqing.play_november()
    await _jobs_done(clerks, stage)
    await check_integrity(clerks, story)
    return story


def _honghe(platform: Platform, clerks: Clerks, stage: Stage, story: Story, days: int) -> HongheStory:
    return HongheStory(
        platform=platform,
        clerks=clerks,
        definition=honghe_definition(),
        questions=load_yaml("honghe_questions.yaml"),
        directory=load_yaml("institutions.yaml"),
        stage=stage,
        story=story,
        days=days,
    )


def _yueqing(platform: Platform, clerks: Clerks, stage: Stage, story: Story) -> YueqingStory:
    return YueqingStory(
        platform=platform,
        clerks=clerks,
        programme=load_yaml("yueqing-2020/programme.yaml") | {"ends_on": _CARDS_END},
        hospitals_csv=load_bytes("yueqing-2020/hospitals.csv"),
        published=load_rows("yueqing-2020/hospitals.csv"),
        stage=stage,
        story=story,
    )


async def _jobs_done(clerks: Clerks, stage: Stage) -> None:
    """Waits until the outbox is empty: every issue and write-off has had its effects."""
    advance = stage("后台任务 jobs", 1)
    for _ in range(int(_JOBS_WITHIN.total_seconds() * 2)):
        if await _waiting(clerks) == 0:
            advance(1)
            return
        await asyncio.sleep(0.5)
    raise LaunchError("the jobs of the demonstration were not done within a minute: look at the job log")


async def _waiting(clerks: Clerks) -> int:
    text = str(await clerks.platform.get("/issuance/metrics", headers=clerks.first))
    line = next(line for line in text.splitlines() if line.startswith("hv_outbox_pending"))
    return int(float(line.split()[-1]))


async def check_integrity(clerks: Clerks, story: Story) -> None:
    report = await clerks.integrity()
    for check in report["checks"]:
        story.check(f"integrity: {check['name']}", True, check["ok"])


async def hand_over(stack: Stack, clerks: Clerks, story: Story, *, username: str, password: str) -> None:
    """Makes what a visitor needs to try every page at once; also kept in the data directory."""
    slug, programme = honghe_definition()["slug"], load_yaml("yueqing-2020/programme.yaml")["slug"]
    ways = await HandOver(clerks, str(slug), str(programme)).make(username=username, password=password)
    story.ways_in += ways
    file = stack.home / _WAYS_IN_FILE
    file.touch(mode=0o600)
    file.write_text(json.dumps(dict(ways), ensure_ascii=False, indent=2) + "\n", "utf-8")


def save_documents(stack: Stack, story: Story) -> None:
    """What the story printed, in the data directory."""
    folder = _documents(stack)
    for name, content in story.documents.items():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _documents(stack: Stack) -> Path:
    return stack.home / "documents"


def print_story(stack: Stack, story: Story) -> None:
    console = results_console()
    figures = Table(title="What was played, and what the platform says of it", title_justify="left")
    for column in ("figure", "expected", "platform", ""):
        figures.add_column(column, overflow="ellipsis", max_width=48, no_wrap=True)
    for figure in story.figures:
        sign = "ok" if figure.ok else "OFF"
        figures.add_row(figure.name, _short(figure.expected), _short(figure.actual), sign)
    console.print(figures)
    console.print(_assumptions())
    places = Table(title="Where to look", title_justify="left", show_header=False)
    for name, address in _addresses(stack.base_url).items():
        places.add_row(name, address)
    for name, how in story.ways_in:
        places.add_row(name, how)
    for document in sorted(_documents(stack).glob("*")):
        places.add_row("document", str(document))
    places.add_row("data, keys, logs", str(stack.home))
    console.print(places)


def _assumptions() -> Table:
    """What the report of 2020 does not say, and stands in the demonstration all the same."""
    table = Table(title=f"{ASSUMED} Assumed, never published", title_justify="left", show_header=False)
    table.add_column("what", no_wrap=True)
    table.add_column("figures")
    for label, figures in assumed_values():
        table.add_row(label, f"{figures}（{ASSUMED}）")
    table.add_row("乐清发卡截止日期 end of the card programme", f"{_CARDS_END}（{ASSUMED}）")
    return table


def _addresses(base_url: str) -> dict[str, str]:
    return {
        "start": f"{base_url}/",
        "citizens 市民": f"{base_url}/app",
        "till 收银终端": f"{base_url}/pos",
        "clerks' console 管理后台": f"{base_url}/console",
        "API documents": f"{base_url}/issuance/docs  /redemption/docs  /quota/docs  /console/docs",
    }


def _short(value: object) -> str:
    if isinstance(value, dict):
        return f"{sum(value.values()):,} over {len(value)}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


@app.command()
def demo(
    port: Port = 8000,
    data_dir: DataDir = None,
    workers: Workers = None,
    check: Annotated[bool, typer.Option("--check", help="Verify, say the result and stop.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,  # noqa: FBT002 - a flag
) -> None:
    """Start everything with both model programmes loaded and a played story; keep serving."""
    outcome: dict[str, Any] = {}

    async def story(stack: Stack) -> bool:
        async with Platform(stack.base_url) as platform:
            password = stack.settings["HV_ADMIN_PASSWORD"]
            username = stack.settings["HV_ADMIN_USERNAME"]
            clerks = await clerks_of(platform, username=username, password=password)
            with stages() as stage:
                played = await play(platform, clerks, stage)
            await hand_over(stack, clerks, played, username=username, password=password)
        save_documents(stack, played)
        if as_json:
            typer.echo(json.dumps(played.as_json(), ensure_ascii=False, indent=2))
        else:
            print_story(stack, played)
        sys.stdout.flush()
        outcome["ok"] = played.ok
        return not check

    settings = {name: os.environ.get(name, value) for name, value in _SETTINGS.items()}
    # A folder of its own: a demonstration's data never mixes with that of `hv up`.
    chosen = options(port, data_dir or default_home().with_name("health-vouchers-demo"), workers)
    secrets = {"HV_ADMIN_USERNAME": DEMO_USERNAME, "HV_ADMIN_PASSWORD": DEMO_PASSWORD}
    run_in_foreground(replace(chosen, settings=settings, secrets=secrets), story)
    if check and not outcome.get("ok"):
        raise typer.Exit(1)

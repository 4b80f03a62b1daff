"""The stack that is measured, and what stands on it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from bench.ground import Ground, Sizes
from bench.simulator.clerks import Clerks, clerks_of
from bench.simulator.platform import Platform
from deploy.demo_data import DEMO_CLOCK_START
from deploy.demo_data.files import load_yaml
from deploy.local.stack import Stack
from shared.crypto import load_keys
from shared.settings import Settings

SETTINGS = {"HV_DEMO": "1", "HV_CLOCK_START": DEMO_CLOCK_START, "HV_RATE_LIMITS": "off"}


def say(line: str) -> None:
    """Progress is for people: standard output keeps to results."""
    typer.echo(line, err=True)


def settings_of(stack: Stack) -> Settings:
    return Settings.model_validate(
        {name.removeprefix("HV_").lower(): value for name, value in stack.settings.items()}
    )


async def clerks_beside(stack: Stack, platform: Platform) -> Clerks:
    return await clerks_of(
        platform,
        username=stack.settings["HV_ADMIN_USERNAME"],
        password=stack.settings["HV_ADMIN_PASSWORD"],
    )


@asynccontextmanager
async def ground(stack: Stack, sizes: Sizes, folder: Path) -> AsyncIterator[Ground]:
    settings = settings_of(stack)
    async with Platform(stack.base_url) as platform:
        yield Ground(
            platform=platform,
            clerks=await clerks_beside(stack, platform),
            base_url=stack.base_url,
            port=stack.port,
            workers=stack.options.workers,
            settings=stack.settings,
            database_url=settings.database_url,
            redis_url=settings.redis_url,
            keys=load_keys(settings),
            definition=load_yaml("honghe-2020/campaign.yaml"),
            questions=load_yaml("honghe_questions.yaml"),
            folder=folder,
            sizes=sizes,
            say=say,
        )

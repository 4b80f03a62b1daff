"""The main job from end to end: the demonstration's own story, with real workers beside the services."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from datetime import datetime

import pytest
from fastapi import FastAPI

from bench.scenarios.handover import HandOver
from bench.scenarios.honghe_days import DAYS_MIN
from bench.scenarios.story import Story
from bench.simulator.clerks import clerks_of
from bench.simulator.platform import Platform
from deploy.commands.demo import play
from deploy.demo_data import DEMO_CLOCK_START
from deploy.local.asgi import OneOrigin
from deploy.local.jobs import Shift
from deploy.local.names import SERVICES
from deploy.local.services import app_factory, worker_factory
from shared.settings import Settings
from tests.support.http import listening
from tests.support.servers import Servers

# arq's own close calls what redis-py calls deprecated; as an error it would keep the connections open.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")

Arrangement = Callable[[dict[str, FastAPI]], AbstractAsyncContextManager[Platform]]


@asynccontextmanager
async def one_origin(apps: dict[str, FastAPI]) -> AsyncIterator[Platform]:
    async with listening(OneOrigin(apps, rest="console")) as origin, Platform(origin) as platform:
        yield platform


@asynccontextmanager
async def each_alone(apps: dict[str, FastAPI]) -> AsyncIterator[Platform]:
    """Every service on an address of its own; what a gateway in front would do is done by the client."""
    async with AsyncExitStack() as running:
        origins = {name: await running.enter_async_context(listening(app)) for name, app in apps.items()}
        platform = Platform(origins["console"], services=origins)
        yield await running.enter_async_context(platform)


@asynccontextmanager
async def working(settings: Settings) -> AsyncIterator[None]:
    """The arq workers of all services, as the launcher runs them."""

    def shift_of(service: str) -> Shift:
        return Shift(service, lambda: worker_factory(service)(settings))

    shifts = [shift_of(service) for service in SERVICES]
    tasks = [asyncio.create_task(shift.run()) for shift in shifts]
    try:
        yield
    finally:
        for shift in shifts:
            shift.stop()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


async def played(settings: Settings, arrange: Arrangement, days: int) -> Story:
    apps = {service: app_factory(service)(settings) for service in SERVICES}
    async with working(settings), arrange(apps) as platform:
        password = settings.admin_password
        assert password is not None
        clerks = await clerks_of(platform, username="admin", password=password.get_secret_value())
        story = await play(platform, clerks, lambda _name, _steps: lambda _done: None, days=days)
        hand = HandOver(clerks, "honghe-2020", "yueqing-2020")
        story.ways_in += await hand.make(username="admin", password=password.get_secret_value())
        return story


# So few days that every part of the story is still in them.
@pytest.mark.parametrize("arrange", [one_origin, each_alone])
async def test_both_programmes_play_and_every_figure_agrees(
    arrange: Arrangement, settings: Settings, servers: Servers
) -> None:
    name = f"hv_journey_{arrange.__name__}"
    url = servers.create_database(name, template="hv_template")
    update = {"database_url": url, "clock_start": datetime.fromisoformat(DEMO_CLOCK_START)}
    chosen = settings.model_copy(update=update)
    try:
        story = await played(chosen, arrange, DAYS_MIN)
    finally:
        servers.drop_database(name)

    assert [figure for figure in story.figures if not figure.ok] == []
    assert len(story.figures) > 20
    roles = {how.partition(" / ")[0] for what, how in story.ways_in if " / " in how}
    assert roles == {"admin", "operator", "auditor", "institution", "hospital"}
    assert any("/screen#scr_" in how for _, how in story.ways_in)

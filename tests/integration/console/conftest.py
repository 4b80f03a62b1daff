from collections.abc import AsyncIterator

import httpx
import pytest

from services.console.app import create_app
from shared.clock import ManualClock
from shared.settings import Settings
from tests.support.http import serving


@pytest.fixture(scope="module")
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(console=create_app(settings, clock=clock)) as serving_client:
        yield serving_client

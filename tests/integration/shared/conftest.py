from collections.abc import AsyncIterator

import httpx
import pytest

from shared.clock import ManualClock
from shared.settings import Settings
from tests.support.http import serving
from tests.support.probe import create_app


@pytest.fixture(scope="module")
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """Of the probe service: each of its routes does one thing that real ones do."""
    async with serving(probe=create_app(settings, clock=clock)) as serving_client:
        yield serving_client

from collections.abc import AsyncIterator

import httpx
import pytest

from services.quota.app import create_app
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from tests.support.http import serving
from tests.support.quota import Bureau, bureau_of


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two instances of the service, each with connections of its own."""
    async with (
        serving(quota=create_app(settings, clock=clock)) as first,
        serving(quota=create_app(settings, clock=clock)) as second,
    ):
        yield [first, second]


@pytest.fixture(scope="module")
async def bureau(clients: list[httpx.AsyncClient], kit: Kit) -> Bureau:
    return await bureau_of(clients[0], kit)

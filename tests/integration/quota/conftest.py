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
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(quota=create_app(settings, clock=clock)) as client:
        yield client


@pytest.fixture(scope="module")
async def bureau(client: httpx.AsyncClient, kit: Kit) -> Bureau:
    return await bureau_of(client, kit)

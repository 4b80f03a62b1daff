"""One app of the service for each module, and staff of the bureau."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.redemption.app import create_app
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.tills import Bureau, bureau
from tests.support.vouchers import published


@pytest.fixture(scope="module")
async def http(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(redemption=create_app(settings, clock=clock)) as client:
        yield client


@pytest.fixture(scope="module")
async def campaign(kit: Kit) -> CampaignRef:
    return await published(kit, "honghe-2020")


@pytest.fixture(scope="module")
async def staff(http: httpx.AsyncClient, kit: Kit) -> Bureau:
    return await bureau(http, kit)

"""One app of the service for each module, and staff of the bureau."""

import secrets
from collections.abc import AsyncIterator
from datetime import datetime

import httpx
import pytest

from services.redemption.app import create_app
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.cases import DAY, Scene
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


@pytest.fixture
async def scene(kit: Kit, clock: ManualClock, staff: Bureau) -> Scene:
    later = datetime.fromisoformat(f"{DAY}T10:00:00+08:00")
    clock.set(max(later, clock.now()))
    campaign = await published(kit, f"risk-{secrets.token_hex(4)}")
    institution = await staff.institution(campaign)
    return Scene(kit, clock, staff, campaign, institution, await staff.till(institution))

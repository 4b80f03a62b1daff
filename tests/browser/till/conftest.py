"""The till's page: one platform and one browser for a module, a fresh browser for each test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef, TillRules, VoucherType
from tests.support.browser import Tab, browsing
from tests.support.counter import DEVICE, TABLET, Shop, Wire
from tests.support.http import listening
from tests.support.tills import ALL_TYPES, bureau
from tests.support.vouchers import TYPES, published


@dataclass(frozen=True, slots=True)
class Street:
    address: str
    wire: Wire
    tab: Tab


@pytest.fixture(scope="module")
async def street(settings: Settings, clock: ManualClock) -> AsyncIterator[Street]:
    """One platform and one browser for all tests of this module."""
    apps = {"console": console(settings, clock=clock), "redemption": redemption(settings, clock=clock)}
    wire = Wire(OneOrigin(apps, rest="console"))
    async with listening(wire) as address, browsing() as tab:
        await tab.size(**TABLET)
        await tab.beforehand(DEVICE)
        yield Street(address, wire, tab)


@pytest.fixture(scope="module")
async def campaign(kit: Kit, street: Street) -> CampaignRef:  # noqa: ARG001 - the origin first: it migrates
    rules = TillRules(manual_write_off=True, offline_count_per_day=2, offline_fen_per_day=80_000)
    test = VoucherType("test", "directed", "核酸检测券", None, 8_000, 60, reports_result_to_health_code=True)
    brief = VoucherType("brief", "directed", "限时冲正券", None, 5_000, 60, reversal_window_hours=1)
    return await published(kit, "pos", tills=rules, types=(*TYPES, test, brief))


@pytest.fixture
async def shop(street: Street, kit: Kit, campaign: CampaignRef) -> AsyncIterator[Shop]:
    """A browser that was never a till. At the end nothing was complained of, nothing asked elsewhere."""
    tab, street.wire.state, street.wire.refusals = street.tab, "up", {}
    street.wire.answers = {}
    await tab.open(f"{street.address}/favicon.ico")
    await tab.evaluate(
        "new Promise((done) => { indexedDB.deleteDatabase('hv.pos').onsuccess = () => done(); })"
    )
    await tab.size(**TABLET)
    async with httpx.AsyncClient(base_url=street.address) as http:
        staff = await bureau(http, kit)
        yield Shop(
            tab,
            street.address,
            street.wire,
            staff,
            kit,
            campaign,
            await staff.institution(campaign, accepts=(*ALL_TYPES, "test", "brief")),
        )
    assert tab.complaints == []
    assert [url for url in tab.asked if url.startswith("http") and not url.startswith(street.address)] == []

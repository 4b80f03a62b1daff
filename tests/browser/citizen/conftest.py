"""The citizens' page on a phone: one origin and one browser for a module, a tab for each test."""

from collections.abc import AsyncIterator

import httpx
import pytest
from playwright.async_api import Browser
from pydantic import SecretStr

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.issuance.app import create_app as issuance
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.settings import Settings
from tests.support.browser import Tab
from tests.support.http import listening
from tests.support.messaging import FakeSms, serving_messages
from tests.support.thumbs import (
    a_phone,
    one_browser,
)


@pytest.fixture(scope="module")
def sms() -> FakeSms:
    return FakeSms()


@pytest.fixture(scope="module")
async def settings(settings: Settings, sms: FakeSms) -> AsyncIterator[Settings]:
    async with serving_messages(sms) as url:
        token = SecretStr(sms.token)
        yield settings.model_copy(
            update={"notice_sms": "on", "notice_sms_url": f"{url}/send", "notice_sms_token": token}
        )


@pytest.fixture(scope="module")
async def address(settings: Settings, clock: ManualClock) -> AsyncIterator[str]:
    apps = {
        "console": console(settings, clock=clock),
        "issuance": issuance(settings, clock=clock),
        "redemption": redemption(settings, clock=clock),
    }
    async with listening(OneOrigin(apps, rest="console")) as origin:
        yield origin


@pytest.fixture(scope="module")
async def browser() -> AsyncIterator[Browser]:
    async with one_browser() as opened_browser:
        yield opened_browser


@pytest.fixture
async def tab(browser: Browser) -> AsyncIterator[Tab]:
    async with a_phone(browser) as opened_tab:
        yield opened_tab


@pytest.fixture(scope="module")
async def client(address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=address) as opened_client:
        yield opened_client

"""The console's pages as a browser without scripts sees them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from services.console.app import create_app as console
from services.console.pages.routes import SESSION_COOKIE
from services.issuance.app import create_app as issuance
from services.quota.app import create_app as quota
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.settings import Settings
from tests.support.http import serving


@asynccontextmanager
async def console_with_quota(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """Both on one origin, as the launcher puts them together."""
    apps = {"console": console(settings, clock=clock), "quota": quota(settings, clock=clock)}
    async with serving(**apps) as client:
        yield client


@asynccontextmanager
async def whole_console(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """All services on one origin."""
    apps = {
        "console": console(settings, clock=clock),
        "issuance": issuance(settings, clock=clock),
        "redemption": redemption(settings, clock=clock),
        "quota": quota(settings, clock=clock),
    }
    async with serving(**apps) as client:
        yield client


def signed_in(client: httpx.AsyncClient, headers: dict[str, str]) -> httpx.AsyncClient:
    """The client with the session of these headers in its cookie."""
    token = headers["Authorization"].removeprefix("Bearer ")
    client.cookies.set(SESSION_COOKIE, token, path="/console")
    return client


def form_of(page: httpx.Response) -> dict[str, str]:
    """What every form of the page carries: whose it is, and its number."""
    found = {
        name: re.search(rf'name="{name}" value="([0-9a-f]+)"', page.text)
        for name in ("form_token", "request_no")
    }
    return {name: match[1] for name, match in found.items() if match}


def text_of(page: httpx.Response) -> str:
    """What is read on it, white space folded."""
    body = re.sub(r"<(script|style).*?</\1>", "", page.text, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>", " ", body).split())

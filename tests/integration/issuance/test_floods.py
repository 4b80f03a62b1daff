"""Limits per person, device and address, switched on: machines are slowed, a carrier's customers are not."""

from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI

from services.issuance.app import create_app
from shared import ratelimit
from shared.clock import ManualClock
from shared.http.client import DEVICE_HEADER
from shared.ids import new_id
from shared.kit import Kit
from shared.ratelimit import (
    ANYTHING_PER_ADDRESS,
    IDENTITY_PER_DEVICE,
    IDENTITY_PER_PERSON,
    SESSION_PER_ADDRESS,
    SESSION_PER_DEVICE,
    Limit,
)
from shared.settings import Settings
from tests.support.campaigns import open_campaign
from tests.support.citizens import Hands, fill_bank, new_person, request_no
from tests.support.http import serving


@pytest.fixture(scope="module")
def app(settings: Settings, clock: ManualClock) -> FastAPI:
    limited = settings.model_copy(update={"rate_limits": "on", "trusted_proxies": "127.0.0.0/8"})
    return create_app(limited, clock=clock)


@pytest.fixture(scope="module")
async def limited(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(issuance=app) as client:
        yield client


def from_address(address: str) -> dict[str, str]:
    return {"X-Forwarded-For": address}


def refused_for_now(answer: httpx.Response, limit: Limit) -> None:
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests"), answer.text
    assert 1 <= int(answer.headers["Retry-After"]) <= limit.seconds


async def sign_in(client: httpx.AsyncClient, address: str, device: str | None = None) -> httpx.Response:
    headers = from_address(address) | ({} if device is None else {DEVICE_HEADER: device})
    body = {"provider": "demo", "code": new_id().hex}
    return await client.post("/issuance/v1/sessions", json=body, headers=headers)


async def test_one_device_cannot_make_accounts_by_the_hundred(limited: httpx.AsyncClient) -> None:
    answers = [
        await sign_in(limited, f"203.0.113.{n}", "phone-of-one") for n in range(SESSION_PER_DEVICE.amount)
    ]
    assert {answer.status_code for answer in answers} == {201}
    refused_for_now(await sign_in(limited, "203.0.113.200", "phone-of-one"), SESSION_PER_DEVICE)
    assert (await sign_in(limited, "203.0.113.200", "phone-of-another")).status_code == 201
    # A name that no app makes is no device: it neither helps nor hurts.
    assert (await sign_in(limited, "203.0.113.200", "x")).status_code == 201


async def test_address_behind_our_proxy_counts_and_not_the_proxy(
    limited: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = replace(SESSION_PER_ADDRESS, scope="few", amount=3)
    monkeypatch.setattr("services.issuance.accounts.routes.SESSION_PER_ADDRESS", few)
    for _ in range(few.amount):
        assert (await sign_in(limited, "198.51.100.1")).status_code == 201
    refused_for_now(await sign_in(limited, "198.51.100.1"), few)
    # What it says of itself in front of what the proxy saw does not help it.
    refused_for_now(await sign_in(limited, "198.51.100.2, 198.51.100.1"), few)
    assert (await sign_in(limited, "198.51.100.2")).status_code == 201


async def test_id_numbers_cannot_be_tried_out(limited: httpx.AsyncClient, kit: Kit) -> None:
    async def bind(person_headers: dict[str, str], device: str) -> httpx.Response:
        body = {"name": "王小明", "id_type": "resident_id", "id_number": "1", "consent_version": "1"}
        headers = person_headers | {DEVICE_HEADER: device}
        return await limited.put("/issuance/v1/me/identity", json=body, headers=headers)

    one = await new_person(kit, verified=False)
    answers = [await bind(one.headers, f"device-{n:04}") for n in range(IDENTITY_PER_PERSON.amount)]
    assert {answer.json()["code"] for answer in answers} == {"id_number_invalid"}
    refused_for_now(await bind(one.headers, "device-9999"), IDENTITY_PER_PERSON)
    # A machine that takes a new account for each try has one device.
    people = [await new_person(kit, verified=False) for _ in range(IDENTITY_PER_DEVICE.amount + 1)]
    answers = [await bind(person.headers, "machine-1") for person in people]
    assert [answer.status_code for answer in answers] == [422] * IDENTITY_PER_DEVICE.amount + [429]


@pytest.mark.parametrize("name", ["ANYTHING_PER_PERSON", "ANYTHING_PER_DEVICE", "ANYTHING_PER_ADDRESS"])
async def test_every_kind_of_call_is_counted(
    name: str, kit: Kit, clock: ManualClock, limited: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = Limit(f"few-{name}", amount=4, seconds=60)
    monkeypatch.setattr(f"shared.http.client.{name}", few)
    campaign = await open_campaign(kit, clock)
    person = await new_person(kit)
    headers = person.headers | {DEVICE_HEADER: f"device-{name}"} | from_address("192.0.2.77")
    calls = [
        ("GET", "/me/vouchers", None),
        ("POST", f"/campaigns/{campaign.slug}/quiz-attempts", {"request_no": request_no()}),
        ("POST", f"/campaigns/{campaign.slug}/draws", {"request_no": request_no()}),
        ("POST", "/awards/00" + "0" * 32 + "/claim", {"request_no": request_no(), "voucher_type": "x"}),
    ]
    for method, path, body in calls:
        answer = await limited.request(method, f"/issuance/v1{path}", json=body, headers=headers)
        assert answer.status_code != 429, answer.text
    for method, path, body in calls:
        refused_for_now(await limited.request(method, f"/issuance/v1{path}", json=body, headers=headers), few)
    if name == "ANYTHING_PER_ADDRESS":
        stranger = from_address("192.0.2.77")
        for path in (f"/campaigns/{campaign.slug}", "/campaigns", f"/campaigns/{campaign.slug}/draw-audit"):
            refused_for_now(await limited.get(f"/issuance/v1{path}", headers=stranger), few)
        assert (await limited.get("/issuance/v1/campaigns", headers=from_address("192.0.2.78"))).is_success


async def test_hundreds_of_people_behind_one_address_take_part(
    kit: Kit, clock: ManualClock, limited: httpx.AsyncClient
) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign)
    for _ in range(120):
        person = await new_person(kit)
        person = replace(person, headers=person.headers | from_address("192.0.2.1"))
        assert (await Hands(limited, person).start(campaign.slug)).status_code == 201


async def test_limits_that_all_share_are_far_beyond_what_honest_people_do() -> None:
    carriers_rush_per_minute = 5_000 * 10
    assert carriers_rush_per_minute <= ANYTHING_PER_ADDRESS.amount
    assert ratelimit.SESSION_PER_ADDRESS.seconds == 60

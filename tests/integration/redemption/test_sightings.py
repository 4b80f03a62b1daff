"""When terminals were seen, how their clocks stand, what they run: written sparsely, shown to their own."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from services.redemption.app import create_app
from services.redemption.wiring import Wiring
from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.tills import Bureau, signed


@pytest.fixture
async def institution(staff: Bureau, campaign: CampaignRef) -> str:
    return await staff.institution(campaign)


@pytest.fixture(scope="module")
def app(settings: Settings, clock: ManualClock) -> FastAPI:
    return create_app(settings, clock=clock)


@pytest.fixture(scope="module")
async def http(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(redemption=app) as client:
        yield client


@pytest.fixture
def wiring(app: FastAPI) -> Wiring:
    found: Wiring = app.state.wiring
    return found


async def calls(till: TerminalClient, kit: Kit, *, ahead: int = 0) -> int:
    now = int(kit.clock.now().timestamp()) + ahead
    body = {"voucher": "x"}
    answer = await signed(till, till._http, "POST", "/redemptions/verify", body, kit=kit, timestamp=now)
    return answer.status_code


async def listed(staff: Bureau, institution: str, **filters: str) -> list[dict[str, Any]]:
    answer = await staff.get("/terminals", institution_id=institution, **filters)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def version_of_row(kit: Kit, till: TerminalClient) -> str:
    """Changes with every write to the terminal's row."""
    async with kit.database.snapshot() as tx:
        found = await tx.execute(
            text("SELECT xmin::text FROM redemption.terminal WHERE id = :id"), {"id": till.terminal_id}
        )
        return str(found.scalar_one())


async def test_seen_with_its_skew_and_once_a_minute_at_the_most(
    kit: Kit, clock: ManualClock, staff: Bureau, wiring: Wiring, institution: str
) -> None:
    till = await staff.till(institution)
    clock.advance(minutes=2)
    assert await calls(till, kit, ahead=42) == 200
    before = await version_of_row(kit, till)
    await wiring.sightings.flush()
    written = await version_of_row(kit, till)
    assert written != before
    (item,) = await listed(staff, institution)
    assert item["clock_skew_seconds"] in (41, 42)
    for _ in range(5):
        clock.advance(seconds=10)
        await calls(till, kit)
        await wiring.sightings.flush()
    assert await version_of_row(kit, till) == written
    clock.advance(seconds=10)
    await calls(till, kit)
    await wiring.sightings.flush()
    assert await version_of_row(kit, till) != written


async def test_clock_that_is_refused_is_told_but_not_as_seen(
    kit: Kit, clock: ManualClock, staff: Bureau, wiring: Wiring, institution: str
) -> None:
    till = await staff.till(institution)
    clock.advance(hours=1)
    assert await calls(till, kit, ahead=-900) == 401
    await wiring.sightings.flush()
    (item,) = await listed(staff, institution)
    assert item["clock_skew_seconds"] in (-900, -901)
    assert item["last_seen_at"] == item["activated_at"]


async def test_wrong_signature_is_no_sighting(
    kit: Kit, clock: ManualClock, staff: Bureau, wiring: Wiring, institution: str
) -> None:
    till = await staff.till(institution)
    clock.advance(hours=1)
    answer = await signed(till, till._http, "POST", "/redemptions/verify", {}, kit=kit, key="wrong")
    assert answer.status_code == 401
    await wiring.sightings.flush()
    (item,) = await listed(staff, institution)
    assert item["last_seen_at"] == item["activated_at"]


async def test_version_is_told_at_check_in_and_stays(kit: Kit, staff: Bureau, institution: str) -> None:
    till = await staff.till(institution)
    body = {"version": "pos 7.2.1"}
    assert (await signed(till, staff.http, "POST", "/terminals/check-in", body, kit=kit)).status_code == 200
    (item,) = await listed(staff, institution)
    assert item["version"] == "pos 7.2.1"
    bad = await signed(till, staff.http, "POST", "/terminals/check-in", {"version": "七"}, kit=kit)
    assert bad.status_code in (401, 422)


async def test_filters(kit: Kit, clock: ManualClock, staff: Bureau, wiring: Wiring, institution: str) -> None:
    quiet, busy = await staff.till(institution), await staff.till(institution)
    await staff.activation_code(institution)
    clock.advance(days=3)
    await calls(busy, kit, ahead=100)
    await wiring.sightings.flush()
    for filters, expected in (
        ({"silent_days": "3"}, {quiet.terminal_id}),
        ({"silent_days": "4"}, set()),
        ({"skew_seconds": "60"}, {busy.terminal_id}),
        ({"status": "active"}, {quiet.terminal_id, busy.terminal_id}),
    ):
        found = await listed(staff, institution, **filters)
        assert {one["terminal_id"] for one in found} == expected, filters
    assert len(await listed(staff, institution)) == 3
    pages = await staff.get("/terminals", institution_id=institution, limit="2")
    rest = await staff.get(
        "/terminals", institution_id=institution, limit="2", cursor=pages.json()["next_cursor"]
    )
    assert len(pages.json()["items"]) + len(rest.json()["items"]) == 3
    assert (await staff.get("/terminals", cursor="x")).status_code == 422


async def test_institution_sees_its_own_only(
    http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    await staff.till(institution)
    elsewhere = await staff.institution(campaign)
    await staff.till(elsewhere)
    own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=institution)
    path = "/redemption/v1/terminals"
    seen = (await http.get(path, headers=own)).json()["items"]
    assert {one["institution_id"] for one in seen} == {institution}
    foreign = await http.get(path, params={"institution_id": elsewhere}, headers=own)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "forbidden")
    hospital = await signed_in_staff(kit, Role.HOSPITAL, hospital_id="h")
    assert (await http.get(path, headers=hospital)).status_code == 403
    assert (await http.get(path)).status_code == 401

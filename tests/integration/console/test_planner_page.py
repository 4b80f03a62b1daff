"""The odds planner: a forecast with its bands, what is refused, and the way to a change."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import open_campaign
from tests.support.pages import signed_in, text_of, whole_console
from tests.support.people import signed_in_staff

PAGE = "/console/planner"


@dataclass(frozen=True, slots=True)
class Desk:
    client: httpx.AsyncClient
    slug: str


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    async with whole_console(settings, clock) as client:
        campaign = await open_campaign(kit, clock, slug=f"plan-{secrets.token_hex(4)}")
        yield Desk(signed_in(client, await signed_in_staff(kit, Role.OPERATOR)), campaign.slug)


async def test_a_plan_shows_its_bands_its_money_and_the_way_to_a_change(desk: Desk) -> None:
    query = {"campaign": desk.slug, "days": "5", "odds": "12.5", "pass_score": "60", "daily_attempts": "200"}
    page = await desk.client.get(PAGE, params=query)
    shown = text_of(page)
    assert page.status_code == 200, shown
    for fact in ("金额（元）", "用完预算所需中奖率", "5 天 · 模拟 2,000 次", "checkup券"):
        assert fact in shown, shown
    assert page.text.count('<svg class="bands"') == 4
    assert f"/console/campaigns/{desk.slug}/propose?phase=1&amp;odds=12.5" in page.text
    form = await desk.client.get(f"/console/campaigns/{desk.slug}/propose", params={"phase": 1, "odds": 12.5})
    assert 'name="odds" type="text" value="12.5"' in form.text


async def test_without_a_plan_it_is_what_is_in_force_and_says_what_is_missing(desk: Desk) -> None:
    page = await desk.client.get(PAGE, params={"campaign": desk.slug}, headers={"Accept-Language": "en"})
    assert 'name="odds" value="20"' in page.text
    assert "participation_unknown" in page.text
    whole = await desk.client.get(PAGE, params={"daily_attempts": "50"}, headers={"Accept-Language": "en"})
    assert "Odds to spend the budget" in whole.text


@pytest.mark.parametrize("typed", [{"odds": "0"}, {"odds": "x"}, {"days": "900"}, {"pass_score": "200"}])
async def test_a_plan_that_cannot_be_is_refused_with_what_was_typed(
    desk: Desk, typed: dict[str, str]
) -> None:
    page = await desk.client.get(PAGE, params={"campaign": desk.slug, **typed})
    ((name, value),) = typed.items()
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    assert f'name="{name}" value="{value}"' in page.text


async def test_who_may_not_change_sees_no_way_to_a_change(desk: Desk, kit: Kit) -> None:
    desk.client.cookies.clear()
    signed_in(desk.client, await signed_in_staff(kit, Role.AUDITOR))
    assert "/propose?" not in (await desk.client.get(PAGE, params={"campaign": desk.slug})).text
    assert (await desk.client.get(PAGE, params={"campaign": "unheard-of"})).status_code == 404
    assert (await desk.client.get(PAGE, params={"campaign": desk.slug, "phase": 9})).status_code == 404
    desk.client.cookies.clear()
    signed_in(desk.client, await signed_in_staff(kit, Role.HOSPITAL, hospital_id="none"))
    assert (await desk.client.get(PAGE)).status_code == 403

"""What a person's pages open with: what can be done today, and the draws so far."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.clock import CHINA, ManualClock, rfc3339
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands, fill_bank, give_chances, new_person, right_answers
from tests.support.desk import Desk

pytestmark = pytest.mark.usefixtures("clock_returns")


async def today(hands: Hands, campaign: Published) -> dict[str, Any]:
    answer = await hands.get(f"/me/today?campaign={campaign.slug}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def way(found: dict[str, Any], channel: str) -> tuple[int, int | None]:
    [one] = [one for one in found["ways"] if one["channel"] == channel]
    return one["done_today"], one["left_today"]


async def test_a_newcomer_sees_every_way_and_nothing_used(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock)
    found = await today(Hands(client, await new_person(kit, verified=False)), campaign)
    midnight = (clock.now().astimezone(CHINA) + timedelta(days=1)).date()
    assert found | {"ways": None, "as_of": None} == {
        "as_of": None,
        "campaign": campaign.slug,
        "phase": 1,
        "next_opens_at": None,
        "next_day_at": rfc3339(datetime(midnight.year, midnight.month, midnight.day, tzinfo=CHINA)),
        "identity_verified": False,
        "consent_withdrawn": False,
        "excluded": False,
        "excluded_note": None,
        "open_attempt": None,
        "chances": 0,
        "draws_left_today": 5,
        "vouchers_left": 2,
        "awards_open": 0,
        "ways": None,
    }
    assert found["ways"] == [
        {
            "channel": key,
            "name": name,
            "chances": 1,
            "review": False,
            "done_today": 0,
            "left_today": left,
        }
        for key, name, left in (("quiz", "网上答题", 3), ("event", "线下活动", 1))
    ]


async def test_a_day_of_a_person_is_counted_as_it_goes(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="1")
    await fill_bank(kit, campaign)
    hands = Hands(client, await new_person(kit))
    attempt = (await hands.start(campaign.slug)).json()
    found = await today(hands, campaign)
    assert (found["open_attempt"], way(found, "quiz")) == (attempt["attempt_id"], (1, 2))
    await hands.submit(attempt["attempt_id"], right_answers(attempt))
    found = await today(hands, campaign)
    assert (found["open_attempt"], found["chances"], found["vouchers_left"]) == (None, 1, 2)
    award = await hands.win(campaign.slug)
    found = await today(hands, campaign)
    assert [found[name] for name in ("chances", "draws_left_today", "vouchers_left", "awards_open")] == [
        0,
        4,
        1,
        1,
    ]
    assert (await hands.claim(award, "fitness")).status_code == 201
    found = await today(hands, campaign)
    assert (found["vouchers_left"], found["awards_open"]) == (1, 0)
    clock.advance(days=1)
    found = await today(hands, campaign)
    assert (found["draws_left_today"], way(found, "quiz")) == (5, (0, 3))


async def test_limits_that_are_reached_leave_nothing_and_refuse(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="1", limits={"vouchers_per_phase": 1, "draws_per_day": 2})
    hands = Hands(client, await new_person(kit))
    await give_chances(kit, hands.person, campaign, 3)
    await hands.win(campaign.slug)
    found = await today(hands, campaign)
    assert (found["draws_left_today"], found["vouchers_left"], found["chances"]) == (1, 0, 2)
    assert (await hands.draw(campaign.slug)).json()["code"] == "limit_reached"


async def test_between_phases_nothing_is_left_and_the_next_opening_is_told(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, phases=2, lasts=timedelta(days=2))
    hands = Hands(client, await new_person(kit))
    clock.advance(days=2)
    found = await today(hands, campaign)
    assert (found["phase"], found["draws_left_today"], found["vouchers_left"]) == (None, 0, 0)
    assert {one["left_today"] for one in found["ways"]} == {0}
    assert clock.now() < datetime.fromisoformat(found["next_opens_at"]) < campaign.closes_at
    clock.set(campaign.closes_at)
    assert (await today(hands, campaign))["next_opens_at"] is None


async def test_a_paused_campaign_has_no_open_phase(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock)
    hands = Hands(client, await new_person(kit))
    paused = f"/issuance/v1/campaigns/{campaign.slug}/pause"
    assert (await client.post(paused, json={"reason": "x"}, headers=desk.one)).status_code == 200
    assert (await today(hands, campaign))["phase"] is None


async def test_an_excluded_person_is_told_whom_to_ask(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock)
    hands = Hands(client, await new_person(kit))
    body = {
        "list": "staff",
        "person_id": str(hands.person.address),
        "reason": "工作人员",
        "appeal_note": "请致电 0873-0000000。",
    }
    place = f"/issuance/v1/campaigns/{campaign.slug}/exclusions"
    added = await client.post(place, json=body, headers=desk.one)
    assert added.status_code == 201, added.text
    found = await today(hands, campaign)
    assert (found["excluded"], found["excluded_note"]) == (True, "请致电 0873-0000000。")


async def test_own_draws_can_be_recomputed_and_nobody_elses_are_shown(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.5")
    hands, other = [Hands(client, await new_person(kit)) for _ in range(2)]
    proofs = []
    for number, one in enumerate((hands, hands, other)):
        await give_chances(kit, one.person, campaign)
        clock.advance(seconds=1)
        proofs.append((await one.draw(campaign.slug, client_seed=f"s{number}")).json())
    place = f"/me/draws?campaign={campaign.slug}"
    mine = (await hands.get(place)).json()
    assert [item["draw_id"] for item in mine["items"]] == [proofs[1]["draw_id"], proofs[0]["draw_id"]]
    for item, proof in zip(mine["items"], reversed(proofs[:2]), strict=True):
        assert {name: item[name] for name in proof["proof"]} == proof["proof"]
        assert (item["won"], item["phase"], item["channel"]) == (proof["won"], 1, "event")
    first = (await hands.get(f"{place}&limit=1")).json()
    rest = (await hands.get(f"{place}&cursor={first['next_cursor']}")).json()
    assert first["items"] + rest["items"] == mine["items"]


async def test_strangers_and_unknown_campaigns(client: httpx.AsyncClient, kit: Kit) -> None:
    hands = Hands(client, await new_person(kit))
    for path in ("/me/today", "/me/draws"):
        assert (await hands.get(f"{path}?campaign=nowhere")).status_code == 404
        assert (await hands.get(path)).status_code == 422
        answer = await client.get(f"/issuance/v1{path}", params={"campaign": "nowhere"})
        assert answer.status_code == 401

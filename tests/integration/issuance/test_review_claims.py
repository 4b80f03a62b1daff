"""Reviewers take what waits into hand; what is accepted is counted by what kind it is."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from shared.clock import ManualClock, rfc3339
from shared.identity.staff import Role
from shared.ids import HotId, new_id
from shared.kit import Kit
from tests.support.campaigns import Published
from tests.support.citizens import new_person
from tests.support.desk import Desk
from tests.support.people import signed_in_staff
from tests.support.ways import (
    LEAD,
    SHARE,
    Partaker,
    claimed,
    faults,
    figures,
    open_ways,
    queue,
    refused,
    reviewed,
)

pytestmark = pytest.mark.usefixtures("clock_returns")


@pytest.fixture
async def campaign(kit: Kit, clock: ManualClock) -> Published:
    return await open_ways(kit, clock, share={"per_day": 9}, lead={"per_day": 9})


@pytest.fixture
async def someone(client: httpx.AsyncClient, kit: Kit) -> Partaker:
    return Partaker(client, await new_person(kit))


async def reports(someone: Partaker, campaign: Published, count: int, category: str = "清垃圾") -> list[str]:
    leads = [LEAD | {"category": category, "place": f"红河路 {number} 号"} for number in range(count)]
    return [await someone.send(campaign.slug, "lead", lead) for lead in leads]


def ids(items: list[dict[str, object]]) -> list[object]:
    return [item["activity_id"] for item in items]


async def release(desk: Desk, activity_id: str) -> httpx.Response:
    return await desk.client.post(f"/issuance/v1/activities/{activity_id}/release", headers=desk.one)


async def test_reviewers_take_the_oldest_that_nobody_has_in_hand(
    someone: Partaker, desk: Desk, clock: ManualClock, campaign: Published
) -> None:
    sent = await reports(someone, campaign, 4)
    await someone.send(campaign.slug, "share", SHARE)
    mine = await claimed(desk, campaign=campaign.slug, channel="lead", limit=2)
    theirs = await claimed(desk, by=desk.other, campaign=campaign.slug, channel="lead", limit=9)
    assert (ids(mine), ids(theirs)) == (sent[:2], sent[2:])
    until = rfc3339(clock.now() + timedelta(minutes=15))
    assert {item["claim"]["expires_at"] for item in mine} == {until}
    assert ids(await queue(desk, campaign=campaign.slug, claim="mine")) == sent[2:]
    assert [item["channel"] for item in await queue(desk, campaign=campaign.slug, claim="free")] == ["share"]
    assert len(await queue(desk, campaign=campaign.slug)) == 5
    assert ids(await claimed(desk, campaign=campaign.slug, channel="lead", limit=9)) == sent[:2]


async def test_what_another_has_in_hand_is_decided_by_nobody_else_until_it_is_left(
    someone: Partaker, desk: Desk, clock: ManualClock, campaign: Published
) -> None:
    first, second, third = await reports(someone, campaign, 3)
    await claimed(desk, by=desk.other, campaign=campaign.slug)
    for activity in (first, second):
        refused(await reviewed(desk, activity), 409, "activity_claimed")
    given_back = await desk.client.post(f"/issuance/v1/activities/{first}/release", headers=desk.other)
    assert given_back.status_code == 204
    assert (await reviewed(desk, first)).status_code == 200
    assert (await release(desk, second)).status_code == 204
    refused(await reviewed(desk, second), 409, "activity_claimed")
    clock.advance(minutes=15)
    assert (await reviewed(desk, second)).status_code == 200
    refused(await reviewed(desk, second), 409, "already_decided")
    await claimed(desk, campaign=campaign.slug)
    assert (await reviewed(desk, third)).status_code == 200
    assert await claimed(desk, campaign=campaign.slug) == []


async def test_the_same_claim_again_is_the_same_activities(
    someone: Partaker, desk: Desk, campaign: Published
) -> None:
    await reports(someone, campaign, 3)
    first = await claimed(desk, campaign=campaign.slug, limit=1, request_no="c1")
    assert ids(await claimed(desk, campaign=campaign.slug, limit=1, request_no="c1")) == ids(first)


async def test_of_many_reviewers_at_once_no_two_take_the_same(
    someone: Partaker, kit: Kit, desk: Desk, campaign: Published
) -> None:
    sent = await reports(someone, campaign, 8)
    reviewers = [await signed_in_staff(kit, Role.OPERATOR) for _ in range(6)]
    taken = await asyncio.gather(
        *(claimed(desk, by=reviewer, campaign=campaign.slug, limit=2) for reviewer in reviewers)
    )
    seen = [activity for items in taken for activity in ids(items)]
    assert len(seen) == len(set(seen)) <= len(sent)
    left = await claimed(desk, campaign=campaign.slug, limit=9)
    assert {*seen, *ids(left)} == set(sent)


@pytest.mark.parametrize(("role", "status"), [(Role.AUDITOR, 403), (None, 401)])
async def test_only_those_who_decide_take_into_hand(
    desk: Desk, kit: Kit, role: Role | None, status: int
) -> None:
    sent = str(HotId(1, new_id()))
    headers = {} if role is None else await signed_in_staff(kit, role)
    answer = await desk.client.post("/issuance/v1/activities/claim", json={}, headers=headers)
    assert answer.status_code == status
    answer = await desk.client.post(f"/issuance/v1/activities/{sent}/release", headers=headers)
    assert answer.status_code == status


async def test_nothing_that_never_was_is_released(desk: Desk) -> None:
    refused(await release(desk, "nothing"), 404, "not_found")


async def test_verified_leads_are_counted_by_category_as_the_reviewer_says(
    someone: Partaker, desk: Desk, campaign: Published
) -> None:
    first, second, third = await reports(someone, campaign, 3)
    [other] = await reports(someone, campaign, 1, category=" 除四害 ")
    await reviewed(desk, first)
    await reviewed(desk, second, category="治污水")
    await reviewed(desk, third, "reject", note="重复")
    await reviewed(desk, other)
    url = f"/issuance/v1/metrics?campaign={campaign.slug}"
    found = (await desk.client.get(url, headers=desk.one)).json()
    assert found["leads_verified"] == {"清垃圾": 1, "治污水": 1, "除四害": 1}
    assert found["by_channel"]["lead"] == {
        "submitted": 4,
        "accepted": 3,
        "rejected": 1,
        "pending": 0,
        "chances": 6,
        "draws": 0,
        "wins": 0,
        "issued": 0,
    }
    assert (await figures(desk, campaign.slug))["lead"]["accepted"] == 3


async def test_only_a_lead_has_a_category_to_be_corrected(
    someone: Partaker, desk: Desk, campaign: Published
) -> None:
    sent = await someone.send(campaign.slug, "share", SHARE)
    assert faults(await reviewed(desk, sent, category="清垃圾")) == {
        ("body.category", "category_of_leads_only")
    }


async def test_shares_are_followed_registered_or_forwarded_and_counted_so(
    someone: Partaker, desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_ways(kit, clock, share={"per_day": None, "review": False})
    for kind in ("followed", "registered", "forwarded", "followed"):
        await someone.send(campaign.slug, "share", SHARE | {"kind": kind})
    await someone.send(campaign.slug, "share", SHARE)
    wrong = await someone.take_part(campaign.slug, "share", SHARE | {"kind": "liked"})
    refused(wrong, 422, "invalid_request")
    url = f"/issuance/v1/metrics?campaign={campaign.slug}"
    found = (await desk.client.get(url, headers=desk.one)).json()
    assert found["shares_accepted"] == {"followed": 2, "forwarded": 2, "registered": 1}
    kinds = [
        item["evidence"].get("kind") for item in await queue(desk, campaign=campaign.slug, status="accepted")
    ]
    assert sorted(kind or "as sent" for kind in kinds) == [
        "as sent", "as sent", "followed", "followed", "registered",
    ]  # fmt: skip


async def test_people_who_follow_the_same_account_are_no_duplicates(
    client: httpx.AsyncClient, someone: Partaker, desk: Desk, kit: Kit, campaign: Published
) -> None:
    other = Partaker(client, await new_person(kit))
    followed = {"kind": "followed", "url": "https://weibo.com/health"}
    await someone.send(campaign.slug, "share", followed | {"text": "昵称是春天的小河"})
    await other.send(campaign.slug, "share", followed | {"text": "我叫东方不败一九八四"})
    assert [item["duplicate_hints"] for item in await queue(desk, campaign=campaign.slug)] == [[], []]

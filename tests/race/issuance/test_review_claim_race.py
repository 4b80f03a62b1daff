"""Reviewers on two instances take what waits at the same moment: nobody gets what another has in hand."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.ids import new_id, parse_hot_id
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import Published
from tests.support.citizens import new_person
from tests.support.gates import race_at
from tests.support.held import rows
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.ways import LEAD, Partaker, open_ways

URL = "/issuance/v1/activities/claim"


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with (
        serving(issuance=create_app(settings, clock=clock)) as one,
        serving(issuance=create_app(settings, clock=clock)) as other,
    ):
        yield [one, other]


async def reports(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, count: int
) -> tuple[Published, list[str]]:
    campaign = await open_ways(kit, clock, lead={"per_day": 9})
    someone = Partaker(client, await new_person(kit))
    leads = [LEAD | {"place": f"红河路 {number} 号"} for number in range(count)]
    return campaign, [await someone.send(campaign.slug, "lead", lead) for lead in leads]


async def take(
    client: httpx.AsyncClient, headers: dict[str, str], campaign: Published, limit: int
) -> list[str]:
    body = {"campaign": campaign.slug, "limit": limit}
    answer = await client.post(URL, json=body, headers=headers)
    assert answer.status_code in {200, 201}, answer.text
    return [item["activity_id"] for item in answer.json()["items"]]


async def test_many_reviewers_on_two_instances_share_what_waits_without_overlap(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    reviewers = [await signed_in_staff(kit, Role.OPERATOR) for _ in range(8)]
    for _ in range(4):
        campaign, sent = await reports(clients[0], kit, clock, 8)
        taken = await asyncio.gather(
            *(take(clients[n % 2], reviewer, campaign, 3) for n, reviewer in enumerate(reviewers))
        )
        seen = [activity for items in taken for activity in items]
        assert len(seen) == len(set(seen)) <= len(sent)


async def test_what_was_taken_after_a_look_and_before_the_grip_stays_with_who_took_it(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    """Both reviewers see the report free and wait at its claim, which somebody else is making."""
    campaign, [activity] = await reports(clients[0], kit, clock, 1)
    address, owner = parse_hot_id(activity), new_id()
    reviewers = [await signed_in_staff(kit, Role.OPERATOR) for _ in range(2)]
    outcomes = await race_at(
        kit,
        "INSERT INTO issuance.activity_claim (bucket, activity_id, staff_id, expires_at)"
        " VALUES ($1, $2, $3, $4)",
        address.bucket,
        address.uuid,
        owner,
        clock.now().replace(year=2100),
        racers=[take(clients[0], reviewers[0], campaign, 1)],
    )
    assert outcomes == [[]]
    assert await take(clients[1], reviewers[1], campaign, 1) == []
    sql = "SELECT staff_id FROM issuance.activity_claim WHERE bucket = :bucket AND activity_id = :id"
    [row] = await rows(kit, sql, bucket=address.bucket, id=address.uuid)
    assert row.staff_id == owner

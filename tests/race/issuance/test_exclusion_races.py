"""Somebody is excluded while drawing, at two processes: what was drawn stays, nothing comes after."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import update

from bench.simulator.persons import resident_id
from services.issuance.activities.store import lock_turn
from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.identity.persons import IDENTITY_DOMAIN
from shared.identity.staff import Role
from shared.identity.tables import PersonIdentityRow
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import open_campaign
from tests.support.citizens import Hands, give_chances, new_person
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.ways import rows

DRAWS = 8


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with (
        serving(issuance=create_app(settings, clock=clock)) as one,
        serving(issuance=create_app(settings, clock=clock)) as other,
    ):
        yield [one, other]


async def _exclude_then_draw(
    client: httpx.AsyncClient, staff: dict[str, str], slug: str, hands: Hands
) -> httpx.Response:
    """A draw that comes after the answer to the entry."""
    body = {"list": "blocked", "reason": "测试", "person_id": str(hands.person.address)}
    answer = await client.post(f"/issuance/v1/campaigns/{slug}/exclusions", json=body, headers=staff)
    assert answer.status_code == 201, answer.text
    return await hands.draw(slug)


async def test_nothing_is_drawn_after_the_entry_was_answered(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(
        kit,
        clock,
        odds="1",
        limits={"draws_per_day": 1000, "vouchers_per_phase": 1000},
        stock={"fitness": 500},
    )
    staff = await signed_in_staff(kit, Role.OPERATOR)
    met = 0
    for _ in range(5):
        person = await new_person(kit)
        await give_chances(kit, person, campaign, DRAWS + 2)
        hands = [Hands(client, person) for client in clients]

        *drawn, late = await asyncio.gather(
            *(hands[number % 2].draw(campaign.slug) for number in range(DRAWS)),
            _exclude_then_draw(clients[1], staff, campaign.slug, hands[0]),
        )
        assert late.status_code == 403
        assert {answer.status_code for answer in drawn} <= {201, 403}
        made = sum(answer.status_code == 201 for answer in drawn)
        met += 0 < made < DRAWS
        [[stored]] = await rows(
            kit, "SELECT count(*) FROM issuance.draw WHERE person_id = :id", id=person.address.uuid
        )
        assert stored == made
    assert met, "the entry met none of the draws: the test shows nothing"
    assert (await recompute(kit)).ok


async def test_two_clerks_exclude_one_person_once(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(kit, clock)
    staff = [await signed_in_staff(kit, Role.OPERATOR) for _ in clients]
    for serial in range(3):
        body = {"list": "staff", "reason": "职工", "id_number": resident_id(7000 + serial)}
        answers = await asyncio.gather(
            *(
                client.post(f"/issuance/v1/campaigns/{campaign.slug}/exclusions", json=body, headers=headers)
                for client, headers in zip(clients * 3, staff * 3, strict=True)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5


async def test_entry_waits_for_a_draw_that_is_under_way(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    """Else the draw would be answered after the entry, and seem to have been made in spite of it."""
    campaign = await open_campaign(kit, clock)
    staff, number = await signed_in_staff(kit, Role.OPERATOR), resident_id(7100)
    person, known = await new_person(kit), await new_person(kit)
    async with kit.database.transaction() as tx:
        await tx.execute(
            update(PersonIdentityRow)
            .where(PersonIdentityRow.person_id == known.address.uuid)
            .values(identity_hash=kit.keys.index.digest(IDENTITY_DOMAIN, number))
        )
    for drawing, body in ((person, {"person_id": str(person.address)}), (known, {"id_number": number})):
        async with kit.database.transaction() as tx:
            await lock_turn(tx, drawing.address, campaign.id)
            adding = asyncio.create_task(
                clients[0].post(
                    f"/issuance/v1/campaigns/{campaign.slug}/exclusions",
                    json={"list": "blocked", "reason": "测试"} | body,
                    headers=staff,
                )
            )
            done, _ = await asyncio.wait({adding}, timeout=0.5)
            assert not done
        assert (await adding).status_code == 201

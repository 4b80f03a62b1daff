"""Where awards are claimed is noted for campaigns that ask for it: keyed, only the holder's, not for long."""

from dataclasses import replace
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.http.client import DEVICE_HEADER
from shared.kit import Kit
from shared.origins import KEPT_FOR
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Hands
from tests.support.holds import somebody
from tests.support.lives import lived
from tests.support.ways import rows

_OF = "SELECT * FROM core.voucher_origin WHERE campaign_id = :id ORDER BY source_id"


@pytest.fixture(scope="module")
async def town(kit: Kit, clock: ManualClock) -> dict[str, Published]:
    """Campaigns that were there before anybody claimed: what a process keeps in mind of them is right."""
    risks: dict[str, dict[str, object] | None] = {
        "noting": {"note_claims": True},
        "another": {"note_claims": True},
        "holding": {"hold_when": {"persons_per_device": 9}},
        "plain": None,
    }
    return {
        name: await open_campaign(kit, clock, odds="1", **({} if risk is None else {"risk": risk}))
        for name, risk in risks.items()
    }


async def noted(kit: Kit, campaign: Published, *people: Hands) -> list[Any]:
    """What is known of these people's claims."""
    found = await rows(kit, _OF, id=campaign.id)
    return [row for row in found if row.person_id in {one.person.address.uuid for one in people}]


async def claimed(
    client: httpx.AsyncClient, kit: Kit, campaign: Published, device: str | None = "phone-claims-1"
) -> Hands:
    hands = await somebody(client, kit, campaign, device=device)
    done = await hands.claim(await hands.win(campaign.slug), "fitness")
    assert done.status_code == 201, done.text
    return hands


async def test_a_claim_is_noted_by_keyed_hashes_that_say_nothing(
    client: httpx.AsyncClient, kit: Kit, town: dict[str, Published]
) -> None:
    campaign = town["noting"]
    one, other = [await claimed(client, kit, campaign) for _ in range(2)]
    found = await noted(kit, campaign, one, other)
    assert len(found) == 2
    assert len({bytes(row.device_hash) for row in found}) == 1
    assert len({bytes(row.address_hash) for row in found}) == 1
    assert b"phone" not in bytes(found[0].device_hash)
    joined = (
        "SELECT count(*) FROM core.voucher v JOIN core.voucher_origin o"
        " ON o.bucket = v.bucket AND o.source_id = v.source_id WHERE v.person_id = :id"
    )
    assert (await rows(kit, joined, id=one.person.address.uuid))[0][0] == 1


async def test_nothing_is_noted_unless_the_definition_asks_for_it(
    client: httpx.AsyncClient, kit: Kit, town: dict[str, Published]
) -> None:
    for name in ("plain", "holding"):
        await claimed(client, kit, town[name])
        assert await rows(kit, _OF, id=town[name].id) == []


async def test_noting_claims_holds_no_win_and_notes_no_visit(
    client: httpx.AsyncClient, kit: Kit, town: dict[str, Published]
) -> None:
    for _ in range(3):
        await claimed(client, kit, town["noting"])
    seen = "SELECT count(*) FROM issuance.sighting WHERE campaign_id = :id"
    assert (await rows(kit, seen, id=town["noting"].id))[0][0] == 0


async def test_nobody_notes_for_somebody_elses_award(
    client: httpx.AsyncClient, kit: Kit, town: dict[str, Published]
) -> None:
    campaign = town["noting"]
    winner = await somebody(client, kit, campaign, device="phone-winner")
    thief = await somebody(client, kit, campaign, device="phone-thief1")
    award = await winner.win(campaign.slug)
    for wrong in (award, "no-award", "0" * 32):
        assert (await thief.claim(wrong, "fitness")).status_code == 404
    assert await noted(kit, campaign, winner, thief) == []
    assert (await winner.claim(award, "fitness")).status_code == 201
    before = await noted(kit, campaign, winner)
    assert len(before) == 1
    # Repeated from another device: what was noted first stays.
    moved = Hands(
        client, replace(winner.person, headers=winner.person.headers | {DEVICE_HEADER: "phone-second"})
    )
    await moved.claim(award, "fitness")
    assert await noted(kit, campaign, winner) == before


async def test_it_is_told_in_the_export_and_goes_with_its_person(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, town: dict[str, Published]
) -> None:
    life = await lived(client, kit, clock)
    person = life.hands.person.address
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("""
                SELECT core.note_origins(
                    ARRAY[CAST(:bucket AS smallint)], ARRAY[gen_random_uuid()],
                    ARRAY[CAST(:campaign AS uuid)],
                    ARRAY[CAST(:person AS uuid)], ARRAY[decode(md5('d'), 'hex')], ARRAY[NULL::bytea],
                    ARRAY[CAST(:day AS date)])
            """),
            {
                "bucket": person.bucket,
                "campaign": town["noting"].id,
                "person": person.uuid,
                "day": clock.now().date(),
            },
        )
    told = (await life.hands.get("/me/export")).json()["sightings"]
    assert {
        "campaign": town["noting"].slug,
        "kind": "claim",
        "seen_on": clock.now().date().isoformat(),
    } in told
    assert (await life.erase()).status_code == 200
    assert await noted(kit, town["noting"], life.hands) == []


async def test_nothing_is_noted_of_who_was_forgotten(
    client: httpx.AsyncClient, kit: Kit, town: dict[str, Published]
) -> None:
    hands = await somebody(client, kit, town["noting"], device="phone-forgotten")
    award = await hands.win(town["noting"].slug)
    assert (await client.delete("/issuance/v1/me", headers=hands.person.headers)).status_code == 200
    assert (await hands.claim(award, "fitness")).status_code != 201
    assert await noted(kit, town["noting"], hands) == []


async def test_the_same_device_is_another_one_elsewhere_and_an_address_on_another_day(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, town: dict[str, Published]
) -> None:
    one = await claimed(client, kit, town["noting"])
    clock.advance(days=1)
    other, third = await claimed(client, kit, town["noting"]), await claimed(client, kit, town["another"])
    first = await noted(kit, town["noting"], one, other)
    second = await noted(kit, town["another"], third)
    assert len({bytes(row.device_hash) for row in first}) == 1
    assert len({bytes(row.address_hash) for row in first}) == 2
    assert bytes(second[0].device_hash) != bytes(first[0].device_hash)


async def test_it_is_forgotten_after_sixty_days(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, town: dict[str, Published]
) -> None:
    await claimed(client, kit, town["another"])
    origins = build(kit).origins
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("UPDATE core.voucher_origin SET claimed_on = :day"), {"day": clock.now().date() - KEPT_FOR}
        )
    await origins.forget()
    assert await rows(kit, _OF, id=town["another"].id) != []
    clock.advance(days=1)
    await origins.forget()
    await origins.forget()
    assert await rows(kit, "SELECT 1 FROM core.voucher_origin") == []

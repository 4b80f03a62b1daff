"""Draws over HTTP: their value, what they spend and give, and everything that they say no to."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.issuance.campaigns.rules import seed_context, threshold_of
from services.issuance.lottery.rules import draw_value, is_won, message_prefix
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.ids import HotId, new_id, parse_hot_id
from shared.kit import Kit
from shared.metrics import store as metrics
from tests.support.campaigns import open_campaign, publish_campaign
from tests.support.citizens import Hands, Person, give_chances, new_person
from tests.support.desk import Desk

pytestmark = pytest.mark.usefixtures("clock_returns")


@pytest.fixture
async def person(kit: Kit) -> Person:
    return await new_person(kit)


@pytest.fixture
def hands(client: httpx.AsyncClient, person: Person) -> Hands:
    return Hands(client, person)


async def seed_of(kit: Kit, phase: UUID) -> bytes:
    async with kit.database.snapshot() as tx:
        sealed = await tx.execute(
            text("SELECT seed_sealed FROM issuance.phase WHERE id = :id"), {"id": phase}
        )
        return kit.keys.sealer.open(sealed.scalar_one(), context=seed_context(phase))


async def one_row(kit: Kit, sql: str, **values: object) -> tuple[Any, ...]:
    async with kit.database.transaction() as tx:
        return tuple((await tx.execute(text(sql), values)).one())


async def run(kit: Kit, sql: str, **values: object) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text(sql), values)


async def left_to_award(kit: Kit, phase: UUID) -> int:
    [left] = await one_row(
        kit, "SELECT left_to_award FROM issuance.award_pool WHERE phase_id = :id", id=phase
    )
    return int(left)


def refused(answer: httpx.Response, status: int, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


@pytest.mark.parametrize("client_seed", [None, "", "c1", "honghe/1/", "红河 🎲", "x" * 64])
async def test_a_draw_is_what_anybody_can_recompute_from_its_proof_and_the_seed(
    hands: Hands, kit: Kit, clock: ManualClock, client_seed: str | None
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.5")
    await give_chances(kit, hands.person, campaign)
    drawn = await hands.draw(campaign.slug, client_seed=client_seed)
    assert drawn.status_code == 201
    told, proof = drawn.json(), drawn.json()["proof"]
    seed = await seed_of(kit, campaign.phases[0])
    value = draw_value(seed, message_prefix(campaign.slug, 1), proof["chance_id"], client_seed or "")
    assert (proof["value"], proof["client_seed"], proof["odds"]) == (value.hex(), client_seed or "", "0.5")
    assert told["won"] == is_won(value, threshold_of(500_000))
    assert (told["award"] is not None) == told["won"]


async def test_values_in_sql_are_those_of_the_reference_for_every_odds(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(
        kit, clock, odds="0.25", limits={"draws_per_day": 100, "vouchers_per_phase": 100}
    )
    seed = await seed_of(kit, campaign.phases[0])
    wins = 0
    for _ in range(4):
        hands = Hands(client, await new_person(kit))
        await give_chances(kit, hands.person, campaign, 20)
        for number in range(20):
            told = (await hands.draw(campaign.slug, client_seed=str(number))).json()
            proof = told["proof"]
            value = draw_value(seed, message_prefix(campaign.slug, 1), proof["chance_id"], str(number))
            assert (proof["value"], told["won"]) == (value.hex(), is_won(value, threshold_of(250_000)))
            wins += told["won"]
    assert await left_to_award(kit, campaign.phases[0]) == 100 - wins
    async with kit.database.snapshot() as tx:
        figures = await metrics.figures(tx, [campaign.id], ["draw"])
    assert {(figure.dim, figure.dim2): figure.n for figure in figures} == {
        ("won", "event"): wins,
        ("lost", "event"): 80 - wins,
    }


@pytest.mark.parametrize(("above", "won"), [(0, False), (1, True)])
async def test_a_value_at_the_threshold_loses_and_one_just_below_wins(
    hands: Hands, kit: Kit, clock: ManualClock, above: int, *, won: bool
) -> None:
    campaign = await open_campaign(kit, clock)
    [chance] = await give_chances(kit, hands.person, campaign)
    seed, chance_id = await seed_of(kit, campaign.phases[0]), str(HotId(hands.person.address.bucket, chance))
    value = draw_value(seed, message_prefix(campaign.slug, 1), chance_id, "")
    threshold = (int.from_bytes(value[:8], "big") + above).to_bytes(8, "big")
    change = "UPDATE issuance.odds_version SET threshold = :threshold WHERE phase_id = :id"
    await run(kit, change, threshold=threshold, id=campaign.phases[0])
    assert (await hands.draw(campaign.slug)).json()["won"] is won


async def test_the_database_writes_an_address_as_we_do(kit: Kit) -> None:
    for bucket in (0, 1, 31, 32, 511, 1023):
        address = HotId(bucket, new_id())
        [told] = await one_row(
            kit, "SELECT core.hot_id_text(CAST(:bucket AS smallint), :id)", bucket=bucket, id=address.uuid
        )
        assert told == str(address)


async def test_the_oldest_chance_is_spent_first_whatever_its_channel(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.000001")
    granted = []
    for channel in ("event", "quiz", "event"):
        granted += await give_chances(kit, hands.person, campaign, channel=channel)
        clock.advance(seconds=1)
    spent = [
        parse_hot_id((await hands.draw(campaign.slug)).json()["proof"]["chance_id"]).uuid for _ in range(3)
    ]
    assert spent == granted
    listed = (await hands.get("/me/chances")).json()
    assert (listed["available"], {item["state"] for item in listed["items"]}) == (0, {"drawn"})


async def test_refusals_come_in_their_order_and_keep_the_chance(
    client: httpx.AsyncClient, hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await publish_campaign(
        kit, odds="1", stock={"fitness": 1}, phases=2, limits={"draws_per_day": 1, "vouchers_per_phase": 1},
        lasts=timedelta(days=1),
    )  # fmt: skip
    unknown = Hands(client, await new_person(kit, verified=False))
    slug = campaign.slug
    set_status = "UPDATE core.campaign SET status = :status WHERE id = :id"
    await run(kit, set_status, id=campaign.id, status="paused")

    refused(await unknown.draw("no-such-campaign"), 404, "not_found")
    refused(await unknown.draw(slug), 409, "phase_not_open")
    clock.set(campaign.opens_at)
    refused(await unknown.draw(slug), 409, "campaign_paused")
    await run(kit, set_status, id=campaign.id, status="published")
    refused(await unknown.draw(slug), 403, "identity_required")
    refused(await hands.draw(slug, "r1"), 409, "no_chance")
    await give_chances(kit, hands.person, campaign, 3)
    won = await hands.draw(slug, "r1")
    assert won.status_code == 201
    refused(await hands.draw(slug, "r2"), 409, "limit_reached")  # a draw a day, a voucher a phase
    clock.advance(hours=15)
    refused(await hands.draw(slug, "r2"), 409, "limit_reached")  # the open award of the phase
    late = Hands(client, await new_person(kit))
    await give_chances(kit, late.person, campaign)
    refused(await late.draw(slug, "r2"), 409, "awards_exhausted")
    clock.set(campaign.opens_at + timedelta(days=1))
    refused(await hands.draw(slug, "r2"), 409, "phase_not_open")

    assert (await hands.get(f"/me/chances?campaign={slug}")).json()["available"] == 2
    assert (await late.get(f"/me/chances?campaign={slug}")).json()["available"] == 1
    [requests] = await one_row(
        kit, "SELECT count(*) FROM core.request WHERE caller_id = :id", id=hands.person.address.uuid
    )
    assert requests == 1

    clock.set(campaign.closes_at - timedelta(days=1))  # the second phase: its own limit, stock and draws
    again = await hands.draw(slug, "r2")
    assert (again.status_code, again.json()["won"]) == (201, True)
    assert again.json()["proof"]["seed_commitment"] != won.json()["proof"]["seed_commitment"]


async def test_when_nothing_is_left_also_a_draw_that_would_lose_is_refused(
    client: httpx.AsyncClient, hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="1", stock={"fitness": 1})
    loser = Hands(client, await new_person(kit))
    for each in (hands, loser):
        await give_chances(kit, each.person, campaign)
    await hands.win(campaign.slug)
    hopeless = "UPDATE issuance.odds_version SET odds_ppm = 1, threshold = :threshold WHERE phase_id = :id"
    await run(kit, hopeless, threshold=threshold_of(1), id=campaign.phases[0])
    # So the refusal tells nothing about the value, and the chance keeps its worth.
    refused(await loser.draw(campaign.slug), 409, "awards_exhausted")


async def test_an_erased_person_draws_no_more(hands: Hands, kit: Kit, clock: ManualClock) -> None:
    campaign = await open_campaign(kit, clock)
    await give_chances(kit, hands.person, campaign)
    await run(
        kit, "UPDATE core.person SET erased_at = created_at WHERE id = :id", id=hands.person.address.uuid
    )
    refused(await hands.draw(campaign.slug), 403, "identity_required")


async def test_draws_of_a_day_end_at_midnight_of_the_campaign(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.000001", limits={"draws_per_day": 2})
    await give_chances(kit, hands.person, campaign, 5)
    clock.set(campaign.opens_at.replace(hour=15, minute=59, second=59))
    for _ in range(2):
        assert (await hands.draw(campaign.slug)).status_code == 201
    refused(await hands.draw(campaign.slug), 409, "limit_reached")
    clock.advance(seconds=1)
    assert (await hands.draw(campaign.slug)).status_code == 201


async def test_a_repeated_draw_is_answered_the_same_also_after_the_phase(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="1")
    await give_chances(kit, hands.person, campaign, 3)
    first = await hands.draw(campaign.slug, "r1", "mine")
    again = await hands.draw(campaign.slug, "r1", "mine")
    clock.set(campaign.closes_at + timedelta(days=1))
    later = await hands.draw(campaign.slug, "r1", "mine")
    for answer in (again, later):
        assert (answer.status_code, answer.headers["idempotent-replay"]) == (200, "true")
        assert answer.json() == first.json()
    refused(await hands.draw(campaign.slug, "r1", "another"), 409, "request_no_reused")
    refused(await hands.draw(campaign.slug, "r1"), 409, "request_no_reused")
    assert (await hands.get("/me/chances")).json()["available"] == 2


async def test_an_omitted_seed_and_an_empty_one_are_the_same_body(
    hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock)
    await give_chances(kit, hands.person, campaign, 2)
    first, again = await hands.draw(campaign.slug, "r1"), await hands.draw(campaign.slug, "r1", "")
    assert (first.status_code, again.status_code) == (201, 200)


async def test_new_odds_touch_no_draw_that_was_made(
    hands: Hands, desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.000001")
    await give_chances(kit, hands.person, campaign, 2)
    lost = await hands.draw(campaign.slug, "r1")
    clock.advance(seconds=30)
    url = f"/issuance/v1/campaigns/{campaign.slug}/phases/1/odds"
    assert (await desk.approve(await desk.propose(url, {"odds": 1, "reason": "提高概率"}))).status_code == 200
    won = (await hands.draw(campaign.slug)).json()
    assert (won["won"], won["proof"]["odds"]) == (True, "1")
    again = await hands.draw(campaign.slug, "r1")
    assert again.json() == lost.json()
    assert again.json()["proof"]["odds"] == "0.000001"


async def test_an_award_that_nobody_claims_in_time_goes_to_the_next_winner(
    client: httpx.AsyncClient, hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    limits = {"vouchers_per_phase": 1}
    campaign = await open_campaign(kit, clock, odds="1", stock={"fitness": 1}, limits=limits)
    next_one = Hands(client, await new_person(kit))
    for each in (hands, next_one):
        await give_chances(kit, each.person, campaign, 2)
    award = await hands.win(campaign.slug)
    refused(await next_one.draw(campaign.slug), 409, "awards_exhausted")
    clock.advance(days=3)
    # Its holder sees at once that it is over; until the job has come it holds up the pool.
    [listed] = (await hands.get("/me/awards")).json()["items"]
    assert (listed["id"], listed["state"]) == (award, "expired")
    refused(await next_one.draw(campaign.slug), 409, "awards_exhausted")
    assert await build(kit).lottery.expire_awards() >= 1
    assert await build(kit).lottery.expire_awards() == 0
    assert await left_to_award(kit, campaign.phases[0]) == 1
    await next_one.win(campaign.slug)
    # The limit counts what can still become a voucher, so the first one may win again.
    refused(await hands.draw(campaign.slug), 409, "awards_exhausted")


async def test_lists_are_paged_newest_first_and_show_only_ones_own(
    client: httpx.AsyncClient, hands: Hands, kit: Kit, clock: ManualClock
) -> None:
    one = await open_campaign(kit, clock, odds="1", limits={"vouchers_per_phase": 5})
    other = await open_campaign(kit, clock, odds="1")
    await give_chances(kit, hands.person, other)
    for _ in range(5):
        await give_chances(kit, hands.person, one)
        clock.advance(seconds=1)
    await give_chances(kit, (stranger := await new_person(kit)), one)
    awards = [await hands.win(one.slug) for _ in range(3)]

    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = (await hands.get(f"/me/chances?campaign={one.slug}&limit=2{cursor}")).json()
        assert page["available"] == 2
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert [item["granted_at"] for item in found] == sorted((i["granted_at"] for i in found), reverse=True)
    assert len({item["id"] for item in found}) == len(found) == 5
    assert (await hands.get("/me/chances")).json()["available"] == 3
    listed = (await hands.get(f"/me/awards?campaign={one.slug}&limit=2")).json()
    rest = (await hands.get(f"/me/awards?campaign={one.slug}&limit=2&cursor={listed['next_cursor']}")).json()
    assert {item["id"] for item in [*listed["items"], *rest["items"]]} == set(awards)
    assert (await Hands(client, stranger).get("/me/awards")).json()["items"] == []
    for path in ("/me/chances", "/me/awards"):
        refused(await hands.get(f"{path}?campaign=no-such-campaign"), 404, "not_found")
        refused(await hands.get(f"{path}?cursor=x"), 422, "invalid_request")
        refused(await hands.get(f"{path}?limit=201"), 422, "invalid_request")
        refused(await client.get(f"/issuance/v1{path}"), 401, "unauthenticated")


async def test_a_draw_needs_a_citizen_and_a_sound_body(
    client: httpx.AsyncClient, hands: Hands, desk: Desk
) -> None:
    url = "/issuance/v1/campaigns/any/draws"
    for headers in ({}, desk.one):
        refused(await client.post(url, json={"request_no": "r1"}, headers=headers), 401, "unauthenticated")
    for body in (
        {},
        {"request_no": "r1", "client_seed": "x" * 65},
        {"request_no": "r1", "client_seed": "a\nb"},
        {"request_no": "r1", "client_seed": None},
        {"request_no": "r1", "odds": 1},
    ):
        refused(await client.post(url, json=body, headers=hands.person.headers), 422, "invalid_request")


async def test_a_phase_whose_seed_is_public_draws_no_more(hands: Hands, kit: Kit, clock: ManualClock) -> None:
    campaign = await open_campaign(kit, clock)
    await give_chances(kit, hands.person, campaign)
    reveal = "UPDATE issuance.phase SET seed_revealed = repeat('0', 64) WHERE id = :id"
    await run(kit, reveal, id=campaign.phases[0])
    refused(await hands.draw(campaign.slug), 409, "phase_not_open")

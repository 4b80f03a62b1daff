"""A campaign is proposed by one and published by another; until then it does not exist."""

import hashlib
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.issuance.campaigns.rules import seed_context
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from tests.support.campaigns import definition, publish_campaign
from tests.support.desk import Desk
from tests.support.people import signed_in_staff

CAMPAIGNS = "/issuance/v1/campaigns"


async def rows(kit: Kit, statement: str, **values: object) -> list[Any]:
    async with kit.database.snapshot() as tx:
        return list(await tx.execute(text(statement), values))


async def test_a_pending_campaign_does_not_exist_and_an_approved_one_does(
    desk: Desk, clock: ManualClock
) -> None:
    body = definition(clock.now(), slug="pending", phases=2)
    change = await desk.propose(CAMPAIGNS, body)
    missing = await desk.client.get(f"{CAMPAIGNS}/pending")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    own = await desk.client.post(
        f"/issuance/v1/changes/{change.json()['change_id']}/approve", json={}, headers=desk.one
    )
    assert (own.status_code, own.json()["code"]) == (403, "same_person")

    assert (await desk.approve(change)).json()["status"] == "applied"
    seen = (await desk.client.get(f"{CAMPAIGNS}/pending")).json()
    assert seen["slug"] == "pending"
    assert seen["status"] == "published"
    assert [channel["key"] for channel in seen["channels"]] == ["quiz", "event"]
    assert [phase["state"] for phase in seen["phases"]] == ["upcoming", "upcoming"]
    assert seen["phases"][0]["odds"] == "0.2"
    assert seen["phases"][0]["opens_at"] == body["phases"][0]["opens_at"]
    assert seen["phases"][0]["stock_remaining"] == body["phases"][0]["stock"]
    again = await desk.approve(change)
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")


async def test_publishing_opens_the_fund_and_the_pool_and_writes_why(kit: Kit) -> None:
    campaign = await publish_campaign(kit, stock={"general_50": 7, "checkup": 3}, budget_fen=1_000_001)
    [fund] = await rows(
        kit,
        "SELECT f.shares_ppm, t.debit, t.credit, t.amounts_fen FROM core.fund f"
        " JOIN core.ledger_transfer t ON t.campaign_id = f.campaign_id WHERE f.campaign_id = :id",
        id=campaign.id,
    )
    assert fund.shares_ppm == [400_000, 350_000, 250_000]
    assert (fund.debit, fund.credit) == ("budget", "available")
    assert sum(fund.amounts_fen) == 1_000_001
    [tally] = await rows(
        kit, "SELECT n, amounts_fen FROM core.tally_delta WHERE scope_id = :id", id=campaign.id
    )
    assert tally.amounts_fen == fund.amounts_fen
    [pool] = await rows(
        kit, "SELECT left_to_award FROM issuance.award_pool WHERE phase_id = :id", id=campaign.phases[0]
    )
    assert pool.left_to_award == 10
    moves = await rows(
        kit, "SELECT delta FROM issuance.stock_move WHERE phase_id = :id", id=campaign.phases[0]
    )
    assert sorted(move.delta for move in moves) == [3, 7]


async def test_seed_is_committed_at_publication_and_revealed_only_after_the_phase_closed(
    kit: Kit, clock: ManualClock
) -> None:
    campaign = await publish_campaign(kit)
    [phase] = await rows(
        kit, "SELECT seed_sealed, seed_commitment FROM issuance.phase WHERE id = :id", id=campaign.phases[0]
    )
    seed = kit.keys.sealer.open(phase.seed_sealed, context=seed_context(campaign.phases[0]))
    assert len(seed) == 32
    assert hashlib.sha256(seed).hexdigest() == phase.seed_commitment

    revealed = "SELECT seed_revealed FROM issuance.phase WHERE id = :id"
    start = clock.now()
    for moment, shown in (
        (campaign.opens_at, None),
        (campaign.closes_at, None),
        (campaign.closes_at + timedelta(seconds=10), seed.hex()),
    ):
        clock.set(moment)
        await build(kit).campaigns.reveal_seeds()
        [row] = await rows(kit, revealed, id=campaign.phases[0])
        assert row.seed_revealed == shown
    clock.set(start)


async def test_slug_that_is_taken_is_refused_when_proposed_and_when_approved(
    desk: Desk, clock: ManualClock
) -> None:
    body = definition(clock.now(), slug="twice")
    first, second = await desk.propose(CAMPAIGNS, body), await desk.propose(CAMPAIGNS, body)
    assert (await desk.approve(first)).status_code == 200
    late = await desk.approve(second)
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")
    pending = await desk.client.get("/issuance/v1/changes?status=pending", headers=desk.other)
    assert second.json()["change_id"] in [change["change_id"] for change in pending.json()["items"]]
    taken = await desk.propose(CAMPAIGNS, body)
    assert (taken.status_code, taken.json()["code"]) == (409, "slug_taken")


async def test_phase_that_would_have_begun_unannounced_no_longer_fits(desk: Desk, clock: ManualClock) -> None:
    change = await desk.propose(CAMPAIGNS, definition(clock.now(), slug="late", opens_in=timedelta(0)))
    answer = await desk.approve(change)
    assert (answer.status_code, answer.json()["code"]) == (409, "no_longer_fits")
    assert "第 1 期" in answer.json()["detail"]
    assert (await desk.client.get(f"{CAMPAIGNS}/late")).status_code == 404


async def test_same_request_number_proposes_once(desk: Desk, clock: ManualClock) -> None:
    body = definition(clock.now(), slug="retried", request_no="n-1")
    first = await desk.propose(CAMPAIGNS, body)
    again = await desk.propose(CAMPAIGNS, body)
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.headers["Idempotent-Replay"] == "true"
    assert again.json() == first.json()
    other_body = await desk.client.post(CAMPAIGNS, json=body | {"title": "另一个"}, headers=desk.one)
    assert (other_body.status_code, other_body.json()["code"]) == (409, "request_no_reused")


async def test_every_fault_of_a_half_written_definition_is_named_at_once(
    desk: Desk, clock: ManualClock
) -> None:
    body = definition(clock.now(), phases=2, budget_fen=100, timezone="Mars/Olympus")
    del body["title"]
    body["funding_sources"][0]["share"] = 0.41
    body["phases"][1]["opens_at"] = body["phases"][0]["opens_at"]
    answer = await desk.propose(CAMPAIGNS, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert {(fault["loc"], fault["code"]) for fault in answer.json()["errors"]} == {
        ("body.title", "missing"),
        ("body.timezone", "timezone_unknown"),
        ("body.funding_sources", "shares_sum"),
        ("body.phases.1.opens_at", "phases_overlap"),
        ("body.budget_fen", "budget_exceeded"),
    }


@pytest.mark.parametrize(
    ("role", "status"), [(Role.ADMIN, 202), (Role.AUDITOR, 403), (Role.INSTITUTION, 403), (None, 401)]
)
async def test_only_operators_and_admins_propose(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, role: Role | None, status: int
) -> None:
    headers = {} if role is None else await signed_in_staff(kit, role, institution_id="i1")
    answer = await client.post(CAMPAIGNS, json=definition(clock.now()), headers=headers)
    assert answer.status_code == status


async def test_paused_campaign_shows_its_open_phase_as_paused_and_says_who_and_why(
    desk: Desk, kit: Kit, clock: ManualClock
) -> None:
    start = clock.now()
    campaign = await publish_campaign(kit, phases=2)
    clock.set(campaign.opens_at)
    url = f"{CAMPAIGNS}/{campaign.slug}"
    for verb, status, states in (
        ("pause", "paused", ["paused", "upcoming"]),
        ("pause", "paused", ["paused", "upcoming"]),
        ("resume", "published", ["open", "upcoming"]),
    ):
        answer = await desk.client.post(f"{url}/{verb}", json={"reason": "券码系统故障"}, headers=desk.one)
        assert (answer.status_code, answer.json()) == (200, {"slug": campaign.slug, "status": status})
        seen = (await desk.client.get(url)).json()
        assert (seen["status"], [phase["state"] for phase in seen["phases"]]) == (status, states)
    entries = await rows(
        kit,
        "SELECT action, after FROM core.audit_entry WHERE object = :object ORDER BY seq",
        object=f"campaign:{campaign.slug}",
    )
    assert [entry.action for entry in entries] == ["campaign.pause", "campaign.resume"]
    assert entries[0].after["reason"] == "券码系统故障"
    clock.set(campaign.closes_at)
    assert [phase["state"] for phase in (await desk.client.get(url)).json()["phases"]] == ["closed", "closed"]
    clock.set(start)


async def test_pausing_needs_a_reason_and_a_campaign(desk: Desk, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    empty = await desk.client.post(
        f"{CAMPAIGNS}/{campaign.slug}/pause", json={"reason": " "}, headers=desk.one
    )
    assert empty.status_code == 422
    unknown = await desk.propose(f"{CAMPAIGNS}/nowhere/pause", {"reason": "x"})
    assert unknown.status_code == 404


async def test_public_answers_are_cached_by_etag(client: httpx.AsyncClient, kit: Kit) -> None:
    campaign = await publish_campaign(kit)
    for url in (f"{CAMPAIGNS}/{campaign.slug}", CAMPAIGNS):
        first = await client.get(url)
        assert first.headers["cache-control"].startswith("public")
        again = await client.get(url, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        stale = await client.get(url, headers={"If-None-Match": 'W/"other"'})
        assert stale.status_code == 200


async def test_list_of_campaigns_is_paged_newest_first(client: httpx.AsyncClient, kit: Kit) -> None:
    made = [(await publish_campaign(kit)).slug for _ in range(3)]
    seen: list[str] = []
    cursor = ""
    for _ in range(20):
        page = (await client.get(f"{CAMPAIGNS}?limit=2{cursor}")).json()
        seen.extend(item["slug"] for item in page["items"])
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert seen[:3] == made[::-1]
    assert len(seen) == len(set(seen))
    assert (await client.get(f"{CAMPAIGNS}?limit=201")).status_code == 422

"""Wins that look made by a machine wait for a person; nobody is told what was noticed."""

from datetime import datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from services.issuance.holds.operations import Sightings
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from tests.support.campaigns import definition, open_campaign
from tests.support.citizens import fill_bank, give_chances, new_person, right_answers
from tests.support.desk import Desk
from tests.support.holds import cases, decide, held, somebody, watching
from tests.support.people import signed_in_staff
from tests.support.ways import refused, rows

ON_HOLD = "领取资格正在核实，请耐心等待，核实期间不计入领取期限。"


async def test_win_from_a_shared_device_waits_and_its_time_is_given_back(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await watching(kit, clock, persons_per_device=1)
    alone = await somebody(client, kit, campaign, device="phone-0001")
    hands, award = await held(client, kit, campaign)
    assert (await alone.claim(await alone.win(campaign.slug), "fitness")).status_code == 201
    refusal = await hands.claim(award, "fitness")
    refused(refusal, 409, "award_on_hold")
    assert refusal.json()["detail"] == ON_HOLD
    [shown] = (await hands.get("/me/awards")).json()["items"]
    assert (shown["state"], shown["on_hold"], shown["note"]) == ("open", True, ON_HOLD)
    [case] = await cases(desk, campaign)
    assert (case["id"], case["evidence"]) == (
        award,
        [{"signal": "persons_per_device", "observed": 2, "limit": 1}],
    )
    assert case["person"]["person_id"] == str(hands.person.address)
    metrics = await client.get(f"/issuance/v1/metrics?campaign={campaign.slug}", headers=desk.one)
    assert metrics.json()["awards_on_hold"] == 1
    prometheus = await client.get("/issuance/metrics", headers=desk.one)
    assert f'hv_awards_on_hold{{campaign="{campaign.slug}"}} 1.0' in prometheus.text

    # Far beyond its end: neither the sweep nor the list ends what waits for staff.
    clock.advance(days=5)
    await build(kit).lottery.expire_awards()
    [shown] = (await hands.get("/me/awards")).json()["items"]
    assert (shown["state"], shown["on_hold"]) == ("open", True)
    before = datetime.fromisoformat(shown["expires_at"])
    assert (await decide(desk, award, "release")).json() == {"id": award, "status": "released"}
    [shown] = (await hands.get("/me/awards")).json()["items"]
    assert datetime.fromisoformat(shown["expires_at"]) - before == timedelta(days=5)
    assert (shown["on_hold"], shown["note"]) == (False, None)
    assert (await hands.claim(award, "fitness")).status_code == 201
    refused(await decide(desk, award, "reject"), 409, "hold_already_decided")
    [entry] = await rows(
        kit, "SELECT after FROM core.audit_entry WHERE object = :object", object=f"award:{award}"
    )
    assert entry.after == {"status": "released", "note": "电话核实"}
    assert (await recompute(kit)).ok


async def test_rejected_win_goes_back_to_its_phase_and_says_why_neutrally(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await watching(kit, clock, parts={"stock": {"fitness": 2}}, persons_per_device=1)
    hands, award = await held(client, kit, campaign)
    other = await somebody(client, kit, campaign)
    refused(await other.draw(campaign.slug), 409, "awards_exhausted")
    first = await decide(desk, award, "reject", request_no="d1")
    again = await decide(desk, award, "reject", request_no="d1")
    assert (first.status_code, again.status_code, again.json()) == (200, 200, first.json())
    refusal = await hands.claim(award, "fitness")
    refused(refusal, 409, "award_withdrawn")
    assert "设备" not in refusal.text
    [shown] = (await hands.get("/me/awards")).json()["items"]
    assert (shown["state"], shown["note"]) == ("expired", refusal.json()["detail"])
    # What was rejected is there for others, once.
    await other.win(campaign.slug)
    last = await somebody(client, kit, campaign)
    refused(await last.draw(campaign.slug), 409, "awards_exhausted")
    [done] = await cases(desk, campaign, "rejected")
    assert (done["note"], done["status"]) == ("电话核实", "rejected")
    assert await cases(desk, campaign) == []
    assert (await recompute(kit)).ok


async def test_wins_of_one_device_and_quick_answers_and_crowded_addresses_are_noticed(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await watching(
        kit, clock, wins_per_device=1, persons_per_address_per_day=3, seconds_per_question_below=2
    )
    await fill_bank(kit, campaign)
    quick = await somebody(client, kit, campaign, device="phone-0002", chances=0)
    attempt = (await quick.start(campaign.slug)).json()
    clock.advance(seconds=9)
    await quick.submit(attempt["attempt_id"], right_answers(attempt))
    await quick.win(campaign.slug)
    slow = await somebody(client, kit, campaign, device="phone-0003", chances=0)
    attempt = (await slow.start(campaign.slug)).json()
    clock.advance(seconds=10)
    await slow.submit(attempt["attempt_id"], right_answers(attempt))
    await slow.win(campaign.slug)
    twice = await somebody(client, kit, campaign, device="phone-0004", chances=2)
    await twice.win(campaign.slug)
    await twice.win(campaign.slug)
    found = [case["evidence"] for case in await cases(desk, campaign)]
    assert found == [
        [{"signal": "seconds_per_question", "observed": 1, "limit": 2}],
        [{"signal": "wins_per_device", "observed": 2, "limit": 1}],
    ]
    await (await somebody(client, kit, campaign)).win(campaign.slug)
    [case] = [case["evidence"] for case in await cases(desk, campaign)][2:]
    assert case == [{"signal": "persons_per_address_per_day", "observed": 4, "limit": 3}]
    # The next day nobody has been seen there yet.
    clock.advance(days=1)
    await (await somebody(client, kit, campaign)).win(campaign.slug)
    assert len(await cases(desk, campaign)) == 3


async def test_without_a_rule_nothing_is_noted_and_nothing_held(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock, odds="1")
    for _ in range(3):
        hands = await somebody(client, kit, campaign, device="phone-0005")
        assert (await hands.claim(await hands.win(campaign.slug), "fitness")).status_code == 201
    assert await cases(desk, campaign) == []
    [[noted]] = await rows(
        kit, "SELECT count(*) FROM issuance.sighting WHERE campaign_id = :id", id=campaign.id
    )
    assert noted == 0


async def test_where_people_were_seen_is_kept_as_hashes_and_forgotten(kit: Kit, clock: ManualClock) -> None:
    campaign = await watching(kit, clock, persons_per_device=5)
    sightings, person = Sightings(kit), await new_person(kit)
    for _ in range(2):
        await sightings.note(person.citizen, campaign.slug, device="phone-0006", address="203.0.113.7")
        clock.advance(days=1)
    await sightings.note(person.citizen, "no-such-campaign", device="phone-0006", address="203.0.113.7")
    found = await rows(
        kit,
        "SELECT kind, key_hash FROM issuance.sighting WHERE person_id = :id ORDER BY kind, seen_on",
        id=person.address.uuid,
    )
    # An address has another hash on each day; a device is the same one for as long as it comes back.
    assert [row.kind for row in found] == ["address", "address", "device"]
    assert len({bytes(row.key_hash) for row in found}) == 3
    assert all(len(row.key_hash) == 16 for row in found)
    clock.advance(days=2)
    await sightings.forget()
    count = "SELECT count(*) FROM issuance.sighting WHERE person_id = :id"
    assert (await rows(kit, count, id=person.address.uuid))[0][0] == 1
    clock.advance(days=60)
    await sightings.forget()
    assert (await rows(kit, count, id=person.address.uuid))[0][0] == 0


async def test_only_operators_decide_about_holds(
    client: httpx.AsyncClient, kit: Kit, desk: Desk, clock: ManualClock
) -> None:
    campaign = await watching(kit, clock, persons_per_device=1)
    _, award = await held(client, kit, campaign, "farm-0002")
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    url, body = f"/issuance/v1/holds/{award}/decide", {"decision": "release", "note": "x"}
    refused(await client.post(url, json=body, headers=auditor), 403, "forbidden")
    refused(await client.get("/issuance/v1/holds"), 401, "unauthenticated")
    refused(await decide(desk, "00" + "0" * 32, "release"), 404, "not_found")
    refused(await decide(desk, award, "maybe"), 422, "invalid_request")


@pytest.mark.parametrize("when", [{"persons_per_device": 0}, {"wins": 1}, {"persons_per_device": "3"}])
async def test_rule_that_means_nothing_is_refused(
    when: dict[str, object], clock: ManualClock, desk: Desk
) -> None:
    body = definition(clock.now(), risk={"hold_when": when})
    refused(await desk.propose("/issuance/v1/campaigns", body), 422, "invalid_request")


HELD = "held_awards_wait_for_one_decision"
DECIDED = (
    "UPDATE issuance.award_hold SET state = 'rejected', decided_at = held_at, decided_by = award_id,"
    " note = 'x'"
)
PLANTED = [
    (
        "nobody_draws_while_excluded",
        "UPDATE issuance.draw SET drawn_at = drawn_at + interval '1 minute'",
    ),
    (HELD, "UPDATE issuance.award SET held_at = won_at WHERE state = 'open'"),
    (HELD, "UPDATE issuance.award SET held_at = NULL"),
    (HELD, DECIDED),
]


@pytest.mark.parametrize(("name", "fault"), PLANTED)
async def test_integrity_check_finds(name: str, fault: str, kit: Kit, clock: ManualClock, desk: Desk) -> None:
    campaign = await watching(kit, clock, persons_per_device=1)
    hands, _ = await held(desk.client, kit, campaign, f"farm-{abs(hash(fault)) % 10**8}")
    await give_chances(kit, hands.person, campaign)
    body = {"list": "blocked", "reason": "x", "person_id": str(hands.person.address)}
    url = f"/issuance/v1/campaigns/{campaign.slug}/exclusions"
    assert (await desk.client.post(url, json=body, headers=desk.one)).status_code == 201
    [check] = [check for check in sql_checks() if check.name == name]

    async def ok() -> bool:
        row = await store.answer(tx, check.sql, now=clock.now(), machine_now=clock.now(), seeds={})
        return bool(row["ok"])

    async with kit.database.transaction() as tx:
        await tx.execute(text("ALTER TABLE issuance.draw DISABLE TRIGGER USER"))
        assert await ok()
        await tx.execute(text(fault))
        assert not await ok()
        await tx.rollback()

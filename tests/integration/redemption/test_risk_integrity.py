"""The checks of rankings and cases accept a played story, and find the fault that they are there to find."""

import secrets
from datetime import datetime

import pytest
from sqlalchemy import text

from services.redemption.wiring import build
from services.redemption.worker import parts
from shared.clock import ManualClock
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from tests.support.drain import drain
from tests.support.settlements import books
from tests.support.tills import Bureau
from tests.support.vouchers import held_vouchers, published

RANKINGS = "frozen_institution_rankings_are_what_was_counted"
RISK = "cases_stand_on_write_offs_and_days_are_what_was_rolled_up"
CASES = "cases_are_what_was_done_with_them"
_FREE = "ALTER TABLE redemption.ranking_item DISABLE TRIGGER append_only; "
_FREE_CASES = "ALTER TABLE redemption.risk_case_item DISABLE TRIGGER never_deleted; "
_FREE_ACTIONS = "ALTER TABLE redemption.risk_case_action DISABLE TRIGGER append_only; "
_FREE_DECIDED = "ALTER TABLE redemption.risk_case DISABLE TRIGGER decided_once; "
PLANTED = [
    ("a count was raised", RANKINGS, _FREE + "UPDATE redemption.ranking_item SET count = count + 1"),
    ("a fen was added", RANKINGS, _FREE + "UPDATE redemption.ranking_item SET amount_fen = amount_fen + 1"),
    ("a rank was improved", RANKINGS, _FREE + "UPDATE redemption.ranking_item SET rank = 1"),
    ("a fair rank was improved", RANKINGS, _FREE + "UPDATE redemption.ranking_item SET rank_by_holders = 1"),
    ("an institution was left out", RANKINGS, _FREE + "DELETE FROM redemption.ranking_item WHERE count > 0"),
    ("flags were dropped", RANKINGS, _FREE + "UPDATE redemption.ranking_item SET flagged = 0"),
    (
        "a write-off was dated back",
        RANKINGS,
        "UPDATE redemption.redemption SET received_at = received_at + interval '90 days'",
    ),
    (
        "evidence names no write-off",
        RISK,
        "UPDATE redemption.risk_case_item SET redemption_id = gen_random_uuid(), hold_id = NULL",
    ),
    ("a case lost its evidence", RISK, _FREE_CASES + "DELETE FROM redemption.risk_case_item"),
    (
        "evidence is of another institution",
        RISK,
        "UPDATE redemption.risk_case SET institution_id = 'ins_other' WHERE status = 'open'",
    ),
    (
        "a case was opened again by nobody",
        CASES,
        "UPDATE redemption.risk_case SET status = 'open', decision = NULL, decided_at = NULL",
    ),
    (
        "a decision was turned",
        CASES,
        _FREE_DECIDED + "UPDATE redemption.risk_case SET decision = 'dismiss' WHERE status = 'decided'",
    ),
    (
        "another one is said to have decided",
        CASES,
        _FREE_ACTIONS + "UPDATE redemption.risk_case_action SET staff_id = gen_random_uuid()",
    ),
    (
        "an action is missing",
        CASES,
        _FREE_ACTIONS + "DELETE FROM redemption.risk_case_action WHERE seq = 1",
    ),
    (
        "a hold outlived its decision",
        CASES,
        "UPDATE redemption.settlement_hold SET released_at = NULL, released_by = NULL",
    ),
    ("a day was rolled up wrongly", RISK, "UPDATE redemption.risk_day SET live = live + 1"),
    ("a reversal was not rolled up", RISK, "UPDATE redemption.risk_day SET reversed = reversed + 1"),
    (
        "a prompt one was not counted",
        RISK,
        "UPDATE redemption.risk_day SET prompt = prompt - 1 WHERE prompt > 0",
    ),
    ("a bill was counted", RISK, "UPDATE redemption.risk_day SET face_bills = face_bills + 1"),
    ("equal bills were counted", RISK, "UPDATE redemption.risk_day SET same_bills = same_bills + 1"),
    ("one was done again by nobody", RISK, "UPDATE redemption.risk_day SET redone = redone + 1"),
    (
        "an hour was moved",
        RISK,
        "UPDATE redemption.risk_day SET hours = hours[2:] || hours[1] WHERE live > 0",
    ),
    (
        "two holders are one",
        RISK,
        "UPDATE redemption.risk_day SET holders = array_fill(holders[1], ARRAY[cardinality(holders)])",
    ),
    ("a holder is missing", RISK, "UPDATE redemption.risk_day SET holders = holders[2:] WHERE live > 0"),
]


@pytest.fixture(scope="module", autouse=True)
async def story(kit: Kit, clock: ManualClock, staff: Bureau) -> None:
    """A frozen month with flagged write-offs, a reversal after it, and cases of the next month."""
    clock.set(datetime.fromisoformat("2023-03-20T10:00:00+08:00"))
    campaign = await published(kit, f"checked-{secrets.token_hex(4)}")
    few, many = await staff.institution(campaign), await staff.institution(campaign)
    till, other = await staff.till(many), await staff.till(few)
    done = [await till.redeem(one.code) for one in await held_vouchers(kit, campaign, "checkup", 10)]
    for one in await held_vouchers(kit, campaign, "checkup", 3):
        await other.redeem(one.code)
    await work(kit)
    clock.set(datetime.fromisoformat("2023-04-02T10:00:00+08:00"))
    desk = await books(kit, staff)
    body = {"campaign": campaign.slug, "month": "2023-03"}
    frozen = await desk.approve(await staff.post("/rankings/freeze", body))
    assert frozen.status_code == 200
    await till.reverse(done[0].request_no, "误刷")
    for one in await held_vouchers(kit, campaign, "fitness", 9):
        await till.redeem(one.code)
    await work(kit)
    clock.advance(minutes=2)
    await work(kit)
    # One was held and taken back, and is watched since; another is still open.
    case = (await staff.get("/risk/cases", campaign=campaign.slug, status="open")).json()["items"][0]
    for step, said in (
        ("decide", {"decision": "hold_settlement", "note": "先暂缓"}),
        ("reopen", {"reason": "误判"}),
        ("decide", {"decision": "watch", "note": "观察"}),
    ):
        answer = await staff.post(f"/risk/cases/{case['id']}/{step}", said)
        assert answer.status_code == 200, answer.text


async def work(kit: Kit) -> None:
    await drain(kit, parts(build(kit)))
    while await build(kit).signals.scan():
        pass


async def test_the_checks_accept_the_story(kit: Kit) -> None:
    report = await recompute(kit)
    assert [one for one in report.checks if one.name in (RANKINGS, RISK, CASES) and not one.ok] == []
    counted = {one.name: one.expected for one in report.checks}
    assert counted[RANKINGS] == 13
    assert counted[CASES] == 1


@pytest.mark.parametrize(("name", "statement"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
async def test_the_checks_find(kit: Kit, name: str, statement: str) -> None:
    (check,) = [one for one in sql_checks() if one.name == name]
    now = kit.clock.now()
    async with kit.database.transaction() as tx:
        for part in statement.split("; "):
            await tx.execute(text(part))
        answer = await store.answer(tx, check.sql, now=now, machine_now=now, seeds={})
        await tx.rollback()
    assert not answer["ok"], answer
    assert answer["detail"]

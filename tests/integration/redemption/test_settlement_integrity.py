"""Disputes and payees: each check accepts a played story, and finds the fault that it is there to find."""

import pytest
from sqlalchemy import text

from shared.clock import ManualClock, local_day, machine_now
from shared.identity.staff import Role
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import Bureau
from tests.support.vouchers import held_vouchers

CHECKS = {check.name: check for check in sql_checks() if check.file.startswith("redemption_")}
DISPUTES = "settlements_and_their_disputes_say_the_same"
PAYEES = "settlements_were_paid_to_the_account_in_force"
SETTLEMENTS = "settlements_are_the_sum_of_their_lines_and_write_offs"
CORRECTIONS = "corrections_take_back_settled_write_offs_once"
PAYMENTS = "settlements_are_paid_as_the_ledger_says"

_OTHER_ACCOUNT = (
    "(SELECT p.id FROM redemption.payee_account p WHERE p.institution_id = s.institution_id"
    " AND p.id <> s.payee_account_id LIMIT 1)"
)
# What a fault looks like, and the check that has to find it.
PLANTED = [
    ("a dispute was forgotten", DISPUTES, "DELETE FROM redemption.settlement_dispute WHERE outcome IS NULL"),
    (
        "a dispute is answered and still waits",
        DISPUTES,
        (
            "UPDATE redemption.settlement_dispute SET outcome = 'confirmed', ended_at = raised_at"
            " WHERE outcome IS NULL"
        ),
    ),
    (
        "a settlement says another complaint than was made",
        DISPUTES,
        "UPDATE redemption.settlement SET dispute_note = 'x' WHERE disputed_at IS NOT NULL",
    ),
    (
        "a settlement was revised by nobody",
        DISPUTES,
        "UPDATE redemption.settlement SET revision = revision + 1",
    ),
    (
        "a dispute that was right took nothing back",
        DISPUTES,
        "DELETE FROM redemption.correction WHERE dispute_id IS NOT NULL",
    ),
    (
        "a rejected dispute took something back",
        CORRECTIONS,
        "UPDATE redemption.settlement_dispute SET outcome = 'rejected' WHERE outcome = 'upheld'",
    ),
    (
        "a settlement took itself back without a dispute",
        CORRECTIONS,
        "UPDATE redemption.correction SET dispute_id = NULL",
    ),
    (
        "the lines before are said to hold",
        SETTLEMENTS,
        "UPDATE redemption.settlement SET revision = 1 WHERE revision = 2",
    ),
    (
        "what a dispute took back was paid all the same",
        PAYMENTS,
        "DELETE FROM core.ledger_transfer WHERE kind = 'recover'",
    ),
    (
        "a settlement was paid to another account than was in force",
        PAYEES,
        f"UPDATE redemption.settlement s SET payee_account_id = {_OTHER_ACCOUNT} WHERE status = 'paid'",
    ),
    (
        "nobody knows where a settlement was paid",
        PAYEES,
        "UPDATE redemption.settlement SET payee_account_id = NULL",
    ),
    (
        "an account was dated back",
        PAYEES,
        "UPDATE redemption.payee_account SET effective_from = '2020-01-01' WHERE version = 2",
    ),
    (
        "an account was approved by nobody",
        PAYEES,
        "UPDATE core.change SET status = 'rejected' WHERE kind = 'institution.payee_account'",
    ),
    (
        "an approved change was of another account",
        PAYEES,
        (
            'UPDATE core.change SET body = body || \'{"account_id": "x"}\''
            " WHERE kind = 'institution.payee_account'"
        ),
    ),
    (
        "an unpaid settlement has been paid somewhere",
        PAYEES,
        (
            "UPDATE redemption.settlement s SET payee_account_id = (SELECT id FROM redemption.payee_account"
            " WHERE institution_id = s.institution_id AND version = 2) WHERE status = 'draft'"
        ),
    ),
]


@pytest.fixture(scope="module", autouse=True)
async def story(kit: Kit, clock: ManualClock, campaign: CampaignRef, staff: Bureau) -> None:
    """Three settlements: one paid, one paid after a dispute was upheld, one whose dispute is open."""
    desk = await books(kit, staff)
    till = await staff.till(await staff.institution(campaign))
    own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=till.institution_id)
    await desk.set_account(till.institution_id, "6222000000000000001")
    for place in range(3):
        clock.advance(days=1)
        done = [
            await till.redeem(one.code, 3_333) for one in await held_vouchers(kit, campaign, "general_50", 2)
        ]
        day = local_day(clock.now(), "Asia/Shanghai").isoformat()
        await desk.settle(campaign, day, day)
        one = (await desk.of(till.institution_id))[0]
        if place > 0:
            await disputed(desk, own, one["id"])
        if place == 1:
            body = {"outcome": "upheld", "reason": "x", "withdraw": [done[0].id]}
            upheld = await desk.approve(await desk.bureau.post(f"/settlements/{one['id']}/resolve", body))
            assert upheld.status_code == 200, upheld.text
        if place < 2:
            await desk.pay(one)
    await desk.set_account(till.institution_id, "6222000000000000002")


async def disputed(desk: Books, own: dict[str, str], settlement_id: str) -> None:
    path = f"/redemption/v1/settlements/{settlement_id}/dispute"
    assert (await desk.bureau.http.post(path, json={"note": "不符"}, headers=own)).status_code == 200


async def test_every_check_accepts_a_played_story(kit: Kit) -> None:
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok] == []
    figures = {check.name: (check.expected, check.actual) for check in report.checks}
    assert figures[DISPUTES] == figures[PAYEES] == (3, 3)


@pytest.mark.parametrize(("fault", "name", "statement"), PLANTED, ids=[fault for fault, _, _ in PLANTED])
async def test_planted_fault_is_found(kit: Kit, fault: str, name: str, statement: str) -> None:
    async with kit.database.transaction() as tx:
        # Behind the platform's back: without triggers, constraints and unique keys.
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for table, constraint in (
            ("correction", "ck_correction_in_its_place"),
            ("settlement_dispute", "ck_settlement_dispute_four_eyes"),
        ):
            await tx.execute(text(f"ALTER TABLE redemption.{table} DROP CONSTRAINT {constraint}"))
        planted = (await tx.execute(text(statement))).rowcount
        assert planted, f"the test planted nothing: {fault}"
        found = await store.answer(
            tx, CHECKS[name].sql, now=kit.clock.now(), machine_now=machine_now(), seeds={}
        )
        await tx.rollback()
    assert found["ok"] is False
    assert found["detail"]

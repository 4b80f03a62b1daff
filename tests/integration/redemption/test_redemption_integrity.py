"""Each check of redemption accepts a played story, and finds the fault that it is there to find."""

import pytest
from sqlalchemy import text

from services.redemption.wiring import build
from services.redemption.worker import parts
from shared.clock import machine_now
from shared.db import Tx
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.drain import drain
from tests.support.settlements import books
from tests.support.tills import Bureau
from tests.support.vouchers import held_vouchers

# The checks of what a story of tills touches: the core's and redemption's own.
CONCERNED = {check.name for check in sql_checks() if check.file.startswith(("core_", "redemption_"))}
CHECKS = {check.name: check for check in sql_checks() if check.file.startswith("redemption_")}
LIVE = "redeemed_vouchers_have_exactly_one_live_redemption"
SPLITS = "redemption_splits_add_up_to_the_fen"
REVERSALS = "reversed_redemptions_have_their_reversal"
REQUESTS = "redemptions_answer_to_their_request_numbers"
STATISTICS = "institution_statistics_with_pending_jobs_equal_the_recount"
SETTLEMENTS = "settlements_are_the_sum_of_their_lines_and_write_offs"
PAYMENTS = "settlements_are_paid_as_the_ledger_says"
CONTRACTS = "directed_redemptions_apply_the_price_in_force"
DIRECTORY = "directory_says_what_its_history_says_last"
CORRECTIONS = "corrections_take_back_settled_write_offs_once"

# What rankings and cases leave is proven in test_risk_integrity.py, disputes and payees in
# test_settlement_integrity.py.
ELSEWHERE = {
    "settlements_and_their_disputes_say_the_same",
    "settlements_were_paid_to_the_account_in_force",
    "frozen_institution_rankings_are_what_was_counted",
    "cases_stand_on_write_offs_and_days_are_what_was_rolled_up",
    "cases_are_what_was_done_with_them",
}

DAY = "2020-10-31"

_COPY = (
    "INSERT INTO redemption.redemption SELECT bucket, gen_random_uuid(), voucher_id, institution_id,"
    " terminal_id, campaign_id, voucher_type, kind, request_no, bill_fen, applied_fen, payable_fen,"
    " split_fen, used_at, redeemed_at, received_at, source, state FROM redemption.redemption"
    " WHERE state = 'redeemed' LIMIT 1"
)
_DATED_BACK = (
    "WITH told AS (INSERT INTO core.change (id, service, kind, target, body, before, status, proposed_by,"
    " proposed_at, decided_by, decided_at) SELECT gen_random_uuid(), 'redemption', 'x', 'x', '{}', '{}',"
    " 'applied', (SELECT id FROM core.staff ORDER BY id LIMIT 1), '2020-01-01',"
    " (SELECT id FROM core.staff ORDER BY id DESC LIMIT 1), '2020-01-01' RETURNING id)"
    " INSERT INTO redemption.contract_price SELECT DISTINCT ON (institution_id) institution_id,"
    " campaign_id, voucher_type, '2020-01-02'::timestamptz, 1, '2020-01-02'::date, 1, 'x', told.id,"
    " '2020-01-01'::timestamptz FROM redemption.redemption, told WHERE kind = 'directed'"
)
_REST_LOST = (
    "WITH cheap AS (UPDATE redemption.redemption SET applied_fen = 1 WHERE kind = 'directed' RETURNING 1)"
    " DELETE FROM core.ledger_transfer WHERE kind = 'release'"
)
# What a fault looks like, and the check that has to find it. All other checks are free to see it too.
PLANTED = [
    ("a voucher was written off twice", LIVE, _COPY),
    (
        "a voucher is used without a trace",
        LIVE,
        "UPDATE core.voucher SET state = 'redeemed', redeemed_at = issued_at WHERE state = 'issued'",
    ),
    (
        "a used voucher became free again",
        LIVE,
        "UPDATE core.voucher SET state = 'issued', redeemed_at = NULL WHERE state = 'redeemed'",
    ),
    (
        "a voucher was used elsewhere than its write-off says",
        LIVE,
        "UPDATE redemption.redemption SET institution_id = 'ins_other' WHERE state = 'redeemed'",
    ),
    (
        "a fen got lost in a split",
        SPLITS,
        "UPDATE redemption.redemption SET split_fen[1] = split_fen[1] - 1",
    ),
    (
        "a fen moved from one payer to another",
        SPLITS,
        "UPDATE redemption.redemption SET split_fen[1] = split_fen[1] - 1, split_fen[2] = split_fen[2] + 1",
    ),
    ("a payer's part is missing", SPLITS, "UPDATE redemption.redemption SET split_fen = split_fen[1:3]"),
    (
        "the ledger moved another amount",
        SPLITS,
        "UPDATE core.ledger_transfer SET amounts_fen[1] = amounts_fen[1] + 1 WHERE kind = 'redeem'",
    ),
    ("a transfer has no write-off", SPLITS, "DELETE FROM redemption.redemption WHERE state = 'reversed'"),
    (
        "a write-off has no transfer",
        SPLITS,
        "DELETE FROM core.ledger_transfer WHERE kind = 'redeem' AND amounts_fen[1] > 1000",
    ),
    (
        "an institution was renamed behind its history",
        DIRECTORY,
        "UPDATE redemption.institution SET name = name || 'x'",
    ),
    (
        "a type is accepted that waits for approval",
        DIRECTORY,
        "UPDATE redemption.membership SET awaiting = accepts",
    ),
    (
        "a type of no campaign is accepted",
        DIRECTORY,
        "UPDATE redemption.membership SET accepts = accepts || ARRAY['cash']",
    ),
    (
        "a directed voucher paid less than its price",
        CONTRACTS,
        "UPDATE redemption.redemption SET applied_fen = applied_fen - 1 WHERE kind = 'directed'",
    ),
    (
        "a contract price was dated back",
        CONTRACTS,
        _DATED_BACK,
    ),
    (
        "the rest of a directed voucher stayed with nobody",
        CONTRACTS,
        _REST_LOST,
    ),
    (
        "a write-off was undone by nobody",
        REVERSALS,
        "DELETE FROM redemption.reversal WHERE outcome = 'reversed'",
    ),
    (
        "a write-off stands though it was undone",
        REVERSALS,
        "UPDATE redemption.redemption SET state = 'redeemed' WHERE state = 'reversed'",
    ),
    (
        "a write-off forgot its request",
        REQUESTS,
        "DELETE FROM core.request WHERE operation = 'redemption' AND NOT blocked",
    ),
    (
        "a request points to another write-off",
        REQUESTS,
        "UPDATE core.request SET result_id = gen_random_uuid() WHERE operation = 'redemption'",
    ),
    (
        "an institution is counted one too many",
        STATISTICS,
        "UPDATE redemption.institution_statistics SET count = count + 1",
    ),
    (
        "an institution is counted a fen too little",
        STATISTICS,
        "UPDATE redemption.institution_statistics SET applied_fen = applied_fen - 1",
    ),
    (
        "a counting job got lost",
        STATISTICS,
        "DELETE FROM core.outbox WHERE kind = 'redemption.redemption_counted'",
    ),
    (
        "a write-off moved to another settlement",
        SETTLEMENTS,
        (
            "UPDATE redemption.redemption SET settlement_id = (SELECT id FROM redemption.settlement"
            " WHERE corrections = 0 AND status = 'draft')"
            " WHERE settlement_id IS NOT NULL AND voucher_type = 'checkup'"
        ),
    ),
    (
        "a settled write-off is in no settlement",
        SETTLEMENTS,
        "UPDATE redemption.redemption SET settlement_id = NULL WHERE voucher_type = 'checkup'",
    ),
    (
        "a settlement has a write-off of another institution",
        SETTLEMENTS,
        "UPDATE redemption.settlement SET institution_id = 'ins_other' WHERE status = 'paid'",
    ),
    (
        "a line is a fen too high",
        SETTLEMENTS,
        "UPDATE redemption.settlement_line SET amount_fen = amount_fen + 1 WHERE kind = 'redemption'",
    ),
    (
        "a correction is in a settlement without its line",
        SETTLEMENTS,
        "DELETE FROM redemption.settlement_line WHERE kind = 'correction'",
    ),
    (
        "a settlement's total is not that of its lines",
        SETTLEMENTS,
        "UPDATE redemption.settlement SET amount_fen = amount_fen + 1",
    ),
    (
        "a fen of a settlement moved from one payer to another",
        SETTLEMENTS,
        "UPDATE redemption.settlement SET split_fen[1] = split_fen[1] - 1, split_fen[2] = split_fen[2] + 1",
    ),
    (
        "a settlement was paid a fen too much",
        PAYMENTS,
        "UPDATE core.ledger_transfer SET amounts_fen[1] = amounts_fen[1] + 1 WHERE kind = 'pay'",
    ),
    (
        "a settlement was paid twice",
        PAYMENTS,
        (
            "INSERT INTO core.ledger_transfer SELECT bucket, gen_random_uuid(), kind, campaign_id, debit,"
            " credit, amounts_fen, voucher_id, institution_id, actor, at FROM core.ledger_transfer"
            " WHERE kind = 'pay' LIMIT 1"
        ),
    ),
    (
        "a settlement is called paid and was not",
        PAYMENTS,
        (
            "UPDATE redemption.settlement SET status = 'paid', confirmed_at = created_at,"
            " paid_at = created_at WHERE status = 'draft'"
        ),
    ),
    (
        "what was taken back did not come back",
        PAYMENTS,
        "DELETE FROM core.ledger_transfer WHERE kind = 'recover'",
    ),
    (
        "more is taken back than was applied",
        CORRECTIONS,
        "UPDATE redemption.correction SET amount_fen = amount_fen + 1",
    ),
    (
        "a reversed write-off was corrected too",
        CORRECTIONS,
        (
            "UPDATE redemption.redemption r SET state = 'reversed', settlement_id = NULL"
            " FROM redemption.correction c WHERE c.bucket = r.bucket AND c.redemption_id = r.id"
        ),
    ),
    (
        "a counting job stands there twice",
        STATISTICS,
        (
            "INSERT INTO core.outbox SELECT bucket, gen_random_uuid(), queue, kind, payload, state, attempt,"
            " next_at, last_error, created_at FROM core.outbox WHERE kind = 'redemption.redemption_counted'"
        ),
    ),
]


@pytest.fixture(scope="module", autouse=True)
async def story(kit: Kit, campaign: CampaignRef, staff: Bureau) -> None:
    """Write-offs of both kinds, reversed ones and blocked ones; half of it counted by the jobs."""
    till = await staff.till(await staff.institution(campaign))
    general = await held_vouchers(kit, campaign, "general_50", 8)
    directed = await held_vouchers(kit, campaign, "checkup", 4)
    later = await held_vouchers(kit, campaign, "fitness", 2)
    for place, voucher in enumerate(general):
        done = await till.redeem(voucher.code, 1_111 * (place + 1))
        if place % 3 == 0:
            await till.reverse(done.request_no, "x")
            await till.redeem(voucher.code, 2_222)
        if place == 4:
            await drain(kit, parts(build(kit)))
    books_of = await books(kit, staff)
    for place, voucher in enumerate(directed[:2]):
        done = await till.redeem(voucher.code)
        if place == 0:
            await books_of.settle(campaign, DAY, DAY)
            await books_of.pay((await books_of.of(till.institution_id))[0])
            await books_of.correct(done.id)
    await till.reverse("never-seen", "x")
    await books_of.settle(campaign, DAY, DAY)
    await books_of.pay((await books_of.of(till.institution_id))[0])
    await till.redeem(later[0].code)
    await books_of.settle(campaign, DAY, DAY)
    await till.redeem(later[1].code)


async def run(kit: Kit, tx: Tx, name: str) -> dict[str, object]:
    return await store.answer(tx, CHECKS[name].sql, now=kit.clock.now(), machine_now=machine_now(), seeds={})


async def test_every_check_accepts_a_played_story(kit: Kit) -> None:
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok and check.name in CONCERNED] == []
    figures = {check.name: (check.expected, check.actual) for check in report.checks}
    assert figures[LIVE] == (12, 12)
    assert figures[REVERSALS] == (3, 3)


@pytest.mark.parametrize(("fault", "name", "statement"), PLANTED, ids=[fault for fault, _, _ in PLANTED])
async def test_planted_fault_is_found(kit: Kit, fault: str, name: str, statement: str) -> None:
    async with kit.database.transaction() as tx:
        # Behind the platform's back: without triggers, constraints and unique keys.
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        await tx.execute(text("DROP INDEX redemption.uq_redemption_live_voucher"))
        planted = (await tx.execute(text(statement))).rowcount
        assert planted, f"the test planted nothing: {fault}"
        found = await run(kit, tx, name)
        await tx.rollback()
    assert found["ok"] is False
    assert found["detail"]


async def test_every_check_is_proven_able_to_fail() -> None:
    assert {name for _, name, _ in PLANTED} == set(CHECKS) - ELSEWHERE

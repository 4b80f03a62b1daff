"""Each check of the core accepts a sound database, and finds the fault that it is there to find."""

import pytest
from sqlalchemy import text

from services.issuance.campaigns.rules import seed_context
from shared.audit import AuditEntry, record
from shared.clock import machine_now
from shared.db import Tx
from shared.ids import new_id
from shared.integrity import store
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import AUDIT_CHAIN, SEED_CONTEXT, SEEDS_OPEN, recompute
from shared.kit import Kit
from tests.support.money import a_little_of_everything, pay_everything

CORE = {check.name: check for check in sql_checks() if check.file.startswith("core_")}

# What a fault looks like, and the check that has to find it. All other checks are free to see it too.
PLANTED = [
    (
        "a payer's amount is missing from a transfer",
        "UPDATE core.ledger_transfer SET amounts_fen = amounts_fen[1:2] WHERE kind = 'issue'",
        "ledger_postings_are_balanced",
    ),
    (
        "a transfer gives a negative amount",
        "UPDATE core.ledger_transfer SET amounts_fen = ARRAY[-1, 1, 0] WHERE kind = 'expire'",
        "ledger_postings_are_balanced",
    ),
    (
        "an issue took its money from another account",
        "UPDATE core.ledger_transfer SET debit = 'payable' WHERE kind = 'issue'",
        "ledger_postings_are_balanced",
    ),
    (
        "a campaign with transfers has no fund",
        "DELETE FROM core.fund",
        "ledger_postings_are_balanced",
    ),
    (
        "more is paid to an institution than it is owed, though the sum over all is not",
        "UPDATE core.ledger_transfer SET institution_id = 'clinic' WHERE kind = 'pay'",
        "ledger_accounts_are_never_below_zero",
    ),
    (
        "more is committed than was available",
        "UPDATE core.ledger_transfer SET amounts_fen = ARRAY[1, 1, 1] WHERE kind = 'fund'",
        "ledger_accounts_are_never_below_zero",
    ),
    (
        "a payer put up less than its share",
        "UPDATE core.ledger_transfer SET amounts_fen[1] = amounts_fen[1] - 1 WHERE kind = 'fund'",
        "ledger_budget_is_available_committed_payable_or_paid",
    ),
    (
        "the shares were changed without a version",
        "UPDATE core.fund SET shares_ppm = ARRAY[333333, 333334, 333333]",
        "ledger_budget_is_available_committed_payable_or_paid",
    ),
    (
        "a version of the fund is missing",
        "UPDATE core.fund_version SET version = 2; UPDATE core.fund SET version = 2",
        "ledger_budget_is_available_committed_payable_or_paid",
    ),
    (
        "the budget was raised without money",
        "UPDATE core.fund SET budget_fen = budget_fen + 100",
        "ledger_budget_is_available_committed_payable_or_paid",
    ),
    (
        "a voucher stayed outstanding though its money went back",
        "UPDATE core.voucher SET state = 'issued' WHERE state = 'expired'",
        "ledger_commits_exactly_the_outstanding_vouchers",
    ),
    (
        "a payer's part of a voucher went to another payer",
        (
            "UPDATE core.voucher SET split_fen = ARRAY[split_fen[1] + 1, split_fen[2] - 1, split_fen[3]]"
            " WHERE state = 'issued'"
        ),
        "ledger_commits_exactly_the_outstanding_vouchers",
    ),
    (
        "a voucher disappeared",
        "DELETE FROM core.voucher WHERE state = 'revoked'",
        "vouchers_issued_are_outstanding_redeemed_expired_or_revoked",
    ),
    (
        "a voucher is expired without having been ended",
        "UPDATE core.voucher SET state = 'expired' WHERE state = 'revoked'",
        "vouchers_issued_are_outstanding_redeemed_expired_or_revoked",
    ),
    (
        "two vouchers swapped their states",
        (
            "UPDATE core.voucher SET state = CASE state WHEN 'expired' THEN 'revoked' ELSE 'expired' END"
            " WHERE state IN ('expired', 'revoked');"
            "UPDATE core.voucher v SET state = CASE v.state WHEN 'issued' THEN 'expired' ELSE 'issued' END"
            " WHERE v.state = 'issued' OR v.id IN"
            " (SELECT voucher_id FROM core.ledger_transfer WHERE kind = 'expire')"
        ),
        "vouchers_agree_with_their_own_transfers",
    ),
    (
        "a voucher was written off without a transfer",
        "UPDATE core.voucher SET state = 'redeemed', redeemed_at = issued_at WHERE state = 'issued'",
        "vouchers_agree_with_their_own_transfers",
    ),
    (
        "a voucher without any transfer",
        (
            "DELETE FROM core.ledger_transfer WHERE voucher_id IN"
            " (SELECT id FROM core.voucher WHERE state = 'issued')"
        ),
        "vouchers_agree_with_their_own_transfers",
    ),
    (
        "a tally counts one write-off too many",
        "UPDATE core.tally_delta SET n = n + 1 WHERE measure = 'redeem'",
        "tallies_equal_the_recount_of_transfers",
    ),
    (
        "a tally's money moved from one payer to another",
        (
            "UPDATE core.tally_delta"
            " SET amounts_fen = ARRAY[amounts_fen[1] - 1, amounts_fen[2] + 1, amounts_fen[3]]"
            " WHERE measure = 'redeem'"
        ),
        "tallies_equal_the_recount_of_transfers",
    ),
    (
        "a write-off is tallied for another institution",
        "UPDATE core.tally_delta SET dim2 = 'elsewhere' WHERE measure = 'redeem' AND dim2 = 'hospital'",
        "tallies_equal_the_recount_of_transfers",
    ),
    (
        "a tally got lost",
        "DELETE FROM core.tally_delta WHERE measure = 'expire'",
        "tallies_equal_the_recount_of_transfers",
    ),
    (
        "a row waits where no worker looks",
        (
            "INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)"
            " VALUES (0, gen_random_uuid(), 'nowhere', 'x', '{}', now(), now())"
        ),
        "outbox_rows_are_delivered_or_visibly_waiting",
    ),
    (
        "a row is parked for a year",
        (
            "INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)"
            " VALUES (0, gen_random_uuid(), 'issuance', 'x', '{}', now() + interval '1 year', now())"
        ),
        "outbox_rows_are_delivered_or_visibly_waiting",
    ),
    (
        "an account holds the identities of two people",
        (
            "INSERT INTO core.person_identity SELECT sha256(identity_hash), bucket, person_id, account_id"
            " FROM core.person_identity"
        ),
        "persons_have_one_account_each",
    ),
    (
        "a second account acts for an identified person",
        (
            "INSERT INTO core.account SELECT gen_random_uuid(), 'alipay', subject_hash, subject_sealed,"
            " bucket, person_id, created_at, erased_at FROM core.account"
        ),
        "persons_have_one_account_each",
    ),
    (
        "an identity's account acts for somebody else",
        "UPDATE core.account SET person_id = gen_random_uuid()",
        "persons_have_one_account_each",
    ),
    (
        "a verified person has no identity",
        "DELETE FROM core.person_identity",
        "persons_have_one_account_each",
    ),
]

_PERSON = """
    INSERT INTO core.person (bucket, id, verified_at, created_at) VALUES (5, :person, now(), now());
    INSERT INTO core.account (id, provider, subject_hash, subject_sealed, bucket, person_id, created_at)
    VALUES (:account, 'wechat', 'h', 's', 5, :person, now());
    INSERT INTO core.person_identity (identity_hash, bucket, person_id, account_id)
    VALUES ('identity', 5, :person, :account)
"""


@pytest.fixture(scope="module", autouse=True)
async def story(kit: Kit) -> None:
    campaign = await a_little_of_everything(kit, "integrity")
    async with kit.database.transaction() as tx:
        await pay_everything(tx, campaign, institution="hospital", kit=kit)
        for statement in _PERSON.split(";"):
            await tx.execute(text(statement), _PEOPLE)


_PEOPLE = {"person": new_id(), "account": new_id()}


async def run(kit: Kit, tx: Tx, name: str) -> dict[str, object]:
    now = kit.clock.now()
    return await store.answer(tx, CORE[name].sql, now=now, machine_now=machine_now(), seeds={})


async def test_every_check_accepts_a_sound_database(kit: Kit) -> None:
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok] == []
    assert {check.name for check in report.checks} >= {*CORE, AUDIT_CHAIN}


@pytest.mark.parametrize(("fault", "statements", "name"), PLANTED, ids=[fault for fault, _, _ in PLANTED])
async def test_planted_fault_is_found(kit: Kit, fault: str, statements: str, name: str) -> None:
    async with kit.database.transaction() as tx:
        # As a superuser behind the platform's back: without triggers and foreign keys.
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        touched = [(await tx.execute(text(statement))).rowcount for statement in statements.split(";")]
        assert all(touched), f"the test planted nothing: {fault}"
        found = await run(kit, tx, name)
        await tx.rollback()
    assert found["ok"] is False
    assert found["detail"]


async def test_every_core_check_is_proven_able_to_fail() -> None:
    assert {name for _, _, name in PLANTED} == set(CORE)


async def test_dead_rows_are_named_but_not_lost(kit: Kit) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(
            text(
                "INSERT INTO core.outbox (bucket, id, queue, kind, payload, state, next_at, created_at)"
                " VALUES (0, gen_random_uuid(), 'issuance', 'x', '{}', 'dead', now(), now())"
            )
        )
        found = await run(kit, tx, "outbox_rows_are_delivered_or_visibly_waiting")
        await tx.rollback()
    assert found["ok"] is True
    assert "1 dead" in str(found["detail"])


class TestAuditChain:
    FAULTS = (
        ("an entry was changed", "UPDATE core.audit_entry SET after = '{\"n\": 9}' WHERE seq = 2", 1),
        ("an entry was taken out", "DELETE FROM core.audit_entry WHERE seq = 2", 1),
        ("the log was cut off", "DELETE FROM core.audit_entry WHERE seq = 3", 2),
        (
            "two entries were swapped",
            (
                "UPDATE core.audit_entry SET seq = CASE seq WHEN 1 THEN -2 ELSE -1 END WHERE seq < 3;"
                "UPDATE core.audit_entry SET seq = -seq WHERE seq < 0"
            ),
            0,
        ),
        (
            "an entry was added without its place in the chain",
            (
                "INSERT INTO core.audit_entry SELECT 4, at, actor, action, object, before, after, entry_hash,"
                " sha256('') FROM core.audit_entry WHERE seq = 3"
            ),
            3,
        ),
        ("the head forgot the last entry", "UPDATE core.audit_head SET seq = 2", 3),
    )

    async def test_chain_is_whole_until_somebody_edits_it(self, kit: Kit) -> None:
        async with kit.database.transaction() as tx:
            for number in range(3):
                # Numbers that the database writes differently than we do.
                after = {"n": number, "share": 0.2, "big": 1e22, "zero": -0.0, "whole": 3.0, "tiny": 1e-7}
                await record(
                    tx, AuditEntry("system", "test", f"thing:{number}", after=after), at=kit.clock.now()
                )
        assert await self._fault(kit) is None
        for fault, statements, whole_until in self.FAULTS:
            await self._plant(kit, statements)
            report = await recompute(kit)
            chain = next(check for check in report.checks if check.name == AUDIT_CHAIN)
            assert not chain.ok, fault
            assert not report.ok
            assert chain.actual == whole_until, fault
            await self._undo(kit)
        assert await self._fault(kit) is None

    async def _fault(self, kit: Kit) -> str | None:
        report = await recompute(kit)
        return next(check.detail for check in report.checks if check.name == AUDIT_CHAIN)

    async def _plant(self, kit: Kit, statements: str) -> None:
        copies = "CREATE TABLE public.kept_{0} AS TABLE core.audit_{0}"
        await self._run(kit, copies.format("entry"), copies.format("head"), *statements.split(";"))

    async def _undo(self, kit: Kit) -> None:
        for table in ("entry", "head"):
            await self._run(
                kit,
                f"DELETE FROM core.audit_{table}",
                f"INSERT INTO core.audit_{table} TABLE public.kept_{table}",
                f"DROP TABLE public.kept_{table}",
            )

    @staticmethod
    async def _run(kit: Kit, *statements: str) -> None:
        async with kit.database.transaction() as tx:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            for statement in statements:
                await tx.execute(text(statement))


async def test_check_that_cannot_be_computed_fails_alone(kit: Kit) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text("ALTER TABLE core.tally_delta RENAME COLUMN amounts_fen TO gone"))
    try:
        report = await recompute(kit)
    finally:
        async with kit.database.transaction() as tx:
            await tx.execute(text("ALTER TABLE core.tally_delta RENAME COLUMN gone TO amounts_fen"))
    failed = [check for check in report.checks if not check.ok]
    assert [check.name for check in failed] == ["tallies_equal_the_recount_of_transfers"]
    assert "could not be computed" in str(failed[0].detail)


_DRAWN_PHASE = """
    INSERT INTO issuance.phase (id, campaign_id, seq, opens_at, closes_at, seed_sealed, seed_commitment)
    VALUES (:phase, :phase, 1, now(), now() + interval '1 day', :sealed, repeat('0', 64));
    INSERT INTO issuance.draw (bucket, id, campaign_id, phase_id, person_id, chance_id, channel, client_seed,
                               odds_version_id, value, won, drawn_at, day, day_no)
    SELECT 1, :phase, :phase, :phase, :phase, :phase, 'quiz', '', :phase, sha256(''), false, now(),
           current_date, 1
"""


async def test_seed_that_was_moved_from_another_phase_is_found(kit: Kit) -> None:
    phase, other = new_id(), new_id()
    sealed = kit.keys.sealer.seal(b"seed", context=seed_context(other))
    async with kit.database.transaction() as tx:
        await tx.execute(text("SET LOCAL session_replication_role = replica"))
        for statement in _DRAWN_PHASE.split(";"):
            await tx.execute(text(statement), {"phase": phase, "sealed": sealed})
    try:
        report = await recompute(kit)
    finally:
        async with kit.database.transaction() as tx:
            await tx.execute(text("SET LOCAL session_replication_role = replica"))
            await tx.execute(text("DELETE FROM issuance.draw"))
            await tx.execute(text("DELETE FROM issuance.phase"))
    found = next(check for check in report.checks if check.name == SEEDS_OPEN)
    assert (found.ok, found.expected, found.actual) == (False, 1, 0)
    assert str(phase) in str(found.detail)
    assert SEED_CONTEXT.format(phase_id=phase).encode() == seed_context(phase)

"""Builders of money and vouchers. They write below the services, with the aggregates' own functions."""

import secrets
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import text

from shared import ledger
from shared.clock import local_day
from shared.db import Tx
from shared.ids import BUCKETS, new_id
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef, VoucherType

TYPES = (
    VoucherType("checkup", "directed", "健康体检券", None, 30_000, 60),
    VoucherType("general_100", "general", "通用消费券100元", None, 10_000, 60),
)
# Shares that leave a remainder on most amounts, so that a split that is off by a fen shows.
PAYERS = (
    ledger.Payer("treasury", "州本级财政", 333_334),
    ledger.Payer("institutions", "相关服务机构", 333_333),
    ledger.Payer("insurance", "州级医保资金", 333_333),
)

_ISSUE = text("""
    SELECT core.vouchers_issue(:campaign, CAST(1 AS smallint), :type, :now, ARRAY[CAST(:bucket AS smallint)],
                               ARRAY[CAST(:id AS uuid)], ARRAY[CAST(:person AS uuid)],
                               ARRAY[CAST(:source AS uuid)], ARRAY[CAST(:code_hash AS bytea)],
                               ARRAY[CAST('' AS bytea)], 'system')
""")
_REDEEM = text("""
    SELECT applied_fen FROM core.vouchers_redeem(
        ARRAY[1], ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], ARRAY[:institution],
        ARRAY['terminal:t1'], ARRAY[CAST(:redemption AS uuid)], ARRAY[CAST(:now AS timestamptz)],
        ARRAY[CAST(:bill_fen AS bigint)], :now)
""")
# The rows that the redemption service writes beside it.
_KEEP = text("""
    WITH made AS (
        INSERT INTO redemption.redemption (
            bucket, id, voucher_id, institution_id, terminal_id, campaign_id, voucher_type, kind, request_no,
            bill_fen, applied_fen, payable_fen, split_fen, redeemed_at, received_at, source)
        SELECT v.bucket, t.source_id, v.id, t.institution_id, 't1', v.campaign_id, v.voucher_type, v.kind,
               'r', :bill_fen, core.amounts_total(t.amounts_fen),
               CASE v.kind WHEN 'general' THEN :bill_fen - core.amounts_total(t.amounts_fen) ELSE 0 END,
               t.amounts_fen, v.redeemed_at, t.at, 'online'
        FROM core.ledger_transfer t
        JOIN core.voucher v ON v.bucket = t.bucket AND v.id = t.voucher_id
        WHERE t.bucket = :bucket AND t.source_id = :redemption AND t.kind = 'redeem'
        RETURNING bucket, id
    )
    INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)
    SELECT bucket, gen_random_uuid(), 'redemption', 'redemption.redemption_counted',
           jsonb_build_object('redemption_id', core.hot_id_text(bucket, id)), now(), now()
    FROM made
""")
_UNDO = text("""
    WITH undone AS (
        UPDATE redemption.redemption SET state = 'reversed' WHERE bucket = :bucket AND id = :redemption
        RETURNING bucket, id, institution_id
    ), written AS (
        INSERT INTO redemption.reversal (
            bucket, id, outcome, redemption_id, institution_id, terminal_id, request_no, original_request_no,
            reason, actor, at)
        SELECT bucket, gen_random_uuid(), 'reversed', id, institution_id, 't1', 'r2', 'r', 'x', 'terminal:t1',
               :now
        FROM undone
    )
    INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)
    SELECT bucket, gen_random_uuid(), 'redemption', 'redemption.reversal_counted',
           jsonb_build_object('redemption_id', core.hot_id_text(bucket, id)), now(), now()
    FROM undone
""")
_RESTORE = text("""
    SELECT ord FROM core.vouchers_restore(
        ARRAY[1], ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], ARRAY[:institution],
        ARRAY['terminal:t1'], ARRAY[CAST(:redemption AS uuid)], :now)
""")
_END = text("""
    SELECT voucher_id FROM core.vouchers_end(
        ARRAY[CAST(:bucket AS smallint)], ARRAY[CAST(:id AS uuid)], :state, 'system', :now)
""")


@dataclass(frozen=True, slots=True)
class IssuedVoucher:
    bucket: int
    id: UUID


async def published_campaign(kit: Kit, slug: str, *, budget_fen: int = 1_000_000_00) -> CampaignRef:
    """A campaign with two voucher types and three payers."""
    now = kit.clock.now()
    campaign = CampaignRef(new_id(), slug, "健康消费券", "Asia/Shanghai", "published")
    async with kit.database.transaction() as tx:
        fund = ledger.Fund(PAYERS, budget_fen)
        assert await catalogue.publish(tx, campaign, types=TYPES, fund=fund, actor="system", now=now)
    return campaign


async def issued_voucher(kit: Kit, campaign: CampaignRef, voucher_type: str) -> IssuedVoucher:
    voucher = IssuedVoucher(secrets.randbelow(BUCKETS), new_id())
    async with kit.database.transaction() as tx:
        values = {
            "campaign": campaign.id,
            "type": voucher_type,
            "now": kit.clock.now(),
            "bucket": voucher.bucket,
            "id": voucher.id,
            "person": new_id(),
            "source": new_id(),
            "code_hash": secrets.token_bytes(16),
        }
        await tx.execute(_ISSUE, values)
    return voucher


async def redeemed(
    kit: Kit, voucher: IssuedVoucher, *, bill_fen: int | None = None, institution: str = "clinic"
) -> UUID:
    """Writes the voucher off; returns the redemption's id."""
    redemption = new_id()
    async with kit.database.transaction() as tx:
        values = _address(kit, voucher, institution=institution, redemption=redemption, bill_fen=bill_fen)
        (await tx.execute(_REDEEM, values)).one()
        await tx.execute(_KEEP, values)
    return redemption


async def restored(
    kit: Kit, voucher: IssuedVoucher, redemption: UUID, *, institution: str = "clinic"
) -> None:
    async with kit.database.transaction() as tx:
        values = _address(kit, voucher, institution=institution, redemption=redemption)
        (await tx.execute(_RESTORE, values)).one()
        await tx.execute(_UNDO, values)


async def ended(kit: Kit, voucher: IssuedVoucher, state: str) -> None:
    async with kit.database.transaction() as tx:
        (await tx.execute(_END, _address(kit, voucher, state=state))).one()


async def a_little_of_everything(kit: Kit, slug: str) -> CampaignRef:
    """A campaign with a voucher in each state, written off in full, in part, and reversed once."""
    campaign = await published_campaign(kit, slug)
    whole, part, again, expired, revoked, _open = [
        await issued_voucher(kit, campaign, kind)
        for kind in ("checkup", "general_100", "general_100", "checkup", "general_100", "checkup")
    ]
    await redeemed(kit, whole, institution="hospital")
    await redeemed(kit, part, bill_fen=3_333)
    await restored(kit, again, await redeemed(kit, again, bill_fen=7_001))
    await redeemed(kit, again, bill_fen=20_000)
    await ended(kit, expired, "expired")
    await ended(kit, revoked, "revoked")
    return campaign


_SETTLE_EVERYTHING = text("""
    WITH institution AS (
        INSERT INTO redemption.institution (id, name, category, created_by, created_at)
        VALUES (:institution, :institution, 'hospital', :id, :now)
    )
    INSERT INTO redemption.settlement_run (id, campaign_id, period_from, period_to, at)
    VALUES (:id, :campaign, CAST(:day AS date) - 100, CAST(:day AS date), :now)
""")
_SETTLED = text("SELECT redemption.settle_institution(:id, :id, :institution, NULL, :now)")
_PAID = text("""
    UPDATE redemption.settlement SET status = 'paid', confirmed_at = :now, paid_at = :now WHERE id = :id
    RETURNING split_fen
""")


async def pay_everything(tx: Tx, campaign: CampaignRef, *, institution: str, kit: Kit) -> None:
    """Settles what is owed to an institution and moves it to paid."""
    now = kit.clock.now() + timedelta(days=30)
    day = local_day(now, campaign.timezone)
    settlement = new_id()
    values = {
        "id": settlement,
        "institution": institution,
        "campaign": campaign.id,
        "day": day,
        "now": now,
    }
    await tx.execute(_SETTLE_EVERYTHING, values)
    await tx.execute(_SETTLED, values)
    owed = (await tx.execute(_PAID, values)).scalar_one()
    await ledger.settle(
        tx,
        campaign.id,
        ledger.Cause(settlement, "system", None, now, day),
        institution_id=institution,
        owed_fen=owed,
        taken_back_fen=[0] * len(owed),
    )


def _address(kit: Kit, voucher: IssuedVoucher, **more: object) -> dict[str, object]:
    return {"bucket": voucher.bucket, "id": voucher.id, "now": kit.clock.now(), **more}

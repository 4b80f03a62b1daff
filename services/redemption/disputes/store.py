"""SQL of disputes."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update

from services.redemption.corrections.tables import CorrectionRow
from services.redemption.disputes.tables import SettlementDisputeRow
from shared.db import Tx
from shared.ids import HotId, new_id

_IN_SETTLEMENT = text("""
    SELECT count(*) AS found, count(c.redemption_id) AS corrected,
           coalesce(sum(r.applied_fen), 0)::bigint AS amount_fen
    FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS item (bucket, id)
    JOIN redemption.redemption r ON r.bucket = item.bucket AND r.id = item.id
    LEFT JOIN redemption.correction c ON c.bucket = r.bucket AND c.redemption_id = r.id
    WHERE r.settlement_id = :settlement_id
""")
# The write-offs are locked in the order of their key, as a settlement run does; the next revision has the
# lines of the one before, and in its lines of corrections what is taken back now as well.
_WITHDRAW = text("""
    WITH wrong AS MATERIALIZED (
        SELECT r.bucket, r.id, r.campaign_id, r.institution_id, r.voucher_type, r.applied_fen, r.split_fen
        FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[])) AS item (bucket, id)
        JOIN redemption.redemption r ON r.bucket = item.bucket AND r.id = item.id
        WHERE r.settlement_id = :settlement_id AND r.state = 'redeemed'
        ORDER BY r.bucket, r.id
        FOR UPDATE OF r
    ), taken_back AS (
        INSERT INTO redemption.correction (
            bucket, redemption_id, campaign_id, institution_id, voucher_type, amount_fen, split_fen,
            original_settlement_id, settlement_id, dispute_id, reason, change_id, at)
        SELECT bucket, id, campaign_id, institution_id, voucher_type, applied_fen, split_fen,
               :settlement_id, :settlement_id, :dispute_id, :reason, :change_id, :now
        FROM wrong
        ON CONFLICT DO NOTHING
        RETURNING voucher_type, amount_fen, split_fen
    ), before AS (
        SELECT l.kind, l.voucher_type, l.count, l.amount_fen, l.split_fen, s.revision
        FROM redemption.settlement s
        JOIN redemption.settlement_line l ON l.settlement_id = s.id AND l.revision = s.revision
        WHERE s.id = :settlement_id
    ), part AS (
        SELECT kind, voucher_type, count AS n, amount_fen AS fen, split_fen AS split FROM before
        UNION ALL
        SELECT 'correction', voucher_type, 1, -amount_fen,
               (SELECT array_agg(-x ORDER BY i) FROM unnest(split_fen) WITH ORDINALITY AS u (x, i))
        FROM taken_back
    ), line AS (
        INSERT INTO redemption.settlement_line (
            settlement_id, revision, kind, voucher_type, count, amount_fen, split_fen)
        SELECT :settlement_id, (SELECT max(revision) FROM before) + 1, kind, voucher_type, sum(n),
               sum(fen)::bigint, core.amounts_sum(split)
        FROM part GROUP BY kind, voucher_type
        RETURNING kind, count, amount_fen, split_fen
    ), recomputed AS (
        UPDATE redemption.settlement SET
            revision = revision + 1,
            corrections = (SELECT coalesce(sum(count), 0) FROM line WHERE kind = 'correction'),
            amount_fen = (SELECT sum(amount_fen) FROM line),
            split_fen = (SELECT core.amounts_sum(split_fen) FROM line)
        WHERE id = :settlement_id
    )
    SELECT count(*) FROM taken_back
""")


@dataclass(frozen=True, slots=True)
class Dispute:
    """`withdrawn` are the write-offs that were taken back because it was right."""

    id: UUID
    note: str
    raised_at: datetime
    outcome: str | None
    reason: str | None
    ended_at: datetime | None
    withdrawn: Sequence[HotId] = ()


@dataclass(frozen=True, slots=True)
class Named:
    """Of the write-offs that somebody names: how many the settlement has, and what they are worth."""

    found: int
    corrected: int
    amount_fen: int


async def raise_dispute(tx: Tx, settlement_id: UUID, *, note: str, by: UUID, now: datetime) -> None:
    """The settlement has none that is open; the caller has locked it."""
    values = {"id": new_id(), "settlement_id": settlement_id, "note": note, "raised_at": now, "raised_by": by}
    await tx.execute(insert(SettlementDisputeRow).values(values))


async def open_dispute(tx: Tx, settlement_id: UUID) -> UUID | None:
    statement = select(SettlementDisputeRow.id).where(
        SettlementDisputeRow.settlement_id == settlement_id, SettlementDisputeRow.outcome.is_(None)
    )
    return (await tx.execute(statement)).scalar_one_or_none()


async def end_open(
    tx: Tx,
    settlement_id: UUID,
    outcome: str,
    *,
    by: UUID | None,
    now: datetime,
    reason: str | None = None,
    change_id: UUID | None = None,
) -> UUID | None:
    """Ends the one that is open, once; None when there is none. The caller has locked the settlement."""
    statement = (
        update(SettlementDisputeRow)
        .where(SettlementDisputeRow.settlement_id == settlement_id, SettlementDisputeRow.outcome.is_(None))
        .values(outcome=outcome, reason=reason, ended_at=now, ended_by=by, change_id=change_id)
        .returning(SettlementDisputeRow.id)
    )
    return (await tx.execute(statement)).scalar_one_or_none()


async def named(tx: Tx, settlement_id: UUID, write_offs: Sequence[HotId]) -> Named:
    row = (await tx.execute(_IN_SETTLEMENT, {"settlement_id": settlement_id, **_arrays(write_offs)})).one()
    return Named(row.found, row.corrected, row.amount_fen)


async def withdraw(
    tx: Tx,
    settlement_id: UUID,
    write_offs: Sequence[HotId],
    *,
    dispute_id: UUID,
    change_id: UUID,
    reason: str,
    now: datetime,
) -> int:
    """Takes them back in the settlement itself, which becomes its next revision; returns how many it took.

    The caller has locked the settlement as a draft. Locks the write-offs.
    """
    values = {
        "settlement_id": settlement_id,
        "dispute_id": dispute_id,
        "change_id": change_id,
        "reason": reason,
        "now": now,
        **_arrays(write_offs),
    }
    return int((await tx.execute(_WITHDRAW, values)).scalar_one())


async def of_settlement(tx: Tx, settlement_id: UUID) -> list[Dispute]:
    """All that there ever were, the first one first."""
    statement = (
        select(
            SettlementDisputeRow.id,
            SettlementDisputeRow.note,
            SettlementDisputeRow.raised_at,
            SettlementDisputeRow.outcome,
            SettlementDisputeRow.reason,
            SettlementDisputeRow.ended_at,
        )
        .where(SettlementDisputeRow.settlement_id == settlement_id)
        .order_by(SettlementDisputeRow.raised_at, SettlementDisputeRow.id)
    )
    found = (await tx.execute(statement)).all()
    withdrawn = await _withdrawn(tx, settlement_id)
    return [Dispute(*row, withdrawn=withdrawn.get(row.id, [])) for row in found]


async def _withdrawn(tx: Tx, settlement_id: UUID) -> dict[UUID, list[HotId]]:
    statement = (
        select(CorrectionRow.dispute_id, CorrectionRow.bucket, CorrectionRow.redemption_id)
        .where(CorrectionRow.settlement_id == settlement_id, CorrectionRow.dispute_id.is_not(None))
        .order_by(CorrectionRow.bucket, CorrectionRow.redemption_id)
    )
    found: defaultdict[UUID, list[HotId]] = defaultdict(list)
    for row in await tx.execute(statement):
        found[row.dispute_id].append(HotId(row.bucket, row.redemption_id))
    return found


def _arrays(write_offs: Sequence[HotId]) -> dict[str, Any]:
    return {"buckets": [one.bucket for one in write_offs], "ids": [one.uuid for one in write_offs]}

"""SQL of corrections."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text

from services.redemption.corrections.tables import CorrectionRow
from services.redemption.writeoff.tables import RedemptionRow
from shared.db import Tx
from shared.ids import HotId

# The write-off is frozen but for its state and settlement, and those two no longer change once it is
# settled: its own row is copied, and a correction that is there already wins.
_TAKE_BACK = text("""
    INSERT INTO redemption.correction (
        bucket, redemption_id, campaign_id, institution_id, voucher_type, amount_fen, split_fen,
        original_settlement_id, reason, change_id, at)
    SELECT bucket, id, campaign_id, institution_id, voucher_type, applied_fen, split_fen, settlement_id,
           :reason, :change_id, :now
    FROM redemption.redemption
    WHERE bucket = :bucket AND id = :id AND state = 'redeemed' AND settlement_id IS NOT NULL
    FOR UPDATE
    ON CONFLICT DO NOTHING
    RETURNING true
""")


@dataclass(frozen=True, slots=True)
class WriteOff:
    request_no: str
    institution_id: str
    voucher_type: str
    applied_fen: int
    state: str
    settlement_id: UUID | None
    corrected: bool


async def find(tx: Tx, address: HotId) -> WriteOff | None:
    """The write-off as it is now, and whether it was corrected."""
    statement = (
        select(
            RedemptionRow.request_no,
            RedemptionRow.institution_id,
            RedemptionRow.voucher_type,
            RedemptionRow.applied_fen,
            RedemptionRow.state,
            RedemptionRow.settlement_id,
            CorrectionRow.redemption_id.is_not(None),
        )
        .outerjoin(
            CorrectionRow,
            (CorrectionRow.bucket == RedemptionRow.bucket)
            & (CorrectionRow.redemption_id == RedemptionRow.id),
        )
        .where(RedemptionRow.bucket == address.bucket, RedemptionRow.id == address.uuid)
    )
    row = (await tx.execute(statement)).one_or_none()
    return None if row is None else WriteOff(*row)


async def take_back(tx: Tx, address: HotId, *, reason: str, change_id: UUID, now: datetime) -> bool:
    """Writes the correction of a settled write-off; False when there is one, or nothing to correct.

    Locks the write-off.
    """
    values = {
        "bucket": address.bucket,
        "id": address.uuid,
        "reason": reason,
        "change_id": change_id,
        "now": now,
    }
    return (await tx.execute(_TAKE_BACK, values)).one_or_none() is not None

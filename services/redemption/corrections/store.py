"""SQL of corrections."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import text

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

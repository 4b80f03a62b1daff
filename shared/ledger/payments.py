"""What is owed to an institution becomes paid, and what was paid in error comes back."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import insert

from shared.db import Tx
from shared.ledger.tables import TransferRow
from shared.metrics import store as metrics

# Moves that belong to a campaign and to no person lie together in the first bucket.
_CAMPAIGN_BUCKET = 0


async def settle(
    tx: Tx,
    campaign_id: UUID,
    settlement_id: UUID,
    *,
    institution_id: str,
    owed_fen: list[int],
    taken_back_fen: list[int],
    actor: str,
    now: datetime,
    day: date,
) -> None:
    """Moves what is owed to paid, and what had been paid for corrected write-offs back to available.

    Once for each settlement: the key of a transfer is its cause and kind. Two moves, because what one
    payer gets back may be more than it owes here.
    """
    moves = (("pay", "payable", "paid", owed_fen), ("recover", "paid", "available", taken_back_fen))
    for kind, debit, credit, amounts_fen in moves:
        if not any(amounts_fen):
            continue
        await tx.execute(
            insert(TransferRow).values(
                bucket=_CAMPAIGN_BUCKET,
                source_id=settlement_id,
                kind=kind,
                campaign_id=campaign_id,
                debit=debit,
                credit=credit,
                amounts_fen=amounts_fen,
                institution_id=institution_id,
                actor=actor,
                at=now,
            )
        )
        await metrics.add(tx, campaign_id, day, kind, dim2=institution_id, amounts_fen=amounts_fen)

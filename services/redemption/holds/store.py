"""SQL of holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import insert, select, text, tuple_, update

from services.redemption.holds.tables import SettlementHoldRow
from shared.db import Tx
from shared.ids import HotId, new_id

_LOCK_MEMBERSHIPS = text("""
    SELECT campaign_id FROM redemption.membership WHERE institution_id = :institution_id
    ORDER BY campaign_id
    FOR NO KEY UPDATE
""")
_WRITE_OFF = text("""
    SELECT state, settlement_id FROM redemption.redemption
    WHERE bucket = :bucket AND id = :id AND institution_id = :institution_id
    FOR SHARE
""")

# Set-based; `FOR SHARE` against being reversed or settled meanwhile, in the order of the key.
_PLACE_ALL = text("""
    WITH held AS MATERIALIZED (
        SELECT r.bucket, r.id AS redemption_id, item.hold_id
        FROM unnest(CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]), CAST(:hold_ids AS uuid[]))
            AS item (bucket, id, hold_id)
        JOIN redemption.redemption r ON r.bucket = item.bucket AND r.id = item.id
        WHERE r.institution_id = :institution_id AND r.state = 'redeemed' AND r.settlement_id IS NULL
        ORDER BY r.bucket, r.id
        FOR SHARE OF r
    )
    INSERT INTO redemption.settlement_hold (
        id, institution_id, bucket, redemption_id, reason, placed_by, placed_at)
    SELECT hold_id, :institution_id, bucket, redemption_id, :reason, :actor, :now FROM held
    RETURNING bucket, redemption_id, id
""")
_RELEASE_ALL = text("""
    UPDATE redemption.settlement_hold SET released_by = :actor, released_at = :now
    WHERE id = ANY(CAST(:ids AS uuid[])) AND released_at IS NULL
""")


@dataclass(frozen=True, slots=True)
class Hold:
    id: UUID
    institution_id: str
    bucket: int | None
    redemption_id: UUID | None
    reason: str
    placed_at: datetime
    released_at: datetime | None

    @property
    def redemption(self) -> HotId | None:
        if self.bucket is None or self.redemption_id is None:
            return None
        return HotId(self.bucket, self.redemption_id)


async def lock_memberships(tx: Tx, institution_id: str) -> bool:
    """Waits for a settlement of the institution that is under way; False for an unknown institution."""
    found = await tx.execute(_LOCK_MEMBERSHIPS, {"institution_id": institution_id})
    return len(found.all()) > 0


async def lock_write_off(tx: Tx, address: HotId, institution_id: str) -> tuple[str, UUID | None] | None:
    """State and settlement of a write-off of this institution, locked against being reversed or settled."""
    values = {"bucket": address.bucket, "id": address.uuid, "institution_id": institution_id}
    row = (await tx.execute(_WRITE_OFF, values)).one_or_none()
    return None if row is None else (row.state, row.settlement_id)


async def place(tx: Tx, hold: Hold, *, actor: str) -> None:
    await tx.execute(
        insert(SettlementHoldRow).values(
            id=hold.id,
            institution_id=hold.institution_id,
            bucket=hold.bucket,
            redemption_id=hold.redemption_id,
            reason=hold.reason,
            placed_by=actor,
            placed_at=hold.placed_at,
        )
    )


async def place_all(
    tx: Tx, institution_id: str, write_offs: Sequence[HotId], *, reason: str, actor: str, now: datetime
) -> dict[HotId, UUID]:
    """A hold for each that is live and in no settlement; the others are left out."""
    values = {
        "institution_id": institution_id,
        "buckets": [one.bucket for one in write_offs],
        "ids": [one.uuid for one in write_offs],
        "hold_ids": [new_id() for _ in write_offs],
        "reason": reason,
        "actor": actor,
        "now": now,
    }
    return {HotId(row.bucket, row.redemption_id): row.id for row in await tx.execute(_PLACE_ALL, values)}


async def release_all(tx: Tx, hold_ids: Sequence[UUID], *, actor: str, now: datetime) -> int:
    """How many of them were not released before."""
    values = {"ids": list(hold_ids), "actor": actor, "now": now}
    return (await tx.execute(_RELEASE_ALL, values)).rowcount


async def release(tx: Tx, hold_id: UUID, *, actor: str, now: datetime) -> bool:
    """False when there is none, or it was released before."""
    statement = (
        update(SettlementHoldRow)
        .where(SettlementHoldRow.id == hold_id, SettlementHoldRow.released_at.is_(None))
        .values(released_by=actor, released_at=now)
    )
    return (await tx.execute(statement)).rowcount == 1


async def by_id(tx: Tx, hold_id: UUID) -> Hold | None:
    row = (await tx.execute(select(*_COLUMNS).where(SettlementHoldRow.id == hold_id))).one_or_none()
    return None if row is None else Hold(*row)


async def page(
    tx: Tx,
    institution_id: str | None,
    *,
    open_only: bool,
    limit: int,
    after: tuple[datetime, UUID] | None,
) -> list[Hold]:
    """Newest first."""
    statement = select(*_COLUMNS)
    if institution_id is not None:
        statement = statement.where(SettlementHoldRow.institution_id == institution_id)
    if open_only:
        statement = statement.where(SettlementHoldRow.released_at.is_(None))
    if after is not None:
        statement = statement.where(tuple_(SettlementHoldRow.placed_at, SettlementHoldRow.id) < after)
    statement = statement.order_by(SettlementHoldRow.placed_at.desc(), SettlementHoldRow.id.desc())
    return [Hold(*row) for row in await tx.execute(statement.limit(limit))]


_COLUMNS = (
    SettlementHoldRow.id,
    SettlementHoldRow.institution_id,
    SettlementHoldRow.bucket,
    SettlementHoldRow.redemption_id,
    SettlementHoldRow.reason,
    SettlementHoldRow.placed_at,
    SettlementHoldRow.released_at,
)

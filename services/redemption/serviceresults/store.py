"""SQL of service results."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, text

from services.redemption.serviceresults.tables import ServiceResultRow
from shared.db import Tx
from shared.ids import HotId
from shared.jobs.kinds import Kind

# As they are stored; `failed` is a due one whose job is dead.
STATUSES = ("waiting", "due", "delivered", "undeliverable")

# Compare-and-set on the write-off itself: of a result and a reversal that cross, one finds the other's mark.
_TAKE = text("""
    UPDATE redemption.redemption r SET result_reported_at = :now
    FROM core.voucher_type t
    WHERE r.bucket = :bucket AND r.id = :id AND r.institution_id = :institution_id
      AND t.campaign_id = r.campaign_id AND t.key = r.voucher_type AND t.reports_result_to_health_code
      AND r.state = 'redeemed' AND r.result_reported_at IS NULL
    RETURNING r.campaign_id
""")
_STANDING = text("""
    SELECT r.state, r.result_reported_at IS NOT NULL AS reported, t.reports_result_to_health_code AS reports
    FROM redemption.redemption r
    JOIN core.voucher_type t ON t.campaign_id = r.campaign_id AND t.key = r.voucher_type
    WHERE r.bucket = :bucket AND r.id = :id AND r.institution_id = :institution_id
""")
_BEGIN = text("""
    UPDATE redemption.service_result s SET attempts = s.attempts + 1
    FROM redemption.redemption r
    JOIN redemption.institution i ON i.id = r.institution_id
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    LEFT JOIN core.person p ON p.bucket = v.bucket AND p.id = v.person_id
    WHERE s.bucket = :bucket AND s.redemption_id = :id AND s.status = 'due'
      AND r.bucket = s.bucket AND r.id = s.redemption_id
    RETURNING s.content_sealed, i.name, v.person_id, p.name_sealed, p.id_number_sealed
""")
_END = text("""
    UPDATE redemption.service_result SET status = :status, content_sealed = NULL,
           delivered_at = CASE WHEN :status = 'delivered' THEN CAST(:now AS timestamptz) END
    WHERE bucket = :bucket AND redemption_id = :id AND status = 'due'
""")
_PUT_BACK = text("""
    UPDATE redemption.service_result SET status = 'waiting'
    WHERE bucket = :bucket AND redemption_id = :id AND status = 'due'
""")
_GIVE_UP_FORGOTTEN = text("""
    UPDATE redemption.service_result s SET status = 'undeliverable', content_sealed = NULL
    FROM redemption.redemption r
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    LEFT JOIN core.person p ON p.bucket = v.bucket AND p.id = v.person_id
    WHERE s.status IN ('waiting', 'due') AND r.bucket = s.bucket AND r.id = s.redemption_id
      AND p.id_number_sealed IS NULL
""")
_TAKE_UP = text("""
    UPDATE redemption.service_result s SET status = 'due'
    FROM (SELECT bucket, redemption_id FROM redemption.service_result
          WHERE status = 'waiting' ORDER BY reported_at, redemption_id LIMIT :limit
          FOR UPDATE SKIP LOCKED) AS first
    WHERE s.bucket = first.bucket AND s.redemption_id = first.redemption_id
    RETURNING s.bucket, s.redemption_id
""")
_DEAD = """
    EXISTS (SELECT FROM core.outbox o
            WHERE o.bucket = s.bucket AND o.kind = :kind AND o.state = 'dead'
              AND o.payload ->> 'redemption_id' = core.hot_id_text(s.bucket, s.redemption_id))
"""
_ITEM = f"""
    SELECT s.bucket, s.redemption_id, s.institution_id, s.terminal_id,
           CASE WHEN s.status = 'due' AND {_DEAD} THEN 'failed' ELSE s.status END AS status,
           s.attempts, s.reported_at, s.delivered_at
    FROM redemption.service_result s
"""
_ONE = text(
    _ITEM + "WHERE s.bucket = :bucket AND s.redemption_id = :id AND s.institution_id = :institution_id"
)
_PAGE = text(f"""
    SELECT * FROM ({_ITEM}) AS item
    WHERE status = ANY (CAST(:statuses AS text[]))
      AND (CAST(:after_at AS timestamptz) IS NULL
           OR (reported_at, redemption_id) < (CAST(:after_at AS timestamptz), CAST(:after_id AS uuid)))
    ORDER BY reported_at DESC, redemption_id DESC LIMIT :limit
""")
_COUNTS = text("SELECT status, count(*) AS n FROM redemption.service_result GROUP BY status")


@dataclass(frozen=True, slots=True)
class Standing:
    state: str
    reported: bool
    reports: bool


@dataclass(frozen=True, slots=True)
class Begun:
    """A result that is to be delivered now; the person's fields are None when it was forgotten."""

    content_sealed: bytes
    institution: str
    person_id: UUID
    name_sealed: bytes | None
    id_number_sealed: bytes | None


@dataclass(frozen=True, slots=True)
class Item:
    bucket: int
    redemption_id: UUID
    institution_id: str
    terminal_id: str
    status: str
    attempts: int
    reported_at: datetime
    delivered_at: datetime | None


def _at(address: HotId) -> dict[str, Any]:
    return {"bucket": address.bucket, "id": address.uuid}


async def take(tx: Tx, address: HotId, institution_id: str, now: datetime) -> UUID | None:
    """Marks the write-off as reported and returns its campaign; None when it may not be. Locks it."""
    values = {**_at(address), "institution_id": institution_id, "now": now}
    return (await tx.execute(_TAKE, values)).scalar_one_or_none()


async def standing(tx: Tx, address: HotId, institution_id: str) -> Standing | None:
    """The write-off of that institution as it is now; None when there is none."""
    values = {**_at(address), "institution_id": institution_id}
    row = (await tx.execute(_STANDING, values)).one_or_none()
    return None if row is None else Standing(*row)


async def insert_result(tx: Tx, values: dict[str, Any]) -> None:
    await tx.execute(insert(ServiceResultRow).values(**values))


async def begin(tx: Tx, address: HotId) -> Begun | None:
    """Counts an attempt; None when it is not due (any more)."""
    row = (await tx.execute(_BEGIN, _at(address))).one_or_none()
    return None if row is None else Begun(*row)


async def end(tx: Tx, address: HotId, status: str, now: datetime) -> None:
    """Delivered or undeliverable: what it says is dropped."""
    await tx.execute(_END, {**_at(address), "status": status, "now": now})


async def put_back(tx: Tx, address: HotId) -> None:
    """Nobody takes it now: it waits."""
    await tx.execute(_PUT_BACK, _at(address))


async def give_up_forgotten(tx: Tx) -> None:
    """What would still go out about a person who was forgotten is dropped, whatever became of its job."""
    await tx.execute(_GIVE_UP_FORGOTTEN)


async def take_up(tx: Tx, limit: int) -> list[HotId]:
    """Makes those that wait due, the oldest first; the caller writes their jobs."""
    return [HotId(*row) for row in await tx.execute(_TAKE_UP, {"limit": limit})]


async def one(tx: Tx, address: HotId, institution_id: str) -> Item | None:
    values = {**_at(address), "institution_id": institution_id, "kind": Kind.SERVICE_RESULT_DUE}
    row = (await tx.execute(_ONE, values)).one_or_none()
    return None if row is None else Item(*row)


async def page(
    tx: Tx, statuses: Sequence[str], *, after: tuple[datetime, UUID] | None, limit: int
) -> list[Item]:
    """The newest first, from behind a place."""
    after_at, after_id = after or (None, None)
    values = {
        "statuses": list(statuses),
        "after_at": after_at,
        "after_id": after_id,
        "limit": limit,
        "kind": Kind.SERVICE_RESULT_DUE,
    }
    return [Item(*row) for row in await tx.execute(_PAGE, values)]


async def counts(tx: Tx) -> dict[str, int]:
    """How many there are of each stored status."""
    return {row.status: row.n for row in await tx.execute(_COUNTS)}

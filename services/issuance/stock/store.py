"""SQL that looks at stock; it locks nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

# By the index on campaign and issue; a hundred thousand vouchers take some 50 ms.
_SHELVES = text("""
    WITH counted AS (
        SELECT v.phase_seq, v.voucher_type,
               count(*) FILTER (WHERE v.state = 'redeemed') AS redeemed,
               count(*) FILTER (WHERE v.state = 'issued' AND v.valid_until > :now) AS outstanding,
               count(*) FILTER (WHERE v.state = 'expired' OR v.state = 'issued' AND v.valid_until <= :now)
                   AS expired,
               count(*) FILTER (WHERE v.state = 'revoked') AS revoked,
               count(*) FILTER (WHERE v.issued_at >= greatest(p.opens_at, CAST(:since AS timestamptz)))
                   AS lately
        FROM core.voucher v
        JOIN issuance.phase p ON p.campaign_id = v.campaign_id AND p.seq = v.phase_seq
        WHERE v.campaign_id = :campaign_id
        GROUP BY v.phase_seq, v.voucher_type
    )
    SELECT p.seq, p.opens_at, p.closes_at, p.release_seconds, s.voucher_type, t.name, s.put_in, s.remaining,
           s.issued, s.returned, s.release_amount, coalesce(c.redeemed, 0), coalesce(c.outstanding, 0),
           coalesce(c.expired, 0), coalesce(c.revoked, 0), coalesce(c.lately, 0)
    FROM issuance.phase p
    JOIN issuance.phase_stock s ON s.phase_id = p.id
    JOIN core.voucher_type t ON t.campaign_id = p.campaign_id AND t.key = s.voucher_type
    LEFT JOIN counted c ON c.phase_seq = p.seq AND c.voucher_type = s.voucher_type
    WHERE p.campaign_id = :campaign_id
    ORDER BY p.seq, t.position
""")


@dataclass(frozen=True, slots=True)
class Row:
    """`lately` was claimed within the window of the pace; what was issued is in one of the four states."""

    phase: int
    opens_at: datetime
    closes_at: datetime
    release_seconds: int | None
    voucher_type: str
    name: str
    put_in: int
    remaining: int
    issued: int
    returned: int
    release_amount: int | None
    redeemed: int
    outstanding: int
    expired: int
    revoked: int
    lately: int


async def rows(tx: Tx, campaign_id: UUID, *, now: datetime, since: datetime) -> list[Row]:
    """Each phase and type, in the order in which people see them."""
    values = {"campaign_id": campaign_id, "now": now, "since": since}
    return [Row(*row) for row in await tx.execute(_SHELVES, values)]

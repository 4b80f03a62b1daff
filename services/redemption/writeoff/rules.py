"""What can be decided about a write-off without the database. Pure."""

from datetime import UTC, datetime

from shared.signing import SKEW
from shared.vouchers.offline import LATE_ARRIVAL

# A bill above this is a typing error: 1,000 million yuan.
BILL_FEN_MAX = 100_000_000_000

# A till's clock may be as far ahead as its signature allows; what it tells then counts as now.
FUTURE_MAX = SKEW

# Before this no till of ours existed; also keeps absurd years away from the database.
_FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)

TOO_LATE = "too_late"
IN_FUTURE = "used_at_in_future"


def time_fault(used_at: datetime | None, now: datetime) -> str | None:
    """Why a time of use cannot decide validity: `too_late`, `used_at_in_future`, or None when it can."""
    if used_at is None:
        return None
    if used_at > now + FUTURE_MAX:
        return IN_FUTURE
    if used_at < now - LATE_ARRIVAL:
        return TOO_LATE
    return None


def storable(used_at: datetime | None) -> datetime | None:
    """The time of use as it may be compared and kept."""
    return None if used_at is None else max(used_at, _FIRST_DAY)


def applied_fen(kind: str, amount_fen: int, bill_fen: int | None) -> int:
    """What a voucher pays: a directed one its price, a general one at most its face value.

    Without a bill it is the most that a general voucher could pay.
    """
    if kind == "directed" or not bill_fen:
        return amount_fen
    return min(amount_fen, bill_fen)

"""Settlement decisions. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from uuid import UUID

from shared.errors import Fault

Status = Literal["draft", "confirmed", "paid"]
LineKind = Literal["redemption", "correction"]
HeldCause = Literal["hold_period", "write_off_hold", "institution_hold"]

# A longer period is a slip of the pen: programmes are settled by the week or month.
PERIOD_DAYS_MAX = 366


@dataclass(frozen=True, slots=True)
class Settlement:
    id: UUID
    campaign_id: UUID
    institution_id: str
    institution: str
    credit_code: str | None
    first: date
    last: date
    count: int
    corrections: int
    amount_fen: int
    split_fen: Sequence[int]
    status: Status
    created_at: datetime
    disputed_at: datetime | None
    dispute_note: str | None
    confirmed_at: datetime | None
    paid_at: datetime | None
    run_id: UUID
    revision: int = 1
    payee_account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class HeldBack:
    """What a run left out of an institution's settlement, together by the cause."""

    cause: HeldCause
    count: int
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Item:
    """A write-off of a settlement, or a correction in it (then below zero, with its reason)."""

    kind: LineKind
    bucket: int
    id: UUID
    request_no: str
    voucher_type: str
    redeemed_at: datetime
    bill_fen: int | None
    amount_fen: int
    reason: str | None
    operator: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """Write-offs of one type, or corrections of one (then below zero)."""

    kind: LineKind
    voucher_type: str
    count: int
    amount_fen: int
    split_fen: Sequence[int]


@dataclass(frozen=True, slots=True)
class Moves:
    """What paying a settlement moves, per payer: owed for write-offs, and taken back for corrections."""

    owed_fen: list[int]
    taken_back_fen: list[int]


def period_faults(first: date, last: date) -> tuple[Fault, ...]:
    if last < first:
        return (Fault("body.to", "lies before `from`", "period_order"),)
    if (last - first).days >= PERIOD_DAYS_MAX:
        return (Fault("body.to", f"a period has {PERIOD_DAYS_MAX} days at the most", "period_length"),)
    return ()


def hold_days(campaigns: int | None, platforms: int) -> int:
    """The campaign's hold period in days; where it has none of its own, the platform's."""
    return platforms if campaigns is None else campaigns


def received_until(now: datetime, hold_days: int) -> datetime | None:
    """What reached us later is still within the hold period; None where there is none."""
    return now - timedelta(days=hold_days) if hold_days else None


def moves_of(lines: Sequence[Line], payers: int) -> Moves:
    """Gross, because one payer's part of the net amount may be below zero while another's is not."""
    owed, taken_back = [0] * payers, [0] * payers
    for line in lines:
        for place, fen in enumerate(line.split_fen):
            if line.kind == "redemption":
                owed[place] += fen
            else:
                taken_back[place] -= fen
    return Moves(owed, taken_back)


def counts_by_type(lines: Sequence[Line]) -> dict[str, int]:
    """Write-offs by voucher type; corrections stand apart."""
    return {line.voucher_type: line.count for line in lines if line.kind == "redemption"}

"""What the redemption service answers a till, as types: what misses a field of them is no answer."""

from datetime import datetime
from typing import Literal

import msgspec


class Verification(msgspec.Struct, frozen=True):
    """`reason` is the code that a write-off would be refused with, None when it is redeemable."""

    redeemable: bool
    reason: str | None
    voucher_type: str | None
    kind: str | None
    applied_fen: int | None
    holder_masked: str | None
    valid_until: datetime | None


class Redemption(msgspec.Struct, frozen=True):
    id: str
    request_no: str
    status: Literal["redeemed"]
    voucher_type: str
    applied_fen: int
    payable_fen: int
    redeemed_at: datetime


class Lookup(msgspec.Struct, frozen=True):
    """What became of a request: redeemed, reversed, or blocked (then the rest is None)."""

    request_no: str
    status: Literal["redeemed", "reversed", "blocked"]
    id: str | None
    voucher_type: str | None
    applied_fen: int | None
    payable_fen: int | None
    redeemed_at: datetime | None
    operator: str | None = None


class Reversal(msgspec.Struct, frozen=True):
    """`status`: reversed, or blocked when the original was never seen (it never will be accepted)."""

    id: str
    request_no: str
    original_request_no: str
    status: Literal["reversed", "blocked"]
    redemption_id: str | None
    reversed_at: datetime


class OperatorName(msgspec.Struct, frozen=True):
    code: str
    label: str


class Roster(msgspec.Struct, frozen=True):
    """Who works at the till; where they are `required`, a write-off without one of them is refused."""

    required: bool
    items: list[OperatorName]


class OperatorTotals(msgspec.Struct, frozen=True):
    """`operator` None: nobody was named."""

    operator: str | None
    count: int
    applied_fen: int


class OfflineItem(msgspec.Struct, frozen=True, omit_defaults=True):
    """A voucher that was used without a line, at a time that the till remembers."""

    request_no: str
    voucher: str
    used_at: datetime
    bill_fen: int | None = None
    operator: str | None = None


class OfflineResult(msgspec.Struct, frozen=True):
    """`outcome`: redeemed, duplicate, conflict or refused; `reason` for the last two."""

    request_no: str
    outcome: Literal["redeemed", "duplicate", "conflict", "refused"]
    reason: str | None
    redemption_id: str | None


class Upload(msgspec.Struct, frozen=True):
    batch_no: str
    results: list[OfflineResult]


class Totals(msgspec.Struct, frozen=True):
    count: int
    applied_fen: int


class DayLine(msgspec.Struct, frozen=True):
    id: str
    request_no: str
    voucher_type: str
    applied_fen: int
    redeemed_at: datetime
    operator: str | None = None


class DayClose(msgspec.Struct, frozen=True):
    """`items`: where the totals differ, what the service has of that day.

    `operators`: the service's totals by operator, where any was named that day.
    """

    matched: bool
    server: Totals
    items: list[DayLine] | None = None
    operators: list[OperatorTotals] | None = None


class Activated(msgspec.Struct, frozen=True):
    terminal_id: str
    terminal_key: str
    institution_id: str


class CheckedIn(msgspec.Struct, frozen=True):
    terminal_key: str
    server_time: datetime

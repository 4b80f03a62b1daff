"""When pieces of a phase become claimable, and what can be carried over from one phase to another. Pure.

A release plan spreads a phase's stock over its time: so many pieces at the opening and as many more at each
step from it; what is not taken accumulates. The SQL twin of `claimable` stands in wallet/functions.sql.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.money import split_fen

Every = Literal["hour", "day"]

STEP_SECONDS: Mapping[Every, int] = {"hour": 3600, "day": 86_400}


@dataclass(frozen=True, slots=True)
class Release:
    """`amount` pieces at `opens_at` and every `step_seconds` from it; from `closes_at` on everything."""

    opens_at: datetime
    closes_at: datetime
    step_seconds: int
    amount: int

    def released(self, at: datetime) -> int | None:
        """How many pieces were released by then; None for all of them."""
        if at >= self.closes_at:
            return None
        if at < self.opens_at:
            return 0
        return self.amount * ((at - self.opens_at) // timedelta(seconds=self.step_seconds) + 1)

    def claimable(self, remaining: int, issued: int, at: datetime) -> int:
        """How many of what remains can be claimed now."""
        released = self.released(at)
        return remaining if released is None else max(0, min(remaining, released - issued))

    def next_at(self, issued: int, at: datetime) -> datetime | None:
        """When the next piece can be claimed, if none can be now though some remain; None when one can."""
        released = self.released(at)
        if released is None or released > issued:
            return None
        step = issued // self.amount
        return min(self.opens_at + timedelta(seconds=self.step_seconds * step), self.closes_at)


@dataclass(frozen=True, slots=True)
class Unspent:
    """A type's stock in a phase that is over; `returned` expired vouchers were carried over before."""

    voucher_type: str
    amount_fen: int
    remaining: int
    expired: int
    returned: int


def carried_unspent(stock: Sequence[Unspent], left_to_award: int) -> dict[str, int]:
    """What remains, type by type in their order, but no more than open awards leave."""
    carried = {}
    for entry in stock:
        pieces = min(entry.remaining, left_to_award)
        if pieces > 0:
            carried[entry.voucher_type] = pieces
            left_to_award -= pieces
    return carried


def carried_expired(
    stock: Sequence[Unspent], back_fen: Mapping[str, Sequence[int]], shares_ppm: Sequence[int]
) -> dict[str, int]:
    """Pieces of expired vouchers whose value every payer got back and that were not carried over before.

    `back_fen` is what each payer got back and still has of it, by type. With other shares than the vouchers
    were issued with a payer's part may be larger now; then it bears fewer pieces.
    """
    carried = {}
    for entry in stock:
        pieces = entry.expired - entry.returned
        parts = split_fen(entry.amount_fen, shares_ppm)
        for part, back in zip(parts, back_fen.get(entry.voucher_type, ()), strict=False):
            if part:
                pieces = min(pieces, back // part)
        if pieces > 0:
            carried[entry.voucher_type] = pieces
    return carried

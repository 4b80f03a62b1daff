"""A small model of what tills may do with vouchers: it foretells how every message that arrives is answered.

It knows the contract and nothing of how the platform is built.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

VALIDITY = timedelta(days=60)
SKEW = timedelta(seconds=300)


@dataclass(slots=True)
class Voucher:
    code: str
    valid_until: datetime
    spent_by: "Redemption | None" = None


@dataclass(slots=True)
class Redemption:
    voucher: Voucher
    body: str
    live: bool = True


@dataclass(frozen=True, slots=True)
class Redeem:
    """A message of a till; `bill_fen` makes two bodies under one number differ."""

    number: str
    voucher: Voucher
    bill_fen: int

    @property
    def body(self) -> str:
        return f"{self.voucher.code} {self.bill_fen}"


@dataclass(frozen=True, slots=True)
class Reverse:
    number: str
    original: str


Message = Redeem | Reverse


@dataclass(slots=True)
class Till:
    institution: int
    redemptions: dict[str, Redemption] = field(default_factory=dict)
    blocked: set[str] = field(default_factory=set)
    reversals: dict[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(slots=True)
class Truth:
    """What is true at the platform. `arrives` takes effect and says how the message is answered."""

    tills: list[Till]

    def arrives(self, at: int, message: Message, now: datetime) -> str:
        """A refusal's code, or what was done; `again …` for a repetition."""
        if isinstance(message, Redeem):
            return self._redeem(self.tills[at], message, now)
        return self._reverse(self.tills[at], message)

    def status(self, at: int, number: str) -> str | None:
        """What a till is told that asks for a number whose answer it lost."""
        till = self.tills[at]
        if number in till.blocked:
            return "blocked"
        known = till.redemptions.get(number)
        if known is None:
            return None
        return "redeemed" if known.live else "reversed"

    def _redeem(self, till: Till, message: Redeem, now: datetime) -> str:
        if message.number in till.blocked:
            return "reversed_before_arrival"
        known = till.redemptions.get(message.number)
        if known is not None:
            return "again redeemed" if known.body == message.body else "request_no_reused"
        if message.voucher.spent_by is not None:
            return "already_redeemed"
        if now >= message.voucher.valid_until:
            return "voucher_expired"
        made = Redemption(message.voucher, message.body)
        till.redemptions[message.number] = message.voucher.spent_by = made
        return "redeemed"

    def _reverse(self, till: Till, message: Reverse) -> str:
        told = till.reversals.get(message.number)
        if told is not None:
            original, outcome = told
            return f"again {outcome}" if original == message.original else "request_no_reused"
        house = [other for other in self.tills if other.institution == till.institution]
        found = [
            other.redemptions[message.original] for other in house if message.original in other.redemptions
        ]
        if not found:
            for other in house:
                other.blocked.add(message.original)
            till.reversals[message.number] = (message.original, "blocked")
            return "blocked"
        (redemption,) = found
        if not redemption.live:
            return "already_reversed"
        redemption.live = False
        redemption.voucher.spent_by = None
        till.reversals[message.number] = (message.original, "reversed")
        return "reversed"

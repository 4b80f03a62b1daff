"""What the people of Honghe's story did, counted by themselves, to hold the platform's figures against."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.simulator.citizens import Citizen


@dataclass(slots=True)
class Guest:
    """A citizen of the story. `won` counts vouchers and open awards alike, as the person limit does."""

    citizen: Citizen
    chances: int = 0
    won: int = 0


@dataclass(frozen=True, slots=True)
class Holding:
    """A voucher in somebody's wallet, claimed on that day of the story."""

    guest: Guest
    voucher: dict[str, Any]
    day: int

    @property
    def voucher_type(self) -> str:
        return str(self.voucher["voucher_type"])

    @property
    def general(self) -> bool:
        return bool(self.voucher["kind"] == "general")


@dataclass(frozen=True, slots=True)
class Used:
    """A live write-off: where, on which day, of what and for how much."""

    institution_id: str
    day: int
    voucher_type: str
    applied_fen: int


@dataclass(slots=True)
class Books:
    attempts: int = 0
    passed: int = 0
    draws: int = 0
    won: int = 0
    issued: Counter[str] = field(default_factory=Counter)
    # channel → accepted, so far
    accepted: Counter[str] = field(default_factory=Counter)
    waiting: int = 0
    # request number → the write-off that stands
    used: dict[str, Used] = field(default_factory=dict)
    reversed: int = 0
    manual: int = 0
    conflicts: int = 0

    @property
    def applied_fen(self) -> int:
        return sum(one.applied_fen for one in self.used.values())

    def by_institution(self, *, until: int | None = None) -> dict[str, int]:
        """Live write-offs, of the days up to `until` (included) or of all."""
        return dict(Counter(one.institution_id for one in self._until(until)))

    def fen_by_institution(self, *, until: int | None = None) -> dict[str, int]:
        fen: Counter[str] = Counter()
        for one in self._until(until):
            fen[one.institution_id] += one.applied_fen
        return dict(fen)

    def _until(self, day: int | None) -> list[Used]:
        return [one for one in self.used.values() if day is None or one.day <= day]

"""The service's figures out of the rolled-up ones. Pure.

Live write-offs are what counts: written off, less what was reversed. Reversed ones stand apart.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from shared.metrics.store import Figure

REDEEM, REVERSE = "redeem", "reverse"
MEASURES = [REDEEM, REVERSE]


@dataclass(slots=True)
class Sum:
    """Live write-offs and their money; `reversed` counts those that were undone."""

    count: int = 0
    applied_fen: int = 0
    reversed: int = 0

    def add(self, figure: Figure) -> None:
        if figure.measure == REDEEM:
            self.count += figure.n
            self.applied_fen += figure.fen
        else:
            self.count -= figure.n
            self.applied_fen -= figure.fen
            self.reversed += figure.n


@dataclass(slots=True)
class Totals:
    """`by_payer` is in the order of the fund that the figures belong to."""

    all: Sum = field(default_factory=Sum)
    by_voucher_type: defaultdict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    by_institution: defaultdict[str, Sum] = field(default_factory=lambda: defaultdict(Sum))
    by_day: defaultdict[date, Sum] = field(default_factory=lambda: defaultdict(Sum))
    by_payer: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))


def add_up(totals: Totals, figures: Iterable[Figure], payer_keys: Sequence[str]) -> None:
    """Adds one campaign's figures (measures `redeem` and `reverse`, by type and institution)."""
    for key in payer_keys:
        totals.by_payer[key] += 0
    for figure in figures:
        totals.all.add(figure)
        totals.by_voucher_type[figure.dim].add(figure)
        totals.by_institution[figure.dim2].add(figure)
        totals.by_day[figure.day].add(figure)
        sign = 1 if figure.measure == REDEEM else -1
        for key, fen in zip(payer_keys, figure.amounts_fen or (), strict=True):
            totals.by_payer[key] += sign * fen

"""Issuance's figures out of the rolled-up ones, and whether the draws keep what was announced. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache

from shared.binomial import quick_two_sided_p
from shared.metrics.store import Figure
from shared.money import PPM
from shared.rates import from_ppm

# What the hot operations count: an attempt that was answered (passed, failed), a person's first attempt of
# a day, chances by channel, draws by outcome and by the odds they were made at, vouchers by type and by the
# channel that their chance came from, activities by channel and what became of them, accepted shares and
# leads by what kind they are.
ATTEMPT, PARTICIPANT, CHANCE = "attempt", "participant", "chance"
DRAW, DRAW_AT_ODDS, ISSUE = "draw", "draw_at_odds", "issue"
ISSUE_WAY, ACTIVITY, KIND = "issue_way", "activity", "kind"
MEASURES = [ATTEMPT, PARTICIPANT, CHANCE, DRAW, DRAW_AT_ODDS, ISSUE, ISSUE_WAY, ACTIVITY, KIND]

# What a day's line is made of.
_DAILY = frozenset({ATTEMPT, PARTICIPANT, CHANCE, DRAW, ISSUE})

_PPM_PLACES = Decimal("0.000001")


@dataclass(slots=True)
class Sums:
    attempts: int = 0
    participants: int = 0
    passed: int = 0
    chances: int = 0
    draws: int = 0
    wins: int = 0
    issued: int = 0

    def add(self, figure: Figure) -> None:
        match figure.measure, figure.dim:
            case "attempt", outcome:
                self.attempts += figure.n
                self.passed += figure.n if outcome == "passed" else 0
            case "participant", _:
                self.participants += figure.n
            case "chance", _:
                self.chances += figure.n
            case "draw", outcome:
                self.draws += figure.n
                self.wins += figure.n if outcome == "won" else 0
            case "issue", _:
                self.issued += figure.n
            case _:
                pass


@dataclass(slots=True)
class Way:
    """What came in one way, and what became of it.

    Of the quiz an attempt that passed was accepted, one that failed was rejected.
    """

    accepted: int = 0
    rejected: int = 0
    pending: int = 0
    chances: int = 0
    draws: int = 0
    wins: int = 0
    issued: int = 0

    @property
    def submitted(self) -> int:
        return self.accepted + self.rejected + self.pending

    def count(self, state: str, n: int) -> None:
        match state:
            case "accepted" | "passed":
                self.accepted += n
            case "rejected" | "failed":
                self.rejected += n
            case _:
                self.pending += n


@dataclass(slots=True)
class Totals:
    """`draws_at` counts draws by the odds (ppm) that were in force when they were made.

    `ways` are by channel, `kinds` the accepted shares and leads by channel and what kind they are.
    """

    all: Sums = field(default_factory=Sums)
    by_day: defaultdict[date, Sums] = field(default_factory=lambda: defaultdict(Sums))
    issued_by_type: Counter[str] = field(default_factory=Counter)
    draws_at: Counter[int] = field(default_factory=Counter)
    ways: defaultdict[str, Way] = field(default_factory=lambda: defaultdict(Way))
    kinds: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add_way(self, figure: Figure) -> None:
        """Adds a figure to its channel's line, if it is one of a channel."""
        match figure.measure:
            case "attempt":
                self.ways["quiz"].count(figure.dim, figure.n)
            case "activity":
                self.ways[figure.dim].count(figure.dim2, figure.n)
            case "chance":
                self.ways[figure.dim].chances += figure.n
            case "draw":
                way = self.ways[figure.dim2]
                way.draws += figure.n
                way.wins += figure.n if figure.dim == "won" else 0
            case "issue_way":
                self.ways[figure.dim].issued += figure.n
            case _:
                pass


def add_up(figures: Iterable[Figure]) -> Totals:
    totals = Totals()
    for figure in figures:
        if figure.measure == DRAW_AT_ODDS:
            totals.draws_at[int(figure.dim)] += figure.n
            continue
        totals.add_way(figure)
        if figure.measure == KIND:
            totals.kinds[figure.dim][figure.dim2] += figure.n
        if figure.measure not in _DAILY:
            continue
        totals.all.add(figure)
        totals.by_day[figure.day].add(figure)
        if figure.measure == ISSUE:
            totals.issued_by_type[figure.dim] += figure.n
    return totals


def observed_odds(sums: Sums) -> Decimal | None:
    """Wins ÷ draws, rounded to six decimals; None before the first draw."""
    return None if sums.draws == 0 else (Decimal(sums.wins) / sums.draws).quantize(_PPM_PLACES)


def announced_odds(draws_at: Mapping[int, int], in_force_ppm: int | None) -> Decimal | None:
    """What the odds in force at each draw led to expect; before the first draw, the odds in force."""
    draws = sum(draws_at.values())
    if draws == 0:
        return None if in_force_ppm is None else from_ppm(in_force_ppm)
    expected_ppm = Decimal(sum(odds_ppm * count for odds_ppm, count in draws_at.items()))
    return (expected_ppm / draws / PPM).quantize(_PPM_PLACES)


def odds_drift_p(wins: int, draws_at: Mapping[int, int]) -> float | None:
    """How probable wins are that are at most as likely as the observed number, under the announced odds.

    A small probability means that the draws are not as announced. Remembered, as dashboards ask far more
    often than draws are made. None before the first draw.
    """
    groups = tuple(sorted((odds_ppm, count) for odds_ppm, count in draws_at.items() if count))
    return _drift_p(wins, groups) if groups else None


@lru_cache(maxsize=256)
def _drift_p(wins: int, groups: tuple[tuple[int, int], ...]) -> float:
    return quick_two_sided_p(wins, dict(groups))

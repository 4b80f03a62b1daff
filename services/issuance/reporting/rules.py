"""Issuance's figures out of the rolled-up ones, and whether the draws keep what was announced. Pure."""

import math
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache

from shared.metrics.store import Figure
from shared.money import PPM
from shared.rates import from_ppm

# What the hot operations count: an attempt that was answered (passed, failed), a person's first attempt of
# a day, chances by channel, draws by outcome and by the odds they were made at, vouchers by type and by the
# channel that their chance came from, activities by channel and what became of them, accepted leads by
# category.
ATTEMPT, PARTICIPANT, CHANCE = "attempt", "participant", "chance"
DRAW, DRAW_AT_ODDS, ISSUE = "draw", "draw_at_odds", "issue"
ISSUE_WAY, ACTIVITY, LEAD = "issue_way", "activity", "lead"
MEASURES = [ATTEMPT, PARTICIPANT, CHANCE, DRAW, DRAW_AT_ODDS, ISSUE, ISSUE_WAY, ACTIVITY, LEAD]

# What a day's line is made of.
_DAILY = frozenset({ATTEMPT, PARTICIPANT, CHANCE, DRAW, ISSUE})

_PPM_PLACES = Decimal("0.000001")

# Beyond 8 standard deviations and 30 counts from the mean a binomial has less than 1e-14 of its weight.
_DEVIATIONS = 8
_COUNTS = 30
# Products of two probabilities that a convolution may take; so many are some 30 ms.
_CONVOLVED_MAX = 50_000
# Outcomes as likely as the observed one count as such although logarithms are rounded.
_TIE = 1e-7
_NEGLIGIBLE = 1e-17


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

    `ways` are by channel, `leads` the accepted ones by category.
    """

    all: Sums = field(default_factory=Sums)
    by_day: defaultdict[date, Sums] = field(default_factory=lambda: defaultdict(Sums))
    issued_by_type: Counter[str] = field(default_factory=Counter)
    draws_at: Counter[int] = field(default_factory=Counter)
    ways: defaultdict[str, Way] = field(default_factory=lambda: defaultdict(Way))
    leads: Counter[str] = field(default_factory=Counter)

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
        if figure.measure == LEAD:
            totals.leads[figure.dim] += figure.n
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

    A small probability means that the draws are not as announced. Exact under one odds, however many draws;
    under several odds exact up to about 3,000 draws. Beyond, the normal approximation with continuity
    correction: below 0.1 it is then within 0.005 of the exact figure. None before the first draw.
    """
    groups = tuple(sorted((odds_ppm, count) for odds_ppm, count in draws_at.items() if count))
    return _drift_p(wins, groups) if groups else None


@lru_cache(maxsize=256)
def _drift_p(wins: int, groups: tuple[tuple[int, int], ...]) -> float:
    """Remembered: dashboards ask far more often than draws are made."""
    if len(groups) == 1:
        [(odds_ppm, count)] = groups
        return _binomial_p(wins, count, odds_ppm / PPM)
    if math.prod(_reach(odds_ppm, count) for odds_ppm, count in groups) <= _CONVOLVED_MAX:
        return _convolved_p(wins, groups)
    mean = sum(count * odds_ppm for odds_ppm, count in groups) / PPM
    variance = sum(count * odds_ppm * (PPM - odds_ppm) for odds_ppm, count in groups) / PPM**2
    off = max(abs(wins - mean) - 0.5, 0.0)
    return math.erfc(off / math.sqrt(2 * variance)) if variance else float(off == 0)


def _reach(odds_ppm: int, count: int) -> int:
    """How far from the mean a number of wins is still thought of."""
    return min(count, math.ceil(_DEVIATIONS * math.sqrt(count * odds_ppm * (PPM - odds_ppm)) / PPM) + _COUNTS)


def _binomial_p(wins: int, draws: int, odds: float) -> float:
    """The two tails of outcomes at most as likely as `wins`, each summed outwards until nothing is added."""
    if odds == 1:
        return float(wins == draws)
    limit, mode = _log_probability(wins, draws, odds) + _TIE, min(int((draws + 1) * odds), draws)

    def unlikely(outcome: int) -> bool:
        return _log_probability(outcome, draws, odds) <= limit

    # Going away from the mode outcomes only get less likely, so each tail's begin can be bisected.
    above = bisect_left(range(mode, draws + 1), True, key=unlikely) + mode
    below = mode - bisect_left(range(mode + 1), True, key=lambda distance: unlikely(mode - distance))
    if above <= below + 1:
        return 1.0
    upper = _tail(above, draws, odds)
    # Seen from the losses the lower tail is an upper one.
    return min(1.0, upper + _tail(draws - below, draws, 1 - odds))


def _tail(first: int, draws: int, odds: float) -> float:
    """The probability of `first` or more."""
    total, outcome = 0.0, first
    if first > draws:
        return total
    term, ratio = math.exp(_log_probability(first, draws, odds)), odds / (1 - odds)
    while term > total * _NEGLIGIBLE:
        total += term
        term *= (draws - outcome) / (outcome + 1) * ratio
        outcome += 1
    return total


def _convolved_p(wins: int, groups: tuple[tuple[int, int], ...]) -> float:
    """The distribution of a sum of binomials, written out."""
    first, likelihood = 0, [1.0]
    for odds_ppm, count in groups:
        mean, reach = count * odds_ppm // PPM, _reach(odds_ppm, count)
        low, high = max(0, mean - reach), min(count, mean + reach)
        one = [math.exp(_log_probability(k, count, odds_ppm / PPM)) for k in range(low, high + 1)]
        longer = [0.0] * (len(likelihood) + len(one) - 1)
        for at, weight in enumerate(likelihood):
            for k, probability in enumerate(one):
                longer[at + k] += weight * probability
        first, likelihood = first + low, longer
    if not 0 <= wins - first < len(likelihood):
        return 0.0
    limit = likelihood[wins - first] * (1 + _TIE)
    return min(1.0, math.fsum(probability for probability in likelihood if probability <= limit))


def _log_probability(wins: int, draws: int, odds: float) -> float:
    if odds == 1:
        return 0.0 if wins == draws else -math.inf
    ways = math.lgamma(draws + 1) - math.lgamma(wins + 1) - math.lgamma(draws - wins + 1)
    return ways + wins * math.log(odds) + (draws - wins) * math.log1p(-odds)

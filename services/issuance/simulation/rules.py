"""A phase, day by day in many runs at once: how people take part, and what the odds make of it.

Pure and seeded. Every run draws its own truth from what the data leave open (level and trend of
participation, pass rate, choice of type), then plays the days with chance on top; so a band is as wide as
the data are few. All runs are one array: a day is a handful of vector operations.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.estimates import Share, Trend
from shared.money import PPM

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# Nobody has more than this of anything in one phase: a limit above it is none.
_LIMIT_THAT_BINDS = 30


@dataclass(frozen=True, slots=True)
class TypePlan:
    """A voucher type in the plan. `weight` is what is known of its choice (Dirichlet), more is surer.

    `claimable` says how many may be claimed by the end of each day of the plan, all together; None: all.
    """

    key: str
    price_fen: int
    stock: int
    weight: float
    claimable: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class WayPlan:
    """A way to take part beside the quiz, and the chances that it earns.

    Either `chances` came with so many `attempts` at the quiz, and will come with as many; or they have a
    trend of their own.
    """

    key: str
    chances: int = 0
    attempts: int = 0
    trend: Trend | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that a phase's outcome depends on, but the odds.

    `drawn` is the share of chances that are drawn, `claimed` that of awards that are claimed in time; None
    where there are no data: all. `persons_per_attempt` is 0 where it is not known; then the limits per
    person and phase are left out. `won_before`, `drawn_before` and `persons_before` are the phase's so far.
    """

    days: int
    participation: Trend
    pass_rate: Share
    chances_per_pass: int
    ways: tuple[WayPlan, ...]
    drawn: Share | None
    claimed: Share | None
    types: tuple[TypePlan, ...]
    left_to_award: int
    open_awards: int
    award_valid_days: int
    participants_per_attempt: float
    draws_per_day: int
    persons_per_attempt: float
    vouchers_per_person: int
    draws_per_person: int | None = None
    won_before: int = 0
    drawn_before: int = 0
    persons_before: float = 0.0

    @property
    def stock_fen(self) -> int:
        """What the plan can spend at most."""
        return sum(entry.stock * entry.price_fen for entry in self.types)


@dataclass(frozen=True, slots=True)
class Coming:
    """A day's attempts, and the chances of ways that have a trend of their own; a number for every run."""

    attempts: IntArray
    others: dict[str, IntArray]

    def __add__(self, other: "Coming") -> "Coming":
        others = {key: count + other.others[key] for key, count in self.others.items()}
        return Coming(self.attempts + other.attempts, others)


class Demand:
    """How people take part: the same for every odds, so that plans differ by their odds alone."""

    def __init__(self, scenario: Scenario, people: np.random.SeedSequence, runs: int) -> None:
        coming, doing = (np.random.default_rng(seed) for seed in people.spawn(2))
        self._scenario, self._coming, self._doing = scenario, coming, doing
        self._participation = scenario.participation.draw(coming, runs)
        self._drawn = scenario.drawn.draw(doing, runs) if scenario.drawn else None
        self._rates = {
            way.key: doing.gamma(way.chances + 0.5, 1 / way.attempts, runs)
            for way in scenario.ways
            if way.trend is None and way.chances
        }
        self._trends = {
            way.key: (way.trend, *way.trend.draw(coming, runs)) for way in scenario.ways if way.trend
        }
        self._pass_rate = scenario.pass_rate.draw(doing, runs)

    def coming(self, day: int) -> Coming:
        attempts = self._scenario.participation.counts(day, *self._participation, self._coming)
        others = {
            key: trend.counts(day, coefficients, noise, self._coming)
            for key, (trend, coefficients, noise) in self._trends.items()
        }
        return Coming(attempts, others)

    def earned(self, coming: Coming) -> tuple[IntArray, dict[str, IntArray]]:
        """Passes, and the chances of every way."""
        passes = self._doing.binomial(coming.attempts, self._pass_rate)
        chances = {"quiz": passes * self._scenario.chances_per_pass}
        for key, rate in self._rates.items():
            chances[key] = self._doing.poisson(rate * coming.attempts)
        return passes, chances | coming.others

    def wanted(self, attempts: IntArray, chances: IntArray) -> IntArray:
        """Draws that people would like to make."""
        scenario, wanted = self._scenario, chances
        if self._drawn is not None:
            wanted = self._doing.binomial(wanted, self._drawn)
        # Without a quiz nobody's participation is known by attempts.
        if scenario.participants_per_attempt and attempts.any():
            participants = np.ceil(attempts * scenario.participants_per_attempt).astype(np.int64)
            wanted = np.minimum(wanted, participants * scenario.draws_per_day)
        return wanted


class Awards:
    """What the odds make of it: wins as long as there is something to award, vouchers as long as stock."""

    def __init__(self, scenario: Scenario, odds_ppm: int, luck: np.random.SeedSequence, runs: int) -> None:
        rng = np.random.default_rng(luck)
        self._scenario, self._rng, self._odds = scenario, rng, odds_ppm / PPM
        stock = np.asarray([entry.stock for entry in scenario.types], dtype=np.int64)
        self._stock = np.repeat(stock[:, None], runs, axis=1)
        self._pool = np.full(runs, scenario.left_to_award, dtype=np.int64)
        self._back: dict[int, IntArray] = {}
        # Winners who found nothing claimable yet, by the day on which their awards expire.
        self._patient: dict[int, IntArray] = {}
        weights = np.asarray([[entry.weight] for entry in scenario.types])
        # Never quite zero: the last type that is left is taken by those who would have preferred another.
        self._choice = np.maximum(rng.gamma(np.repeat(weights, runs, axis=1)), 1e-12)
        self._claimed = scenario.claimed.draw(rng, runs) if scenario.claimed else None
        self._wins = np.full(runs, scenario.won_before, dtype=np.int64)
        self._draws = np.full(runs, scenario.drawn_before, dtype=np.int64)
        self._persons = np.full(runs, scenario.persons_before)
        self.issued = np.zeros_like(self._stock)
        self.exhausted_on = np.full(runs, scenario.days + 1, dtype=np.int64)

    def day(self, day: int, attempts: IntArray, wanted: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Draws, wins, and vouchers issued by type (a row each)."""
        self._pool += self._back.pop(day, 0) + self._patient.pop(day, 0)
        draws, wins = self._drawn(attempts, wanted)
        issued = self._claims(day, wins + self._scenario.open_awards if day == 0 else wins)
        gone = (self._pool <= 0) & (self.exhausted_on > self._scenario.days)
        self.exhausted_on[gone] = day + 1
        return draws, wins, issued

    def _drawn(self, attempts: IntArray, wanted: IntArray) -> tuple[IntArray, IntArray]:
        pool = self._pool
        draws = np.where(pool > 0, self._allowed(attempts, wanted), 0)
        wins = self._rng.binomial(draws, self._odds)
        # The draw that takes the last award is the last one: of those planned, as many as it took.
        over = wins > pool
        needed = np.ceil(draws * (pool / np.maximum(wins, 1))).astype(np.int64)
        draws = np.where(over, np.maximum(needed, pool), draws)
        wins = np.minimum(wins, pool)
        self._draws += draws
        self._wins += wins
        self._pool -= wins
        return draws, wins

    def _claims(self, day: int, won: IntArray) -> IntArray:
        """Vouchers by type. Whom a release plan makes wait comes again until the award expires."""
        again = day + self._scenario.award_valid_days
        willing = won if self._claimed is None else self._rng.binomial(won, self._claimed)
        self._back[again] = self._back.get(again, 0) + (won - willing)
        self._patient[again] = self._patient.get(again, 0) + willing
        issued = self._take(sum(self._patient.values(), start=np.zeros_like(won)), self._claimable(day))
        self.issued += issued
        served = issued.sum(axis=0)
        for expires in sorted(self._patient):
            got = np.minimum(self._patient[expires], served)
            served = served - got
            self._patient[expires] = self._patient[expires] - got
            if not self._patient[expires].any():
                del self._patient[expires]
        return issued

    def _claimable(self, day: int) -> IntArray:
        """Of each type: what remains, as far as the release plan has put it out."""
        available = self._stock
        for place, entry in enumerate(self._scenario.types):
            if entry.claimable is not None:
                out = entry.claimable[min(day, len(entry.claimable) - 1)]
                if available is self._stock:
                    available = self._stock.copy()
                available[place] = np.clip(out - self.issued[place], 0, self._stock[place])
        return available

    def _allowed(self, attempts: IntArray, wanted: IntArray) -> IntArray:
        """Without the draws of persons who have all that a phase allows them."""
        scenario = self._scenario
        if not scenario.persons_per_attempt:
            return wanted
        self._persons += attempts * scenario.persons_per_attempt
        may = _share_below(scenario.vouchers_per_person, self._wins, self._persons)
        if scenario.draws_per_person is not None:
            may = np.minimum(may, _share_below(scenario.draws_per_person, self._draws, self._persons))
        allowed: IntArray = np.rint(wanted * may).astype(np.int64)
        return allowed

    def _take(self, claims: IntArray, available: IntArray) -> IntArray:
        """Types as winners choose them; who finds a type gone chooses among the others."""
        taken = np.zeros_like(available)
        most = np.minimum(claims, available.sum(axis=0))
        left = most
        while left.any():
            remaining = available - taken
            weights = self._choice * (remaining > 0)
            behind = np.cumsum(weights[::-1], axis=0)[::-1]
            asked = left.copy()
            for place in range(len(weights)):
                share = weights[place] / np.maximum(behind[place], 1e-300)
                chosen = self._rng.binomial(asked, np.minimum(share, 1.0))
                asked -= chosen
                taken[place] += np.minimum(chosen, remaining[place])
            left = most - taken.sum(axis=0)
        self._stock -= taken
        return taken


def _share_below(limit: int, events: IntArray, persons: FloatArray) -> FloatArray:
    """The share of persons with fewer events than the limit, when events fall on them at random: Poisson."""
    if limit > _LIMIT_THAT_BINDS:
        return np.ones(len(persons))
    mean = events / np.maximum(persons, 1.0)
    term = np.exp(-mean)
    below = term.copy()
    for number in range(1, limit):
        term = term * mean / number
        below += term
    return np.minimum(below, 1.0)

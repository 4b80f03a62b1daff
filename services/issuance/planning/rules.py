"""The next phase, many times over: attempts → passes → draws → wins → vouchers → money, day by day.

Pure and seeded. Every run draws its own truth from what the data leave open (level and trend of
participation, pass rate, choice of type), then plays the days with chance on top; so a band is as wide as
the data are few. All runs are one array: a day is a handful of vector operations.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from shared.estimates import Share, Trend, observed_trend
from shared.money import PPM

IntArray = NDArray[np.int64]

BAND = (0.05, 0.5, 0.95)

# All but the last percent: some awards are always still waiting for their winners when the plan ends.
SPENT_SHARE = 0.99
# The median of so many runs is within a few percent of the true one, which is what odds are planned in.
_SOLVE_RUNS = 400
_SOLVE_STEPS = 60
# A two-hundredth, answered with three digits: the simulation is not more exact.
_SOLVE_PRECISION = 200
_ODDS_DIGITS = 3
# Nobody wins more vouchers than this in one phase: a limit above it is none.
_LIMIT_THAT_BINDS = 30


@dataclass(frozen=True, slots=True)
class Band:
    p05: int
    median: int
    p95: int


@dataclass(frozen=True, slots=True)
class PhaseDays:
    """A phase's days in the campaign's time zone, both inclusive."""

    seq: int
    first_day: date
    last_day: date

    def includes(self, day: date) -> bool:
        return self.first_day <= day <= self.last_day


@dataclass(frozen=True, slots=True)
class Observed:
    """The trend of participation, and the phase and the days that it was read from."""

    trend: Trend
    phase: PhaseDays
    days: int


@dataclass(frozen=True, slots=True)
class TypePlan:
    """A voucher type in the plan. `weight` is what is known of its choice (Dirichlet), more is surer."""

    key: str
    price_fen: int
    stock: int
    weight: float
    release_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    """All that a phase's outcome depends on, but the odds.

    `drawn` is the share of chances that are drawn, `claimed` that of awards that are claimed in time; None
    where there are no data: all. `persons_per_attempt` is 0 where it is not known; then the limit on
    vouchers per person is left out. `won_before` and `persons_before` are the phase's so far.
    """

    days: int
    participation: Trend
    pass_rate: Share
    chances_per_pass: int
    other_chances: float
    other_chances_attempts: float
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
    won_before: int = 0
    persons_before: float = 0.0

    @property
    def stock_fen(self) -> int:
        """What the plan can spend at most."""
        return sum(entry.stock * entry.price_fen for entry in self.types)


@dataclass(frozen=True, slots=True)
class DayBands:
    attempts: Band
    passes: Band
    draws: Band
    wins: Band
    issued: Band
    money_fen: Band


@dataclass(frozen=True, slots=True)
class Outcome:
    """Totals over the plan's days. An exhaustion day counts from 1; None: not within the plan."""

    attempts: Band
    passes: Band
    draws: Band
    wins: Band
    money_fen: Band
    vouchers: dict[str, Band]
    exhaustion_day: tuple[int | None, int | None, int | None]
    exhaustion_share: float
    daily: tuple[DayBands, ...]


def band(values: IntArray) -> Band:
    """The 5, 50 and 95 % quantiles, each a value that was simulated."""
    places = [max(0, math.ceil(share * len(values)) - 1) for share in BAND]
    parted = np.partition(values, places)
    return Band(*(int(parted[place]) for place in places))


def plan_begins(phase: PhaseDays, today: date, *, attempts_today: int) -> date:
    """The first day of a plan: the opening, or the first day that has nothing of its own yet."""
    if today < phase.first_day:
        return phase.first_day
    return today + timedelta(days=1) if attempts_today else today


def observed_days(attempts: Mapping[date, int], phase: PhaseDays, today: date) -> dict[int, int]:
    """A phase's days that are over, from the first with attempts: day of the phase (from 0) → attempts.

    Today is not over, and would look like a fall; it counts only while there is no other day.
    """
    seen = [day for day in attempts if phase.includes(day) and attempts[day] > 0]
    if not seen:
        return {}
    first, last = min(seen), min(phase.last_day, max(today - timedelta(days=1), min(seen)))
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return {(day - phase.first_day).days: attempts.get(day, 0) for day in days}


def observed_participation(
    attempts: Mapping[date, int], phases: Sequence[PhaseDays], phase: PhaseDays, *, today: date, begins: date
) -> Observed | None:
    """From the phase itself, else from the latest one before it that has attempts; None without any.

    A new phase begins as the one before began: on its day 0.
    """
    before = sorted((other for other in phases if other.seq < phase.seq), key=lambda other: -other.seq)
    for source in (phase, *before):
        days = observed_days(attempts, source, today)
        if days:
            trend = observed_trend(days, first_day=(begins - phase.first_day).days)
            return Observed(trend=trend, phase=source, days=len(days))
    return None


class _Demand:
    """How people take part: the same for every odds, so that plans differ by their odds alone."""

    def __init__(self, scenario: Scenario, people: np.random.SeedSequence, runs: int) -> None:
        coming, doing = (np.random.default_rng(seed) for seed in people.spawn(2))
        self._scenario, self._coming, self._doing = scenario, coming, doing
        self._coefficients, self._noise = scenario.participation.draw(coming, runs)
        self._drawn = scenario.drawn.draw(doing, runs) if scenario.drawn else None
        self._other = (
            doing.gamma(scenario.other_chances + 0.5, 1 / scenario.other_chances_attempts, runs)
            if scenario.other_chances
            else None
        )
        self._pass_rate = scenario.pass_rate.draw(doing, runs)

    def attempts(self, day: int) -> IntArray:
        return self._scenario.participation.counts(day, self._coefficients, self._noise, self._coming)

    def follow(self, attempts: IntArray) -> tuple[IntArray, IntArray]:
        """Passes, and draws that people would like to make."""
        scenario, rng = self._scenario, self._doing
        passes = rng.binomial(attempts, self._pass_rate)
        wanted = passes * scenario.chances_per_pass
        if self._other is not None:
            wanted = wanted + rng.poisson(self._other * attempts)
        if self._drawn is not None:
            wanted = rng.binomial(wanted, self._drawn)
        if scenario.participants_per_attempt:
            participants = np.ceil(attempts * scenario.participants_per_attempt).astype(np.int64)
            wanted = np.minimum(wanted, participants * scenario.draws_per_day)
        return passes, wanted


class _Awards:
    """What the odds make of it: wins as long as there is something to award, vouchers as long as stock."""

    def __init__(self, scenario: Scenario, odds_ppm: int, luck: np.random.SeedSequence, runs: int) -> None:
        rng = np.random.default_rng(luck)
        self._scenario, self._rng, self._odds = scenario, rng, odds_ppm / PPM
        stock = np.asarray([entry.stock for entry in scenario.types], dtype=np.int64)
        self._stock = np.repeat(stock[:, None], runs, axis=1)
        self._put_in = stock
        self._release = [entry.release_per_day for entry in scenario.types]
        self._pool = np.full(runs, scenario.left_to_award, dtype=np.int64)
        self._back: dict[int, IntArray] = {}
        weights = np.asarray([[entry.weight] for entry in scenario.types])
        # Never quite zero: the last type that is left is taken by those who would have preferred another.
        self._choice = np.maximum(rng.gamma(np.repeat(weights, runs, axis=1)), 1e-12)
        self._claimed = scenario.claimed.draw(rng, runs) if scenario.claimed else None
        self._wins = np.full(runs, scenario.won_before, dtype=np.int64)
        self._persons = np.full(runs, scenario.persons_before)
        self.issued = np.zeros_like(self._stock)
        self.exhausted_on = np.full(runs, scenario.days + 1, dtype=np.int64)

    def day(self, day: int, attempts: IntArray, wanted: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Draws, wins, and vouchers issued by type (a row each)."""
        scenario, rng = self._scenario, self._rng
        self._pool += self._back.pop(day, 0)
        held_back = self._held_back(day)
        awardable = np.maximum(self._pool - held_back.sum(), 0)
        draws = np.where(awardable > 0, self._allowed(attempts, wanted), 0)
        wins = rng.binomial(draws, self._odds)
        # The draw that takes the last award is the last one: of those planned, as many as it took.
        over = wins > awardable
        needed = np.ceil(draws * (awardable / np.maximum(wins, 1))).astype(np.int64)
        draws = np.where(over, np.maximum(needed, awardable), draws)
        wins = np.minimum(wins, awardable)
        self._wins += wins
        self._pool -= wins
        waiting = wins + scenario.open_awards if day == 0 else wins
        claims = waiting if self._claimed is None else rng.binomial(waiting, self._claimed)
        issued = self._take(claims, self._stock - held_back[:, None])
        returns = waiting - issued.sum(axis=0)
        again = day + scenario.award_valid_days
        self._back[again] = self._back.get(again, 0) + returns
        self.issued += issued
        gone = (self._pool <= 0) & (self.exhausted_on > scenario.days)
        self.exhausted_on[gone] = day + 1
        return draws, wins, issued

    def _held_back(self, day: int) -> IntArray:
        """Stock that the release plan has not put out yet."""
        planned = [
            0 if per_day is None else max(0, int(put_in) - per_day * (day + 1))
            for put_in, per_day in zip(self._put_in, self._release, strict=True)
        ]
        return np.asarray(planned, dtype=np.int64)

    def _allowed(self, attempts: IntArray, wanted: IntArray) -> IntArray:
        """Without the draws of persons who have all the vouchers that a phase allows them.

        Wins fall on persons at random: the share of them that may still draw is the Poisson probability of
        fewer wins than the limit.
        """
        scenario = self._scenario
        if not scenario.persons_per_attempt or scenario.vouchers_per_person > _LIMIT_THAT_BINDS:
            return wanted
        self._persons += attempts * scenario.persons_per_attempt
        mean = self._wins / np.maximum(self._persons, 1.0)
        term = np.exp(-mean)
        may = term.copy()
        for wins in range(1, scenario.vouchers_per_person):
            term = term * mean / wins
            may += term
        allowed: IntArray = np.rint(wanted * np.minimum(may, 1.0)).astype(np.int64)
        return allowed

    def _take(self, claims: IntArray, available: IntArray) -> IntArray:
        """Types as winners choose them; who finds a type gone chooses among the others."""
        taken = np.zeros_like(available)
        left = np.minimum(claims, available.sum(axis=0))
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
            left = np.minimum(claims, available.sum(axis=0)) - taken.sum(axis=0)
        self._stock -= taken
        return taken


def simulate(scenario: Scenario, odds_ppm: int, *, runs: int, seed: int) -> Outcome:
    """Plays the plan `runs` times; the same seed gives the same outcome."""
    people, luck = np.random.SeedSequence(seed).spawn(2)
    demand, awards = _Demand(scenario, people, runs), _Awards(scenario, odds_ppm, luck, runs)
    totals = np.zeros((6, runs), dtype=np.int64)
    prices = _prices(scenario)
    daily: list[DayBands] = []
    for day in range(scenario.days):
        attempts = demand.attempts(day)
        passes, wanted = demand.follow(attempts)
        draws, wins, issued = awards.day(day, attempts, wanted)
        today = (attempts, passes, draws, wins, issued.sum(axis=0), prices @ issued)
        totals += today
        daily.append(DayBands(*(band(part) for part in today)))
    attempts, passes, draws, wins, _, money = totals
    exhausted = band(awards.exhausted_on)
    return Outcome(
        attempts=band(attempts),
        passes=band(passes),
        draws=band(draws),
        wins=band(wins),
        money_fen=band(money),
        vouchers={entry.key: band(row) for entry, row in zip(scenario.types, awards.issued, strict=True)},
        exhaustion_day=(
            _within(exhausted.p05, scenario.days),
            _within(exhausted.median, scenario.days),
            _within(exhausted.p95, scenario.days),
        ),
        exhaustion_share=float((awards.exhausted_on <= scenario.days).mean()),
        daily=tuple(daily),
    )


def _prices(scenario: Scenario) -> IntArray:
    return np.asarray([entry.price_fen for entry in scenario.types], dtype=np.int64)


def _within(day: int, days: int) -> int | None:
    return day if day <= days else None


class Solver:
    """Which odds, or which pass score, spend a target: the same people are met by every one of them.

    A long plan is played in steps of several days: what it spends in the end hardly depends on the day.
    """

    def __init__(self, scenario: Scenario, *, target_fen: int, seed: int) -> None:
        self._people, self._luck = np.random.SeedSequence(seed).spawn(2)
        self._target_fen = target_fen
        step = -(-scenario.days // _SOLVE_STEPS)
        self._steps = _in_steps(scenario, step)
        self._attempts = np.zeros((self._steps.days, _SOLVE_RUNS), dtype=np.int64)
        demand = _Demand(scenario, _again(self._people), _SOLVE_RUNS)
        for day in range(scenario.days):
            self._attempts[day // step] += demand.attempts(day)

    def spends(self, odds_ppm: int, pass_rate: Share | None = None) -> bool:
        """Whether half of the runs issue vouchers worth the target; another pass rate for another score."""
        plan = self._steps if pass_rate is None else replace(self._steps, pass_rate=pass_rate)
        demand = _Demand(plan, _again(self._people), _SOLVE_RUNS)
        awards = _Awards(plan, odds_ppm, self._luck, _SOLVE_RUNS)
        for place, attempts in enumerate(self._attempts):
            _, wanted = demand.follow(attempts)
            awards.day(place, attempts, wanted)
        return 2 * int((_prices(plan) @ awards.issued >= self._target_fen).sum()) >= _SOLVE_RUNS

    def odds(self) -> int | None:
        """The lowest odds (in a million) that spend the target; None: not even odds of 1.

        Bisection by ratio, as odds of 0.1 % must be as exact as odds of 10 %.
        """
        if not self.spends(PPM):
            return None
        too_low, enough = 0, PPM
        while enough - too_low > max(1, enough // _SOLVE_PRECISION):
            middle = max(too_low + 1, min(enough - 1, math.isqrt(max(too_low, 1) * enough)))
            if self.spends(middle):
                enough = middle
            else:
                too_low = middle
        return _rounded_up(enough)

    def pass_score(
        self, odds_ppm: int, pass_scores: Sequence[int], rate: Callable[[int], Share]
    ) -> int | None:
        """The highest of these pass scores (rising) that spends the target; None: not even the lowest."""
        low, high = 0, len(pass_scores)
        while low < high:
            middle = (low + high) // 2
            if self.spends(odds_ppm, rate(pass_scores[middle])):
                low = middle + 1
            else:
                high = middle
        return pass_scores[low - 1] if low else None


def _again(people: np.random.SeedSequence) -> np.random.SeedSequence:
    """A seed counts what was spawned from it; this one begins anew."""
    return np.random.SeedSequence(people.entropy, spawn_key=people.spawn_key)


def _in_steps(scenario: Scenario, step: int) -> Scenario:
    """The same plan with several days as one."""
    types = (
        replace(entry, release_per_day=entry.release_per_day and entry.release_per_day * step)
        for entry in scenario.types
    )
    return replace(
        scenario,
        days=-(-scenario.days // step),
        award_valid_days=-(-scenario.award_valid_days // step),
        types=tuple(types),
    )


def _rounded_up(odds_ppm: int) -> int:
    unit = int(10 ** max(0, len(str(odds_ppm)) - _ODDS_DIGITS))
    return min(PPM, -(-odds_ppm // unit) * unit)

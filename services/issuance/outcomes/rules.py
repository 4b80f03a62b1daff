"""What comes of a scenario: bands over many runs, and which odds or pass score spend a target. Pure."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from operator import add

import numpy as np

from services.issuance.simulation.rules import Awards, Demand, IntArray, Scenario, TypePlan
from shared.estimates import Share
from shared.money import PPM

BAND = (0.05, 0.5, 0.95)

# All but the last percent: some awards are always still waiting for their winners when the plan ends.
SPENT_SHARE = 0.99
# The median of so many runs is within a few percent of the true one, which is what odds are planned in.
_SOLVE_RUNS = 400
_SOLVE_STEPS = 60
# A two-hundredth, answered with three digits: the simulation is not more exact.
_SOLVE_PRECISION = 200
_ODDS_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Band:
    p05: int
    median: int
    p95: int


@dataclass(frozen=True, slots=True)
class DayBands:
    attempts: Band
    passes: Band
    chances: Band
    draws: Band
    wins: Band
    issued: Band
    money_fen: Band


@dataclass(frozen=True, slots=True)
class Outcome:
    """Totals over the plan's days. An exhaustion day counts from 1; None: not within the plan."""

    attempts: Band
    passes: Band
    chances: Band
    draws: Band
    wins: Band
    money_fen: Band
    chances_by_way: dict[str, Band]
    vouchers: dict[str, Band]
    exhaustion_day: tuple[int | None, int | None, int | None]
    exhaustion_share: float
    daily: tuple[DayBands, ...]


def band(values: IntArray) -> Band:
    """The 5, 50 and 95 % quantiles, each a value that was simulated."""
    places = [max(0, math.ceil(share * len(values)) - 1) for share in BAND]
    parted = np.partition(values, places)
    return Band(*(int(parted[place]) for place in places))


def simulate(scenario: Scenario, odds_ppm: int, *, runs: int, seed: int) -> Outcome:
    """Plays the plan `runs` times; the same seed gives the same outcome."""
    people, luck = np.random.SeedSequence(seed).spawn(2)
    demand, awards = Demand(scenario, people, runs), Awards(scenario, odds_ppm, luck, runs)
    ways = {key: np.zeros(runs, dtype=np.int64) for key in ("quiz", *(way.key for way in scenario.ways))}
    totals = np.zeros((7, runs), dtype=np.int64)
    prices = prices_of(scenario.types)
    daily: list[DayBands] = []
    for day in range(scenario.days):
        coming = demand.coming(day)
        passes, earned = demand.earned(coming)
        for key, count in earned.items():
            ways[key] += count
        chances = _sum(earned)
        draws, wins, issued = awards.day(day, coming.attempts, demand.wanted(coming.attempts, chances))
        today = (coming.attempts, passes, chances, draws, wins, issued.sum(axis=0), prices @ issued)
        totals += today
        daily.append(DayBands(*(band(part) for part in today)))
    bands = [band(total) for total in totals]
    exhausted = band(awards.exhausted_on)
    return Outcome(
        attempts=bands[0],
        passes=bands[1],
        chances=bands[2],
        draws=bands[3],
        wins=bands[4],
        money_fen=bands[6],
        chances_by_way={key: band(count) for key, count in ways.items()},
        vouchers={entry.key: band(row) for entry, row in zip(scenario.types, awards.issued, strict=True)},
        exhaustion_day=(
            _within(exhausted.p05, scenario.days),
            _within(exhausted.median, scenario.days),
            _within(exhausted.p95, scenario.days),
        ),
        exhaustion_share=float((awards.exhausted_on <= scenario.days).mean()),
        daily=tuple(daily),
    )


def prices_of(types: Sequence[TypePlan]) -> IntArray:
    return np.asarray([entry.price_fen for entry in types], dtype=np.int64)


def _within(day: int, days: int) -> int | None:
    return day if day <= days else None


def _sum(earned: Mapping[str, IntArray]) -> IntArray:
    total: IntArray = np.sum(list(earned.values()), axis=0, dtype=np.int64)
    return total


class Solver:
    """Which odds, or which pass score, spend a target: the same people are met by every one of them.

    A long plan is played in steps of several days: what it spends in the end hardly depends on the day.
    """

    def __init__(self, scenario: Scenario, *, target_fen: int, seed: int) -> None:
        self._people, self._luck = np.random.SeedSequence(seed).spawn(2)
        self._target_fen = target_fen
        step = -(-scenario.days // _SOLVE_STEPS)
        self._steps = _in_steps(scenario, step)
        demand = Demand(scenario, _again(self._people), _SOLVE_RUNS)
        days = [demand.coming(day) for day in range(scenario.days)]
        self._coming = [reduce(add, days[first : first + step]) for first in range(0, len(days), step)]

    def spends(self, odds_ppm: int, pass_rate: Share | None = None) -> bool:
        """Whether half of the runs issue vouchers worth the target; another pass rate for another score."""
        plan = self._steps if pass_rate is None else replace(self._steps, pass_rate=pass_rate)
        demand = Demand(plan, _again(self._people), _SOLVE_RUNS)
        awards = Awards(plan, odds_ppm, self._luck, _SOLVE_RUNS)
        for place, coming in enumerate(self._coming):
            _, earned = demand.earned(coming)
            awards.day(place, coming.attempts, demand.wanted(coming.attempts, _sum(earned)))
        return 2 * int((prices_of(plan.types) @ awards.issued >= self._target_fen).sum()) >= _SOLVE_RUNS

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
    days = -(-scenario.days // step)
    types = (
        replace(entry, claimable=entry.claimable and tuple(_last_of_each(entry.claimable, step, days)))
        for entry in scenario.types
    )
    return replace(
        scenario,
        days=days,
        award_valid_days=-(-scenario.award_valid_days // step),
        types=tuple(types),
    )


def _last_of_each(claimable: tuple[int, ...], step: int, days: int) -> list[int]:
    return [claimable[min(step * (day + 1), len(claimable)) - 1] for day in range(days)]


def _rounded_up(odds_ppm: int) -> int:
    unit = int(10 ** max(0, len(str(odds_ppm)) - _ODDS_DIGITS))
    return min(PPM, -(-odds_ppm // unit) * unit)

"""What few data say about a share or a daily count, and how unsure that is. Pure.

An estimate is a distribution to draw from, so that a plan is as uncertain as its data are few.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FloatArray = NDArray[np.float64]
_IntArray = NDArray[np.int64]

# How much a day differs from the trend, before data say so (as a logarithm: 13 %), and how many days' worth
# of evidence that assumption is. Chosen by backtest: read from two days, a band that is meant to hold nine of
# ten futures holds 88 to 99 of 100 where days really differ by 20 to 10 %.
_DAY_NOISE = 0.13
_DAY_NOISE_DAYS = 4
# How fast a count may rise or fall from day to day, before data say so: the model campaign's participation
# fell by 18 % a day, so a quarter up or down is nothing unusual.
_SLOPE_DEVIATION = 0.25
# A rise is not carried on for ever: a trend of two or three days must not promise more than this many
# times the busiest day.
_GROWTH_MAX = 5
# More a day than any country has inhabitants is an error of the model, not a forecast.
_LEVEL_MAX = 1e10


@dataclass(frozen=True, slots=True)
class Share:
    """What is known of a share: a beta distribution. `Share(1, 1)` knows nothing."""

    alpha: float
    beta: float

    def draw(self, rng: np.random.Generator, runs: int) -> _FloatArray:
        return rng.beta(self.alpha, self.beta, runs)


UNKNOWN_SHARE = Share(1.0, 1.0)


def observed_share(successes: float, tries: float, *, dispersion: float = 1.0) -> Share:
    """Jeffreys' posterior. With a dispersion above 1 the tries count for less than their number."""
    if tries <= 0:
        return UNKNOWN_SHARE
    share, evidence = min(max(successes / tries, 0.0), 1.0), tries / dispersion
    return Share(share * evidence + 0.5, (1 - share) * evidence + 0.5)


def share_with_deviation(share: float, deviation: float, tries: int) -> Share:
    """The beta distribution with this mean and deviation; never surer than the tries themselves make it."""
    middle = (share * tries + 0.5) / (tries + 1)
    variance = max(deviation**2, middle * (1 - middle) / (tries + 1))
    evidence = max(middle * (1 - middle) / variance - 1, 1.0)
    return Share(middle * evidence, (1 - middle) * evidence)


def dispersion(successes: Sequence[int], tries: Sequence[int]) -> float:
    """By how much a share differs from day to day beyond chance: Pearson's statistic per degree.

    At least 1.
    """
    days = [(won, of) for won, of in zip(successes, tries, strict=True) if of > 0]
    total = sum(of for _, of in days)
    share = sum(won for won, _ in days) / total if total else 0.0
    degrees = len(days) - 1
    if degrees < 1 or not 0 < share < 1:
        return 1.0
    pearson = sum((won - share * of) ** 2 / (share * (1 - share) * of) for won, of in days)
    return max(1.0, pearson / degrees)


@dataclass(frozen=True, slots=True)
class Trend:
    """A daily count as a log-linear trend with noise; what is known of both.

    `mean` and `root` (a square root of the covariance, in units of the noise) are of the level on day 0 and
    of the slope; the noise's variance is scaled inverse chi-square, worth `noise_days` of evidence. With
    `given` the levels were entered instead, and the last one stays.
    """

    mean: _FloatArray
    root: _FloatArray
    noise: float
    noise_days: float
    ceiling: float
    first_day: int = 0
    given: tuple[int, ...] = ()

    def draw(self, rng: np.random.Generator, runs: int) -> tuple[_FloatArray, _FloatArray]:
        """The coefficients (a row each) and the noise of every run."""
        noise = self.noise * np.sqrt(self.noise_days / rng.chisquare(self.noise_days, runs))
        coefficients = self.mean[:, None] + self.root @ rng.standard_normal((2, runs)) * noise
        return coefficients, noise

    def counts(
        self, day: int, coefficients: _FloatArray, noise: _FloatArray, rng: np.random.Generator
    ) -> _IntArray:
        """The counts of a day (from 0) in every run."""
        deviation = noise * rng.standard_normal(len(noise))
        if self.given:
            level = self.given[min(day, len(self.given) - 1)] * np.exp(deviation)
        else:
            trend = coefficients[0] + coefficients[1] * (self.first_day + day)
            level = np.exp(np.minimum(trend, math.log(self.ceiling)) + deviation)
        counts: _IntArray = rng.poisson(np.minimum(level, _LEVEL_MAX))
        return counts


def entered_trend(levels: Sequence[int]) -> Trend:
    """As entered, with the usual noise of a day."""
    return Trend(
        mean=np.zeros(2),
        root=np.zeros((2, 2)),
        noise=_DAY_NOISE,
        noise_days=_DAY_NOISE_DAYS,
        ceiling=_LEVEL_MAX,
        given=tuple(levels),
    )


def observed_trend(counts: Mapping[int, int], *, first_day: int) -> Trend:
    """The trend of the days observed (day → count), carried on from `first_day`. At least one day.

    Bayesian regression of the logarithm with a conjugate prior: no slope is assumed, steep ones are thought
    unlikely, the level is left free. A day with few counts says less, as its count is itself chance.
    """
    days = np.asarray(list(counts), dtype=np.float64)
    seen = np.asarray(list(counts.values()), dtype=np.float64) + 0.5
    design = np.stack((np.ones_like(days), days))
    weight = 1 / (1 + 1 / (_DAY_NOISE**2 * seen))
    precision = (design * weight) @ design.T
    precision[1, 1] += (_DAY_NOISE / _SLOPE_DEVIATION) ** 2
    moment = (design * weight) @ np.log(seen)
    mean = np.asarray(np.linalg.solve(precision, moment), dtype=np.float64)
    noise_days = _DAY_NOISE_DAYS + len(days) - 1
    misfit = max(float(weight @ np.log(seen) ** 2 - moment @ mean), 0.0)
    return Trend(
        mean=mean,
        root=np.linalg.cholesky(np.linalg.inv(precision)),
        noise=math.sqrt((_DAY_NOISE_DAYS * _DAY_NOISE**2 + misfit) / noise_days),
        noise_days=noise_days,
        ceiling=min(_GROWTH_MAX * float(seen.max()), _LEVEL_MAX),
        first_day=first_day,
    )

"""Exact binomial tails: how surprising a number of wins is, given the odds that were announced. Pure.

Tries under different odds (a version of the odds changed meanwhile) make a sum of binomials, whose
distribution is computed by convolution: exact too, no normal approximation anywhere.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from shared.money import PPM

_FloatArray = NDArray[np.float64]

# Beyond 12 standard deviations and 60 counts from the mean a binomial has less than 1e-30 of its weight,
# whatever its odds: that much is left out, so that millions of tries stay a matter of milliseconds.
_DEVIATIONS = 12
_COUNTS = 60
# Outcomes as likely as the observed one must count as such although logarithms are rounded.
_TIE = 1e-7
# Products of two probabilities that a quick convolution may take: some ten milliseconds.
_CONVOLVED_MAX = 10_000_000


def two_sided_p(won: int, tries_at: Mapping[int, int]) -> float:
    """The probability of an outcome that is at most as likely as the observed one, by exact summation.

    `tries_at` says how many tries there were at which odds (in a million). 1.0 without any; 0.0 where the
    probability is below 1e-30.
    """
    first, log_pmf = 0, np.zeros(1)
    for odds_ppm, tries in tries_at.items():
        if tries > 0:
            at, addend = _log_pmf(tries, odds_ppm)
            first, log_pmf = first + at, _log_convolved(log_pmf, addend)
    place = won - first
    if not 0 <= place < len(log_pmf) or math.isinf(log_pmf[place]):
        return 0.0
    at_most = log_pmf[log_pmf <= log_pmf[place] + _TIE]
    peak = float(at_most.max())
    return min(1.0, math.exp(peak) * float(np.exp(at_most - peak).sum()))


def quick_two_sided_p(won: int, tries_at: Mapping[int, int]) -> float:
    """The same within milliseconds, for what is asked often.

    Exact under one odds, however many tries; under several as long as their convolution is short (up to some
    ten thousand tries each). Beyond, the normal approximation with continuity correction: with so many tries
    it is within 0.005 of the exact figure.
    """
    parts = [(odds_ppm, tries) for odds_ppm, tries in tries_at.items() if tries > 0]
    lengths = [_kept_outcomes(tries, odds_ppm) for odds_ppm, tries in parts]
    if len(parts) <= 1 or sum(lengths) * max(lengths) <= _CONVOLVED_MAX:
        return two_sided_p(won, tries_at)
    mean = sum(odds_ppm * tries for odds_ppm, tries in parts) / PPM
    variance = sum(tries * odds_ppm * (PPM - odds_ppm) for odds_ppm, tries in parts) / PPM**2
    off = max(abs(won - mean) - 0.5, 0.0)
    return math.erfc(off / math.sqrt(2 * variance)) if variance else float(off == 0)


def _kept_outcomes(tries: int, odds_ppm: int) -> int:
    """How many outcomes `_log_pmf` writes out, at the most."""
    deviation = math.sqrt(tries * odds_ppm * (PPM - odds_ppm)) / PPM
    return min(tries, 2 * math.ceil(_DEVIATIONS * deviation + _COUNTS)) + 1


def _log_pmf(tries: int, odds_ppm: int) -> tuple[int, _FloatArray]:
    """The first number of wins that is kept, and the log probability of it and of those that follow.

    Summed up from the ratios of neighbours and normalised by their own sum, so that no factorial of a
    large number is rounded.
    """
    if odds_ppm == PPM:
        return tries, np.zeros(1)
    odds = odds_ppm / PPM
    reach = _DEVIATIONS * math.sqrt(tries * odds * (1 - odds)) + _COUNTS
    first = max(0, math.floor(tries * odds - reach))
    last = min(tries, math.ceil(tries * odds + reach))
    wins = np.arange(first, last, dtype=np.float64)
    log_odds = math.log(odds_ppm) - math.log(PPM - odds_ppm)
    steps = np.log(tries - wins) - np.log(wins + 1) + log_odds
    relative = np.concatenate((np.zeros(1), np.cumsum(steps)))
    relative -= relative.max()
    return first, relative - math.log(float(np.exp(relative).sum()))


def _log_convolved(left: _FloatArray, right: _FloatArray) -> _FloatArray:
    """All terms are positive, so nothing cancels; what underflows is far below 1e-30."""
    if len(left) == 1:
        shifted: _FloatArray = right + left[0]
        return shifted
    with np.errstate(divide="ignore"):
        log_sums: _FloatArray = np.log(np.convolve(np.exp(left), np.exp(right)))
    return log_sums

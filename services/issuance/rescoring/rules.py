"""What the pass rate would have been without some questions, or with another pass score. Pure.

Every attempt is marked again from its own responses. A question that is taken out leaves a place, and the
place is filled by a response to another question of the same difficulty, drawn from attempts that did as
well on the rest: with `r` right of the `m` questions that are marked so far, the replacement is right as
often as any such question was in attempts that had `r` right of `m` others. So people who know more answer
the replacement better, several replacements in one attempt go together, and no average stands in for
anybody. Instead of drawing many times, the chance of a pass is summed exactly.

How sure that is, is a bootstrap over groups of persons: a person's attempts stay together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from services.issuance.calibration.rules import BoolArray, FloatArray, IntArray, Responses
from services.issuance.quiz.rules import SCORE_MAX

REPLICATES = 400
DIFFICULTIES = 3
# 5 and 95 %: the band that every figure of a plan is given with.
_BAND = (0.05, 0.95)
# A key's parts are counts of questions, and an attempt has a hundred at most.
_KEY_BITS = 7


@dataclass(frozen=True, slots=True)
class RateBand:
    estimate: float
    p05: float
    p95: float


@dataclass(frozen=True, slots=True)
class Effect:
    """`touched` attempts held a retired question. `deviation` is the bootstrap's, of the rate after."""

    attempts: int
    touched: int
    before: RateBand
    after: RateBand
    change: RateBand
    deviation: float


@dataclass(frozen=True, slots=True)
class _Marked:
    """Each attempt without its retired questions.

    `kept` are left; `places` (a column for each difficulty) are to be filled up to `asked` questions, of
    which `needed` must be right.
    """

    kept: IntArray
    kept_right: IntArray
    places: IntArray
    asked: IntArray
    needed: IntArray


def retirement_effect(
    responses: Responses,
    *,
    difficulty: IntArray,
    retired: BoolArray,
    questions_left: int,
    pass_score: int | None,
    rng: np.random.Generator,
) -> Effect:
    """From the pass rate as it was to the one with another bank, and with another pass score if one is given.

    `difficulty` (from 1) and `retired` are by place in the bank. There must be an attempt, and a response
    to a question that stays. Where the bank has fewer `questions_left` than an attempt asks for, the attempt
    is shorter, as the quiz would make it.
    """
    score = responses.pass_score if pass_score is None else np.full(responses.attempts, pass_score)
    marked = _marked_again(responses, difficulty, retired, score, questions_left)
    weights = _bootstrap_weights(responses.group, rng)
    donors = _donors(responses, marked, difficulty, retired, weights)
    before_passed = responses.right >= _needed(responses.pass_score, responses.asked)
    total = _weighted(responses.group, weights, None)
    before = _weighted(responses.group, weights, before_passed) / total
    after = _passes_after(responses, marked, weights, donors) / total
    return Effect(
        attempts=responses.attempts,
        touched=int((marked.kept < responses.asked).sum()),
        before=_band(before),
        after=_band(after),
        change=_band(after - before),
        deviation=float(after[1:].std()),
    )


def _marked_again(
    responses: Responses, difficulty: IntArray, retired: BoolArray, score: IntArray, questions_left: int
) -> _Marked:
    gone = retired[responses.question]
    level = np.clip(difficulty[responses.question[gone]], 1, DIFFICULTIES) - 1
    places = np.bincount(
        responses.attempt[gone] * DIFFICULTIES + level, minlength=responses.attempts * DIFFICULTIES
    ).reshape(-1, DIFFICULTIES)
    right_gone = np.bincount(responses.attempt[gone & responses.correct], minlength=responses.attempts)
    kept = responses.asked - places.sum(axis=1)
    asked = np.minimum(responses.asked, questions_left)
    surplus = responses.asked - asked
    for hardest_first in reversed(range(DIFFICULTIES)):
        cut = np.minimum(surplus, places[:, hardest_first])
        places[:, hardest_first] -= cut
        surplus -= cut
    return _Marked(
        kept=kept,
        kept_right=responses.right - right_gone,
        places=places,
        asked=asked,
        needed=_needed(score, asked),
    )


def _needed(score: IntArray, asked: IntArray) -> IntArray:
    """The least number of right ones: as the score is rounded down, this is rounded up."""
    return -(-score * asked // SCORE_MAX)


def _bootstrap_weights(group: IntArray, rng: np.random.Generator) -> FloatArray:
    """How often each group counts: the first row once each, the others as drawn with replacement."""
    present = np.unique(group)
    weights = np.zeros((REPLICATES + 1, int(group.max()) + 1))
    weights[0] = 1.0
    drawn = rng.multinomial(len(present), np.full(len(present), 1 / len(present)), size=REPLICATES)
    weights[1:, present] = drawn
    return weights


def _weighted(group: IntArray, weights: FloatArray, of: BoolArray | None) -> FloatArray:
    total: FloatArray = weights @ np.bincount(group, weights=of, minlength=weights.shape[1])
    return total


def _by_kind(
    key: IntArray, group: IntArray, weights: FloatArray, of: BoolArray | None = None
) -> tuple[IntArray, FloatArray]:
    """The different keys, and for each replicate (row) the weighted count of each key (column)."""
    kinds, inverse = np.unique(key, return_inverse=True)
    groups = weights.shape[1]
    counts = np.bincount(inverse * groups + group, weights=of, minlength=len(kinds) * groups)
    return kinds, weights @ counts.reshape(len(kinds), groups).T


def _packed_key(*parts: IntArray) -> IntArray:
    key = np.zeros_like(parts[0])
    for part in parts:
        key = (key << _KEY_BITS) | part
    return key


def _unpacked_key(key: IntArray, parts: int) -> list[IntArray]:
    mask = (1 << _KEY_BITS) - 1
    return [(key >> (_KEY_BITS * place)) & mask for place in reversed(range(parts))]


# For a difficulty and `m` others: by replicate (row) and number right of the others (column, 0 to m), the
# chance that a question of this difficulty is right.
_Chance = Callable[[int, int], FloatArray]


def _donors(
    responses: Responses, marked: _Marked, difficulty: IntArray, retired: BoolArray, weights: FloatArray
) -> _Chance:
    kept = ~retired[responses.question]
    attempt, correct = responses.attempt[kept], responses.correct[kept]
    level = np.clip(difficulty[responses.question[kept]], 1, DIFFICULTIES) - 1
    others, others_right = marked.kept[attempt] - 1, marked.kept_right[attempt] - correct
    key, group = _packed_key(level, others, others_right), responses.group[attempt]
    kinds, counts = _by_kind(key, group, weights)
    _, rights = _by_kind(key, group, weights, correct)
    levels, sizes, right = _unpacked_key(kinds, 3)
    overall = _share(rights.sum(axis=1), counts.sum(axis=1), np.zeros(len(weights)))

    @cache
    def chance(of_level: int, size: int) -> FloatArray:
        mine = levels == of_level
        mean = _share(rights[:, mine].sum(axis=1), counts[:, mine].sum(axis=1), overall)[:, None]
        usable = mine & (sizes >= size)
        if not usable.any():
            largest = int(sizes[mine].max(initial=-1))
            if largest < 0:
                return np.broadcast_to(mean, (len(weights), size + 1))
            thinned = _subset_chance(np.int64(size), np.arange(size + 1), np.int64(largest))
            return chance(of_level, largest) @ thinned
        subset = _subset_chance(sizes[usable], right[usable], np.int64(size))
        return _share(rights[:, usable] @ subset.T, counts[:, usable] @ subset.T, mean)

    return chance


def _share(part: FloatArray, whole: FloatArray, otherwise: FloatArray) -> FloatArray:
    known = whole > 0
    return np.where(known, part / np.where(known, whole, 1.0), otherwise)


def _subset_chance(size: IntArray | np.int64, right: IntArray, drawn: IntArray | np.int64) -> FloatArray:
    """For each `r` (row) the chance that `drawn` of `size` questions, `right` of them right, have r right."""
    log_factorial = np.concatenate((np.zeros(1), np.cumsum(np.log(np.arange(1, SCORE_MAX + 2)))))

    def log_choose(n: IntArray, k: IntArray) -> FloatArray:
        inside = (k >= 0) & (k <= n)
        k = np.where(inside, k, 0)
        value = log_factorial[n] - log_factorial[k] - log_factorial[n - k]
        return np.where(inside, value, -np.inf)

    r = np.arange(int(np.max(drawn)) + 1)[:, None]
    size, right = np.broadcast_arrays(size, right)
    ways = log_choose(right, r) + log_choose(size - right, drawn - r)
    return np.exp(ways - log_choose(size, np.broadcast_to(drawn, size.shape)))


def _passes_after(responses: Responses, marked: _Marked, weights: FloatArray, chance: _Chance) -> FloatArray:
    """The weighted number of passes in each replicate."""

    @cache
    def pass_chance(asked: int, needed: int, places: tuple[int, ...]) -> FloatArray:
        """By replicate (row) and number right of what is kept (column); the easiest place is filled first."""
        if not any(places):
            return (np.arange(asked + 1) >= needed).astype(np.float64)[None, :]
        level = next(level for level, count in enumerate(places) if count)
        filled = tuple(count - (other == level) for other, count in enumerate(places))
        right = chance(level, asked - sum(places))
        then = pass_chance(asked, needed, filled)
        return right * then[:, 1:] + (1 - right) * then[:, :-1]

    key = _packed_key(marked.asked, marked.needed, *marked.places.T, marked.kept_right)
    kinds, counts = _by_kind(key, responses.group, weights)
    passes = np.zeros(len(weights))
    for column, parts in enumerate(zip(*_unpacked_key(kinds, 3 + DIFFICULTIES), strict=True)):
        asked, needed, *places, right = (int(part) for part in parts)
        passes += counts[:, column] * pass_chance(asked, needed, tuple(places))[:, right]
    return passes


def _band(rates: FloatArray) -> RateBand:
    """The first is the estimate, the others are its bootstrap."""
    low, high = np.quantile(rates[1:], _BAND)
    return RateBand(estimate=float(rates[0]), p05=float(low), p95=float(high))

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

from services.issuance.quiz.rules import SCORE_MAX
from services.issuance.responses.rules import BoolArray, FloatArray, IntArray, Responses

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


class Remarking:
    """Attempts marked again with another bank; asked for the effect under one pass score after another.

    `difficulty` (from 1) and `retired` are by place in the bank. There must be an attempt, and a response
    to a question that stays. Where the bank has fewer `questions_left` than an attempt asks for, the attempt
    is shorter, as the quiz would make it.
    """

    def __init__(
        self,
        responses: Responses,
        *,
        difficulty: IntArray,
        retired: BoolArray,
        questions_left: int,
        rng: np.random.Generator,
    ) -> None:
        self._attempts = responses.attempts
        self._weights = _bootstrap_weights(responses.group, rng)
        gone = retired[responses.question]
        level = np.clip(difficulty[responses.question], 1, DIFFICULTIES) - 1
        places = _places(responses, gone, level)
        right_gone = np.bincount(responses.attempt[gone & responses.correct], minlength=self._attempts)
        kept, kept_right = responses.asked - places.sum(axis=1), responses.right - right_gone
        self._touched = int((kept < responses.asked).sum())
        asked = np.minimum(responses.asked, questions_left)
        _leave_empty(places, responses.asked - asked)
        # All that the outcome of an attempt depends on: there are few kinds of them, whatever their number.
        kind = _packed_key(asked, responses.pass_score, *places.T, kept_right)
        kinds, (counts,) = _by_kind(kind, responses.group, self._weights)
        self._kinds = _unpacked_key(kinds, 3 + DIFFICULTIES)
        self._counts = counts
        self._total = counts.sum(axis=1)
        passed = responses.right >= _needed(responses.pass_score, responses.asked)
        by_group = np.bincount(responses.group, weights=passed, minlength=self._weights.shape[1])
        self._before: FloatArray = self._weights @ by_group / self._total

        def donors() -> _Chance:
            key = _packed_key(
                level, kept[responses.attempt] - 1, kept_right[responses.attempt] - responses.correct
            )
            groups = responses.group[responses.attempt]
            return _donors(key[~gone], groups[~gone], responses.correct[~gone], self._weights)

        # Without retired questions there is nothing to replace, and the donors are never looked for.
        self._donors = cache(donors)

    def effect(self, pass_score: int | None) -> Effect:
        """From the pass rate as it was to the one now; without a pass score, by each attempt's own."""
        pass_chance = _pass_chance(self._donors)
        asked, score, *places, right = self._kinds
        needed = _needed(score if pass_score is None else np.full_like(score, pass_score), asked)
        passes = np.zeros(len(self._weights))
        for column in range(len(asked)):
            empty = tuple(int(count[column]) for count in places)
            by_right = pass_chance(int(asked[column]), int(needed[column]), empty)
            passes += self._counts[:, column] * by_right[:, right[column]]
        after = passes / self._total
        return Effect(
            attempts=self._attempts,
            touched=self._touched,
            before=_band(self._before),
            after=_band(after),
            change=_band(after - self._before),
            deviation=float(after[1:].std()),
        )


def _places(responses: Responses, gone: BoolArray, level: IntArray) -> IntArray:
    """How many questions of each difficulty (column) were taken out of each attempt (row)."""
    place = responses.attempt[gone] * DIFFICULTIES + level[gone]
    counts = np.bincount(place, minlength=responses.attempts * DIFFICULTIES)
    return counts.reshape(-1, DIFFICULTIES)


def _leave_empty(places: IntArray, surplus: IntArray) -> None:
    """Takes away places that a small bank cannot fill, the hardest first."""
    for level in reversed(range(DIFFICULTIES)):
        cut = np.minimum(surplus, places[:, level])
        places[:, level] -= cut
        surplus = surplus - cut


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


def _by_kind(
    key: IntArray, group: IntArray, weights: FloatArray, *of: BoolArray
) -> tuple[IntArray, list[FloatArray]]:
    """The different keys, and for each replicate (row) the weighted number of each key (column).

    First of all rows, then of those in each of `of`.
    """
    kinds, inverse = np.unique(key, return_inverse=True)
    groups = weights.shape[1]
    place, size = inverse * groups + group, len(kinds) * groups
    numbers = [np.bincount(place, minlength=size), *(np.bincount(place[part], minlength=size) for part in of)]
    return kinds, [weights @ number.reshape(len(kinds), groups).T for number in numbers]


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


def _donors(key: IntArray, group: IntArray, correct: BoolArray, weights: FloatArray) -> _Chance:
    """From the responses that stay; `key` is difficulty, number of others, and how many of them are right."""
    kinds, (counts, rights) = _by_kind(key, group, weights, correct)
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


def _pass_chance(donors: Callable[[], _Chance]) -> Callable[[int, int, tuple[int, ...]], FloatArray]:
    @cache
    def pass_chance(asked: int, needed: int, places: tuple[int, ...]) -> FloatArray:
        """By replicate (row) and number right of what is kept (column); the easiest place is filled first."""
        if not any(places):
            return (np.arange(asked + 1) >= needed).astype(np.float64)[None, :]
        level = next(level for level, count in enumerate(places) if count)
        filled = tuple(count - (other == level) for other, count in enumerate(places))
        right = donors()(level, asked - sum(places))
        then = pass_chance(asked, needed, filled)
        return right * then[:, 1:] + (1 - right) * then[:, :-1]

    return pass_chance


def _band(rates: FloatArray) -> RateBand:
    """The first is the estimate, the others are its bootstrap."""
    low, high = np.quantile(rates[1:], _BAND)
    return RateBand(estimate=float(rates[0]), p05=float(low), p95=float(high))

"""What responses say about a question: how hard it is, and whether it tells good attempts from weak ones.

Pure, and vectorised: a campaign has a million responses, and each counts.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from services.issuance.quiz.rules import SCORE_MAX
from shared.ids import BUCKETS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

Verdict = Literal["too_hard", "fine", "too_easy", "misleading", "not_enough_data"]

# Below this not even a question that nobody answers right is certainly hard: with 30 attempts the interval
# of a share is at most 34 points wide, and the outer groups have eight attempts each.
ATTEMPTS_MIN = 30
# From here on the interval is at most 14 points wide, and a share near a threshold is judged as it stands.
ATTEMPTS_ENOUGH = 200
# With questions that a third answers right, one attempt in a hundred reaches six of ten; Moodle calls
# 35-64 % about right for the average person.
TOO_HARD_BELOW = 0.35
# A question that more than nine in ten answer right sorts nobody; Moodle calls it very easy.
TOO_EASY_ABOVE = 0.90
# Kelley (1939): with the outer 27 % on each side the groups differ most for their size.
GROUP_SHARE = 0.27
# 95 % on two sides: for the interval of a share, and for "good attempts do worse on it than weak ones".
Z_95 = 1.959964

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# A correlation of exactly 1 has no finite transform; nothing hangs on its last digits.
_CORRELATION_MAX = 0.999999


@dataclass(frozen=True, slots=True)
class Packed:
    """Answered attempts as they come from the store: each field a list in one text, comma-separated.

    The first four have one entry for each response (`marks` one digit, without commas), the others one for
    each attempt. `groups` tells persons apart, as far as 256 groups do.
    """

    question_ids: str
    marks: str
    answers: str
    asked: str
    pass_scores: str
    groups: str


@dataclass(frozen=True, slots=True)
class Responses:
    """Responses (`question`, `attempt`, `correct`, `chosen`) and the attempts they belong to.

    `question` is a place in the bank that they were read with, `chosen` has one bit for each option (A
    is 1, B is 2).
    """

    question: IntArray
    attempt: IntArray
    correct: BoolArray
    chosen: IntArray
    asked: IntArray
    right: IntArray
    pass_score: IntArray
    group: IntArray

    @property
    def attempts(self) -> int:
        return len(self.asked)


@dataclass(frozen=True, slots=True)
class OptionShare:
    """How often an option was chosen: by all, by the best 27 % of attempts, by the weakest 27 %."""

    key: str
    chosen: float
    upper: float
    lower: float


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """A question's figures; None where there is nothing to compute them from."""

    attempts: int
    facility: float | None
    facility_low: float | None
    facility_high: float | None
    discrimination: float | None
    point_biserial: float | None
    options: tuple[OptionShare, ...]
    verdict: Verdict


_NO_RESPONSES = ItemStatistics(0, None, None, None, None, None, (), "not_enough_data")


def buckets_of_sample(attempts: int, wanted: int) -> int:
    """How many buckets of persons hold about so many attempts; all of them when there are not more."""
    return BUCKETS if attempts <= wanted else max(1, BUCKETS * wanted // attempts)


def unpacked(packed: Packed, bank: Sequence[int]) -> Responses:
    """Reads the texts; `bank` holds the ids of all questions that were ever asked, in rising order."""
    asked = _numbers(packed.asked)
    attempt = np.repeat(np.arange(len(asked)), asked)
    correct = np.frombuffer(packed.marks.encode(), dtype=np.uint8) == ord("1")
    return Responses(
        question=np.searchsorted(np.asarray(bank, dtype=np.int64), _numbers(packed.question_ids)),
        attempt=attempt,
        correct=correct,
        chosen=_option_bits(packed.answers, len(attempt)),
        asked=asked,
        right=np.bincount(attempt[correct], minlength=len(asked)),
        pass_score=_numbers(packed.pass_scores),
        group=_numbers(packed.groups),
    )


def _numbers(text: str) -> IntArray:
    return np.fromstring(text, dtype=np.int64, sep=",") if text else np.zeros(0, dtype=np.int64)


def _option_bits(answers: str, responses: int) -> IntArray:
    """Each answer's letters as bits; an answer names an option once, so its bits add up."""
    symbols = np.frombuffer(answers.encode(), dtype=np.uint8)
    place = np.cumsum(symbols == ord(","))
    letter = (symbols >= ord("A")) & (symbols <= ord("Z"))
    bits = np.exp2(symbols[letter].astype(np.float64) - ord("A"))
    return np.bincount(place[letter], weights=bits, minlength=responses).astype(np.int64)


def wilson(right: FloatArray, attempts: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The 95 % interval of a share (Wilson 1927): sound also for few attempts and for shares near 0 or 1."""
    share, spread = right / attempts, Z_95**2 / attempts
    middle = share + spread / 2
    reach = Z_95 * np.sqrt(share * (1 - share) / attempts + spread / (4 * attempts))
    # Rounding may put the edge of a share of 0 or 1 beside it.
    low, high = (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)
    return np.clip(low, 0.0, share), np.clip(high, share, 1.0)


def judge(
    attempts: int, facility: float, interval: tuple[float, float], point_biserial: float | None
) -> Verdict:
    """The verdict on a question.

    Misleading comes first: whoever knows more gets it wrong, so it is wrong itself, however hard it is.
    While attempts are few, a share whose interval holds a threshold is left open.
    """
    if attempts < ATTEMPTS_MIN:
        return "not_enough_data"
    if point_biserial is not None and _surely_negative(point_biserial, attempts):
        return "misleading"
    low, high = interval
    if attempts < ATTEMPTS_ENOUGH and any(low <= edge <= high for edge in (TOO_HARD_BELOW, TOO_EASY_ABOVE)):
        return "not_enough_data"
    if facility < TOO_HARD_BELOW:
        return "too_hard"
    return "too_easy" if facility > TOO_EASY_ABOVE else "fine"


def _surely_negative(correlation: float, attempts: int) -> bool:
    """By Fisher's transform, whose spread depends on the number of attempts only."""
    bounded = max(-_CORRELATION_MAX, min(_CORRELATION_MAX, correlation))
    return math.atanh(bounded) + Z_95 / math.sqrt(attempts - 3) < 0


def statistics(responses: Responses, questions: int) -> list[ItemStatistics]:
    """The figures of every question of the bank, in its order.

    The upper and the lower group of a question are the outer 27 % by score of the attempts that had it.
    Attempts that tie at a group's edge belong to it in part, all alike: so the order of rows decides
    nothing.
    """
    seen, question = np.unique(responses.question, return_inverse=True)
    if not len(seen):
        return [_NO_RESPONSES] * questions
    level = (SCORE_MAX * responses.right // responses.asked)[responses.attempt]
    shape = (len(seen), SCORE_MAX + 1)
    counts = np.bincount(question * shape[1] + level, minlength=shape[0] * shape[1]).reshape(shape)
    attempts = counts.sum(axis=1).astype(np.float64)
    right = np.asarray(np.bincount(question, weights=responses.correct), dtype=np.float64)
    upper = _outer(counts[:, ::-1])[:, ::-1][question, level]
    lower = _outer(counts)[question, level]
    size = GROUP_SHARE * attempts
    discrimination = np.bincount(question, weights=responses.correct * (upper - lower)) / size
    low, high = wilson(right, attempts)
    correlation = _corrected_point_biserial(responses, question, attempts, right)
    shares = _option_shares(responses, question, ((None, attempts), (upper, size), (lower, size)))
    result = [_NO_RESPONSES] * questions
    for place, item in enumerate(seen):
        n, facility = int(attempts[place]), float(right[place] / attempts[place])
        interval = (float(low[place]), float(high[place]))
        biserial = None if np.isnan(correlation[place]) else float(correlation[place])
        result[item] = ItemStatistics(
            attempts=n,
            facility=facility,
            facility_low=interval[0],
            facility_high=interval[1],
            discrimination=float(discrimination[place]),
            point_biserial=biserial,
            options=tuple(
                OptionShare(key, *(float(part) for part in rows[place])) for key, rows in shares.items()
            ),
            verdict=judge(n, facility, interval, biserial),
        )
    return result


def _outer(counts: IntArray) -> FloatArray:
    """The part of each cell that belongs to the first 27 % of its row."""
    before = np.cumsum(counts, axis=1) - counts
    wanted = GROUP_SHARE * counts.sum(axis=1, keepdims=True)
    part: FloatArray = np.clip((wanted - before) / np.maximum(counts, 1), 0.0, 1.0)
    return part


def _corrected_point_biserial(
    responses: Responses, question: IntArray, attempts: FloatArray, right: FloatArray
) -> FloatArray:
    """The correlation of an item with the rest of its test: with itself in it, any item would correlate.

    NaN where the item or the rest does not vary.
    """
    others = np.maximum(responses.asked - 1, 1)[responses.attempt]
    rest = (responses.right[responses.attempt] - responses.correct) / others
    total, squares = np.bincount(question, weights=rest), np.bincount(question, weights=rest * rest)
    product = np.bincount(question, weights=rest * responses.correct)
    varies = (attempts * right - right**2) * np.maximum(attempts * squares - total**2, 0.0)
    # What rounding leaves of a variance that is none is far below one person's difference.
    known = varies > 1e-9 * attempts**2
    covaries = attempts * product - right * total
    return np.where(known, covaries / np.sqrt(np.where(known, varies, 1.0)), np.nan)


def _option_shares(
    responses: Responses, question: IntArray, groups: Sequence[tuple[FloatArray | None, FloatArray]]
) -> dict[str, FloatArray]:
    """By option: a row for each question with the share of each group that chose it."""
    shares: dict[str, FloatArray] = {}
    for place in range(int(responses.chosen.max()).bit_length()):
        chose = (responses.chosen >> place) & 1 == 1
        columns = [
            np.bincount(
                question[chose], weights=None if weight is None else weight[chose], minlength=len(size)
            )
            / size
            for weight, size in groups
        ]
        shares[_LETTERS[place]] = np.stack(columns, axis=1)
    return shares

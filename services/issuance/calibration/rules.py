"""What responses say about a question: how hard it is, and whether it tells good attempts from weak ones.

Pure. Everything is computed from counts (how many attempts with so many right gave this answer), so the
figures of five million attempts take as long as those of five thousand.
"""

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from services.issuance.quiz.rules import SCORE_MAX
from services.issuance.responses.rules import BoolArray, FloatArray, IntArray

Verdict = Literal["too_hard", "fine", "too_easy", "misleading", "not_enough_data"]
Finding = Literal["unused", "preferred_by_best"]

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
# A wrong option that fewer than one in twenty choose tempts nobody (Tarrant, Ware and Mohammed 2009).
UNUSED_BELOW = 0.05
# 95 % on two sides: for the interval of a share, and for "good attempts do worse on it than weak ones".
Z_95 = 1.959964

# A correlation of exactly 1 has no finite transform; nothing hangs on its last digits.
_CORRELATION_MAX = 0.999999


@dataclass(frozen=True, slots=True)
class Item:
    """A question of the bank: its options, and which of them are right."""

    id: int
    options: Sequence[str]
    answer: Collection[str]


@dataclass(frozen=True, slots=True)
class ResponseCount:
    """`n` attempts with `right` of `asked` right gave this answer (option keys) to the question."""

    question_id: int
    asked: int
    right: int
    answer: str
    correct: bool
    n: int


@dataclass(frozen=True, slots=True)
class OptionFigures:
    """How often an option was chosen: by all, by the best 27 % of attempts, by the weakest 27 %."""

    key: str
    chosen: float
    upper: float
    lower: float
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class ItemStatistics:
    """A question's figures; None where there is nothing to compute them from."""

    attempts: int
    facility: float | None
    facility_low: float | None
    facility_high: float | None
    discrimination: float | None
    point_biserial: float | None
    options: tuple[OptionFigures, ...]
    verdict: Verdict


NO_RESPONSES = ItemStatistics(0, None, None, None, None, None, (), "not_enough_data")


def attempts_counted(counts: Iterable[ResponseCount]) -> int:
    """How many attempts these counts are from: each has as many responses as it was asked."""
    responses: dict[int, int] = {}
    for count in counts:
        responses[count.asked] = responses.get(count.asked, 0) + count.n
    return sum(n // asked for asked, n in responses.items())


def wilson(right: float, attempts: float) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927): sound also for few attempts and for shares near 0 or 1."""
    share, spread = right / attempts, Z_95**2 / attempts
    middle = share + spread / 2
    reach = Z_95 * math.sqrt(share * (1 - share) / attempts + spread / (4 * attempts))
    # Rounding may put the edge of a share of 0 or 1 beside it.
    low, high = (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)
    return min(max(low, 0.0), share), max(min(high, 1.0), share)


def judge(
    attempts: int,
    facility: float,
    interval: tuple[float, float],
    point_biserial: float | None,
    *,
    wrong_preferred: bool = False,
) -> Verdict:
    """The verdict on a question.

    Misleading comes first: whoever knows more gets it wrong, or prefers a wrong option to the right ones; so
    it is wrong itself, however hard it is. While attempts are few, a share whose interval holds a threshold
    is left open.
    """
    if attempts < ATTEMPTS_MIN:
        return "not_enough_data"
    if wrong_preferred or (point_biserial is not None and _surely_negative(point_biserial, attempts)):
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


@dataclass(frozen=True, slots=True)
class _Cells:
    """A question's counts as columns."""

    asked: IntArray
    right: IntArray
    correct: BoolArray
    n: FloatArray
    answers: Sequence[str]

    def groups(self, score: IntArray) -> tuple[FloatArray, FloatArray]:
        """Of each cell the part that belongs to the best and to the weakest 27 % by this score (0-100).

        As a share of the group.
        """
        at_score = np.asarray(np.bincount(score, weights=self.n, minlength=SCORE_MAX + 1), dtype=np.float64)
        size = GROUP_SHARE * at_score.sum()
        best = np.asarray(_outer(at_score[::-1])[::-1][score], dtype=np.float64)
        weakest = np.asarray(_outer(at_score)[score], dtype=np.float64)
        return self.n * best / size, self.n * weakest / size


def statistics(counts: Iterable[ResponseCount], items: Sequence[Item]) -> list[ItemStatistics]:
    """The figures of these questions, in their order; counts of other questions are passed over.

    The upper and the lower group of a question are the outer 27 % by score of the attempts that had it.
    Attempts that tie at a group's edge belong to it in part, all alike: so the order of rows decides
    nothing.
    """
    rows: dict[int, list[ResponseCount]] = {item.id: [] for item in items}
    for count in counts:
        if count.question_id in rows:
            rows[count.question_id].append(count)
    return [_figures(item, rows[item.id]) if rows[item.id] else NO_RESPONSES for item in items]


def _figures(item: Item, rows: Sequence[ResponseCount]) -> ItemStatistics:
    cells = _Cells(
        asked=np.asarray([row.asked for row in rows]),
        right=np.asarray([row.right for row in rows]),
        correct=np.asarray([row.correct for row in rows]),
        n=np.asarray([row.n for row in rows], dtype=np.float64),
        answers=[row.answer for row in rows],
    )
    total = float(cells.n.sum())
    upper, lower = cells.groups(SCORE_MAX * cells.right // cells.asked)
    right = float(cells.n[cells.correct].sum())
    interval = wilson(right, total)
    correlation = _corrected_point_biserial(cells)
    options = _options(item, cells, upper, lower)
    return ItemStatistics(
        attempts=int(total),
        facility=right / total,
        facility_low=interval[0],
        facility_high=interval[1],
        discrimination=float((upper - lower)[cells.correct].sum()),
        point_biserial=correlation,
        options=options,
        verdict=judge(
            int(total),
            right / total,
            interval,
            correlation,
            wrong_preferred=any(option.finding == "preferred_by_best" for option in options),
        ),
    )


def _outer(counts: FloatArray) -> FloatArray:
    """The part of each entry that belongs to the first 27 % of them all."""
    before = np.cumsum(counts) - counts
    part: FloatArray = np.clip((GROUP_SHARE * counts.sum() - before) / np.maximum(counts, 1), 0.0, 1.0)
    return part


def _corrected_point_biserial(cells: _Cells) -> float | None:
    """The correlation of an item with the rest of its test: with itself in it, any item would correlate.

    None where the item or the rest does not vary.
    """
    total = float(cells.n.sum())
    rest = (cells.right - cells.correct) / np.maximum(cells.asked - 1, 1)
    share, mean = float(cells.n @ cells.correct) / total, float(cells.n @ rest) / total
    varies = share * (1 - share) * (float(cells.n @ (rest - mean) ** 2) / total)
    # What rounding leaves of a variance that is none is far below one person's difference.
    if varies <= 1e-9 / total:
        return None
    return float(cells.n @ ((cells.correct - share) * (rest - mean))) / total / math.sqrt(varies)


def _options(item: Item, cells: _Cells, upper: FloatArray, lower: FloatArray) -> tuple[OptionFigures, ...]:
    total = float(cells.n.sum())
    # Whether the best prefer an option is asked of those who are best at the rest: who chose the wrong key
    # as the right one is not better for that.
    rest = SCORE_MAX * (cells.right - cells.correct) // np.maximum(cells.asked - 1, 1)
    weights = (cells.n / total, upper, lower, *cells.groups(rest))
    shares = {}
    for key in item.options:
        chose = np.asarray([key in answer for answer in cells.answers])
        shares[key] = [float(weight[chose].sum()) for weight in weights]
    # What the best agree on least among the right options: a wrong one must beat even that.
    right = min((shares[key][3] for key in item.answer if key in shares), default=1.0)
    found: list[OptionFigures] = []
    for key, (chosen, above, below, best, weakest) in shares.items():
        finding: Finding | None = None
        if key not in item.answer and total >= ATTEMPTS_MIN:
            if wilson(chosen * total, total)[1] < UNUSED_BELOW:
                finding = "unused"
            elif all(_surely_more(best, than, GROUP_SHARE * total) for than in (right, weakest)):
                finding = "preferred_by_best"
        found.append(OptionFigures(key, chosen, above, below, finding))
    return tuple(found)


def _surely_more(share: float, than: float, size: float) -> bool:
    """Two shares of groups of this size; the spread is that of two options of one group, the larger one."""
    variance = (share * (1 - share) + than * (1 - than) + 2 * share * than) / size
    # Parts that add up to everybody may add up to a little more than one, and then to less than no spread.
    return share - than > Z_95 * math.sqrt(max(0.0, variance))


# Figures move little with less: a tenth more answers narrows an interval by a twentieth.
_NEW_PART = 10


def enough_new(answered: int, kept: int | None) -> bool:
    """Whether figures that are from `kept` attempts (None: there are none) are worth making again."""
    return kept is None or (answered - kept) * _NEW_PART >= kept

"""Answered attempts as arrays, how many persons make a sample, and all attempts in steps. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from shared.ids import BUCKETS

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

# An attempt that began in time is answered by its limit; the rest is for a commit that takes its time.
_SETTLING = timedelta(hours=1)
# So many attempts are counted in one transaction: two seconds, on a slow machine ten.
_STEP_ATTEMPTS = 200_000


@dataclass(frozen=True, slots=True)
class Packed:
    """Answered attempts as they come from the store: each field a list in one text, comma-separated.

    The first two have one entry for each response (`marks` one digit, without commas), the others one for
    each attempt. `groups` tells persons apart, as far as 256 groups do.
    """

    question_ids: str
    marks: str
    asked: str
    pass_scores: str
    groups: str


@dataclass(frozen=True, slots=True)
class Responses:
    """Responses (`question`, `attempt`, `correct`) and the attempts they belong to.

    `question` is a place in the bank that they were read with.
    """

    question: IntArray
    attempt: IntArray
    correct: BoolArray
    asked: IntArray
    right: IntArray
    pass_score: IntArray
    group: IntArray

    @property
    def attempts(self) -> int:
        return len(self.asked)


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
        asked=asked,
        right=np.bincount(attempt[correct], minlength=len(asked)),
        pass_score=_numbers(packed.pass_scores),
        group=_numbers(packed.groups),
    )


def _numbers(text: str) -> IntArray:
    return np.fromstring(text, dtype=np.int64, sep=",") if text else np.zeros(0, dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction counts: a day's attempts of the persons in these buckets (the last one left out).

    `weight` is about how many attempts that are.
    """

    day: date
    first_bucket: int
    end_bucket: int
    settled: bool
    weight: int

    @property
    def then(self) -> tuple[date, int]:
        """The position behind it."""
        if self.end_bucket == BUCKETS:
            return self.day + timedelta(days=1), 0
        return self.day, self.end_bucket


def settled_before(now: datetime, *, time_limit_seconds: int) -> datetime:
    """Attempts that began before this moment are answered by now, or never will be."""
    return now - timedelta(seconds=time_limit_seconds) - _SETTLING


def steps(
    attempts: dict[date, int], *, begin: tuple[date, int], last_day: date, settled_until: date
) -> list[Step]:
    """What is left to count from a position on, in its order; days before `settled_until` for good.

    A busy day is counted in several parts, so that no transaction takes long.
    """
    found: list[Step] = []
    day, bucket = begin
    while day <= last_day:
        expected = attempts.get(day, 0)
        parts = min(BUCKETS, 1 + expected // _STEP_ATTEMPTS)
        edges = [BUCKETS * part // parts for part in range(parts + 1)]
        # A run that stopped within a day may have divided it otherwise: its position counts.
        edges = [bucket, *(edge for edge in edges if edge > bucket)]
        for first, end in pairwise(edges):
            found.append(Step(day, first, end, day < settled_until, expected * (end - first) // BUCKETS))
        day, bucket = day + timedelta(days=1), 0
    return found

"""Which activities a reviewer is told of beside the one in hand. Pure. A hint decides nothing."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from shared.ids import HotId

# The same rubbish heap is reported by several people within days; after that it is a new one.
NEARBY = timedelta(days=7)
# Half of their pairs of characters: the same report in other words, in practice.
SIMILARITY_MIN = 50
# Two looks (64 bits) of the same picture, scaled and compressed again, differ in a few bits.
LOOK_DISTANCE_MAX = 5
HINTS_MAX = 5
# Texts that seem alike are compared word by word; most of them are.
TEXTS_MAX = 20

Reason = Literal["same_subject", "near_text", "same_photo", "near_photo"]


@dataclass(frozen=True, slots=True)
class Likeness:
    """That one activity is like another, by one reason. `similarity` of the texts, where it was computed."""

    other: HotId
    reason: Reason
    state: str
    submitted_at: datetime
    same_person: bool
    similarity: int | None = None


@dataclass(frozen=True, slots=True)
class Hint:
    other: HotId
    reasons: tuple[Reason, ...]
    state: str
    submitted_at: datetime
    same_person: bool
    similarity: int | None


def hints(likenesses: Iterable[Likeness]) -> list[Hint]:
    """One hint for each other activity with all its reasons; those with most reasons first, then the oldest.

    A text that only looked alike by its bands is left out.
    """
    found: dict[HotId, list[Likeness]] = defaultdict(list)
    for likeness in likenesses:
        if likeness.reason != "near_text" or (likeness.similarity or 0) >= SIMILARITY_MIN:
            found[likeness.other].append(likeness)
    made = [
        Hint(
            other=other,
            reasons=tuple(dict.fromkeys(likeness.reason for likeness in likenesses)),
            state=likenesses[0].state,
            submitted_at=likenesses[0].submitted_at,
            same_person=likenesses[0].same_person,
            similarity=max(
                (entry.similarity for entry in likenesses if entry.similarity is not None), default=None
            ),
        )
        for other, likenesses in found.items()
    ]
    made.sort(key=lambda hint: (-len(hint.reasons), hint.submitted_at, hint.other))
    return made[:HINTS_MAX]

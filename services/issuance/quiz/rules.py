"""Sampling, shuffling and marking. Pure: the random generator comes in, so that a test can repeat it."""

import base64
import hashlib
import hmac
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from itertools import permutations
from random import Random
from uuid import UUID

SCORE_MAX = 100
# Keeps these apart from other tokens that are made with the same key.
_ATTEMPT_DOMAIN = "attempt-token"
# Letters of the options as they are shown; a question has at most six.
SHOWN_KEYS = "ABCDEF"


@dataclass(frozen=True, slots=True)
class Question:
    """`options` in the order in which they were written; `answer` holds every right key."""

    id: int
    text: str
    options: Mapping[str, str]
    answer: frozenset[str]
    explanation: str | None

    @property
    def multiple(self) -> bool:
        return len(self.answer) > 1


@dataclass(frozen=True, slots=True)
class Marked:
    """`answers` are original keys, sorted, one text for each question ("AC", "" for none)."""

    answers: tuple[str, ...]
    correct: tuple[bool, ...]
    score: int


class UnknownAnswer(Exception):
    """An answer to a question that was not asked, or with an option that was not shown."""

    def __init__(self, question_id: str, *, option: str | None = None) -> None:
        super().__init__(question_id)
        self.question_id = question_id
        self.option = option


@dataclass(frozen=True, slots=True)
class Bank:
    """The ids of the questions in use by difficulty, and the difficulty of each.

    `cells` are the ids by difficulty and category, `current` tells the version in use of each that was
    replaced.
    """

    levels: Mapping[int, Sequence[int]]
    level_of: Mapping[int, int]
    cells: Mapping[tuple[int, str], Sequence[int]] = field(default_factory=dict)
    current: Mapping[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """How many questions of each difficulty, and how many of these of each category."""

    levels: Mapping[int, int]
    cells: Mapping[tuple[int, str], int] = field(default_factory=dict)

    @classmethod
    def read(cls, written: Mapping[str, int | Mapping[str, int]] | None) -> "Blueprint | None":
        """A difficulty has a count, or a count for each category."""
        if not written:
            return None
        levels: dict[int, int] = {}
        cells: dict[tuple[int, str], int] = {}
        for level, wanted in written.items():
            if isinstance(wanted, Mapping):
                cells |= {(int(level), category): count for category, count in wanted.items()}
                levels[int(level)] = sum(wanted.values())
            else:
                levels[int(level)] = wanted
        return cls(levels, cells)


def quotas(
    bank: Mapping[int, int], total: int, *, blueprint: Mapping[int, int] | None, new: Mapping[int, int]
) -> dict[int, int]:
    """How many questions of each difficulty an attempt gets.

    `bank` says how many there are, `new` how many of them the person was not asked lately. The blueprint's
    counts come first, as far as the bank has them. The rest is spread over the new ones, then over the
    others, each in proportion to how many there are: so no attempt is all hard questions by chance. The
    sum is `total`, or the whole bank when it is smaller.
    """
    counts = dict.fromkeys(sorted(bank), 0)
    for level in counts:
        wanted = (blueprint or {}).get(level, 0)
        counts[level] = min(bank[level], wanted, total - sum(counts.values()))
    for kind in (new, bank):
        left = {level: max(0, kind.get(level, 0) - taken) for level, taken in counts.items()}
        for level, more in _spread(total - sum(counts.values()), left).items():
            counts[level] += more
    return counts


def _spread(total: int, left: Mapping[int, int]) -> dict[int, int]:
    """Largest remainder, ties to the easier level."""
    available = sum(left.values())
    total = min(total, available)
    if total == 0:
        return dict.fromkeys(left, 0)
    floors = {level: count * total // available for level, count in left.items()}
    by_remainder = sorted(left, key=lambda level: (-(left[level] * total % available), level))
    extra = by_remainder[: total - sum(floors.values())]
    return {level: floor + (level in extra) for level, floor in floors.items()}


def sample(
    bank: Bank, total: int, *, blueprint: Blueprint | None, recent: Sequence[int], rng: Random
) -> list[int]:
    """Question ids for one attempt, in random order.

    `recent` is what this person was asked lately, the latest first. Such a question comes again only where
    there is no other, the one that was asked longest ago first. Another version of it is the same question.
    What the blueprint wants of a category that has too few comes from others of that difficulty, and what it
    wants of a difficulty from other difficulties.
    """
    asked_ago: dict[int, int] = {}
    for place, question_id in enumerate(recent):
        current = bank.current.get(question_id, question_id)
        if current in bank.level_of:
            asked_ago.setdefault(current, place)
    chosen: list[int] = []
    for cell, count in sorted(blueprint.cells.items()) if blueprint else ():
        ids = bank.cells.get(cell, ())
        chosen += _pick(ids, min(count, total - len(chosen)), asked_ago, (), rng)
    from_cells = Counter(bank.level_of[question_id] for question_id in chosen)
    asked = Counter(bank.level_of[question_id] for question_id in asked_ago.keys() - chosen)
    there = {level: len(ids) - from_cells[level] for level, ids in bank.levels.items()}
    wanted = (
        {level: count - from_cells[level] for level, count in blueprint.levels.items()} if blueprint else None
    )
    new = {level: count - asked[level] for level, count in there.items()}
    taken = frozenset(chosen)
    for level, count in quotas(there, total - len(chosen), blueprint=wanted, new=new).items():
        chosen += _pick(bank.levels[level], count, asked_ago, taken, rng)
    rng.shuffle(chosen)
    return chosen


def _pick(
    ids: Sequence[int], count: int, asked_ago: Mapping[int, int], taken: Collection[int], rng: Random
) -> list[int]:
    """`count` of the ids (all, if there are fewer) that are not taken, those not asked lately first."""
    # With so many candidates at least `count` are neither taken nor asked lately, if there are so many; the
    # order is random.
    candidates = rng.sample(ids, min(len(ids), count + len(asked_ago) + len(taken)))
    free = [question_id for question_id in candidates if question_id not in taken]
    never = max(asked_ago.values(), default=0) + 1
    free.sort(key=lambda question_id: -asked_ago.get(question_id, never))
    return free[:count]


def attempt_token(key: bytes, attempt: str, person: UUID, expires_at: datetime) -> str:
    """What shows that answers come from where the questions were shown to. Good for one attempt only.

    Bound to the attempt, its person and its time; the attempt's own state makes it good for one submission.
    """
    told = f"{_ATTEMPT_DOMAIN}\n{attempt}\n{person.hex}\n{int(expires_at.timestamp() * 1_000_000)}"
    digest = hmac.digest(key, told.encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def shuffled_order(question: Question, rng: Random) -> str:
    """The question's option keys in the order in which they will be shown, such as "CABD"."""
    return rng.choice(_orders("".join(question.options)))


# At most 720, for six options. To shuffle them anew for each of ten questions was half of a start's rules.
@lru_cache(maxsize=64)
def _orders(keys: str) -> tuple[str, ...]:
    return tuple("".join(order) for order in permutations(keys))


def shown_answer(question: Question, order: str) -> list[str]:
    """The right answer in the letters that were shown."""
    return [shown for shown, key in zip(SHOWN_KEYS, order, strict=False) if key in question.answer]


def mark(questions: Sequence[Question], orders: Sequence[str], given: Mapping[str, Sequence[str]]) -> Marked:
    """Marks the answers that were given in shown letters, by question id.

    A question is right when exactly its right options were chosen; one that was not answered is wrong.
    The score is the percentage of right ones, rounded down: a pass mark of 80 needs full 80 %.

    Raises:
        UnknownAnswer: a question that was not asked, or an option that was not shown.
    """
    asked = {str(question.id) for question in questions}
    for question_id in given:
        if question_id not in asked:
            raise UnknownAnswer(question_id)
    answers: list[str] = []
    correct: list[bool] = []
    for question, order in zip(questions, orders, strict=True):
        chosen = {_original(letter, order, question) for letter in given.get(str(question.id), ())}
        answers.append("".join(sorted(chosen)))
        correct.append(chosen == question.answer)
    return Marked(tuple(answers), tuple(correct), SCORE_MAX * sum(correct) // len(correct))


def _original(letter: str, order: str, question: Question) -> str:
    place = SHOWN_KEYS.find(letter) if len(letter) == 1 else -1
    if not 0 <= place < len(order):
        raise UnknownAnswer(str(question.id), option=letter)
    return order[place]

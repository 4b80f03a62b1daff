"""Sampling, shuffling and marking. Pure: the random generator comes in, so that a test can repeat it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

SCORE_MAX = 100
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
    """The ids of the questions in use, by difficulty, and the difficulty of each."""

    levels: Mapping[int, Sequence[int]]
    level_of: Mapping[int, int]


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
    bank: Bank, total: int, *, blueprint: Mapping[int, int] | None, recent: Sequence[int], rng: Random
) -> list[int]:
    """Question ids for one attempt, in random order.

    `recent` is what this person was asked lately, the latest first. Such a question comes again only where
    there is no other, the one that was asked longest ago first.
    """
    asked_ago = {
        question_id: place
        for place, question_id in reversed(list(enumerate(recent)))
        if question_id in bank.level_of
    }
    asked = Counter(bank.level_of[question_id] for question_id in asked_ago)
    there = {level: len(ids) for level, ids in bank.levels.items()}
    new = {level: count - asked[level] for level, count in there.items()}
    chosen: list[int] = []
    for level, count in quotas(there, total, blueprint=blueprint, new=new).items():
        # With so many candidates at least `count` are new, if the level has them; the order is random.
        candidates = rng.sample(bank.levels[level], min(there[level], count + asked[level]))
        candidates.sort(key=lambda question_id: -asked_ago.get(question_id, len(recent)))
        chosen += candidates[:count]
    rng.shuffle(chosen)
    return chosen


def shuffled_order(question: Question, rng: Random) -> str:
    """The question's option keys in the order in which they will be shown, such as "CABD"."""
    return "".join(rng.sample(list(question.options), len(question.options)))


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

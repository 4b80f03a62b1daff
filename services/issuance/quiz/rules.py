"""Sampling, shuffling and marking. Pure: the random generator comes in, so that a test can repeat it."""

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
    difficulty: int

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


def quotas(bank: Mapping[int, int], total: int, blueprint: Mapping[int, int] | None) -> dict[int, int]:
    """How many questions of each difficulty an attempt gets. `bank` says how many there are.

    The blueprint's counts come first, as far as the bank has them. The rest is spread in proportion to
    what the bank has left (largest remainder, ties to the easier one), so that no attempt is all hard
    questions by chance. The sum is `total`, or the whole bank when it is smaller.
    """
    levels = sorted(bank)
    taken = dict.fromkeys(levels, 0)
    for level in levels:
        wanted = (blueprint or {}).get(level, 0)
        taken[level] = min(bank[level], wanted, total - sum(taken.values()))
    left = {level: bank[level] - taken[level] for level in levels}
    available = sum(left.values())
    rest = min(total - sum(taken.values()), available)
    if rest == 0:
        return taken
    floors = {level: left[level] * rest // available for level in levels}
    by_remainder = sorted(levels, key=lambda level: (-(left[level] * rest % available), level))
    extra = by_remainder[: rest - sum(floors.values())]
    return {level: taken[level] + floors[level] + (level in extra) for level in levels}


def sample(
    bank: Mapping[int, Sequence[int]],
    total: int,
    *,
    blueprint: Mapping[int, int] | None,
    recent: Sequence[int],
    rng: Random,
) -> list[int]:
    """Question ids for one attempt, in random order.

    `bank` holds the ids of each difficulty; `recent` what this person was asked lately, the latest first.
    A recent question comes again only where the bank has no other, the one asked longest ago first.
    """
    asked_ago = {question_id: place for place, question_id in reversed(list(enumerate(recent)))}
    chosen: list[int] = []
    counts = quotas({level: len(ids) for level, ids in bank.items()}, total, blueprint)
    for level, count in counts.items():
        # With so many candidates at least `count` are new, if the level has them; the order is random.
        candidates = rng.sample(bank[level], min(len(bank[level]), count + len(asked_ago)))
        candidates.sort(key=lambda question_id: -asked_ago.get(question_id, len(asked_ago)))
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

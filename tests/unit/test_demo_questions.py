from collections import Counter
from pathlib import Path
from typing import Literal

import pytest
import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

import deploy.demo_data

BANK = Path(deploy.demo_data.__path__[0]) / "honghe_questions.yaml"
CATEGORIES = {"清垃圾", "扫厕所", "勤洗手", "净餐馆", "常消毒", "管集市", "众参与"}


class Question(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    text: str
    options: dict[Literal["A", "B", "C", "D", "E"], str]
    answer: list[Literal["A", "B", "C", "D", "E"]]
    explanation: str
    difficulty: Literal[1, 2, 3]
    category: str

    @property
    def multiple(self) -> bool:
        return len(self.answer) > 1


@pytest.fixture(scope="module")
def bank() -> list[Question]:
    return TypeAdapter(list[Question]).validate_python(yaml.safe_load(BANK.read_text("utf-8")))


def test_the_bank_is_large_and_mixed_enough(bank: list[Question]) -> None:
    assert len(bank) >= 72
    assert sum(question.multiple for question in bank) >= 20
    assert sum(not question.multiple for question in bank) > len(bank) / 2


def test_no_question_is_asked_twice(bank: list[Question]) -> None:
    assert len({question.text for question in bank}) == len(bank)


def test_every_action_has_its_share_in_all_difficulties(bank: list[Question]) -> None:
    assert {question.category for question in bank} == CATEGORIES
    assert min(Counter(question.category for question in bank).values()) >= 8
    assert len({(question.category, question.difficulty) for question in bank}) == 3 * len(CATEGORIES)


def test_most_questions_are_easy_and_the_hard_ones_few(bank: list[Question]) -> None:
    share = {level: total / len(bank) for level, total in Counter(q.difficulty for q in bank).items()}
    assert share[1] == pytest.approx(0.40, abs=0.05)
    assert share[2] == pytest.approx(0.35, abs=0.05)
    assert share[3] == pytest.approx(0.25, abs=0.05)


def test_options_are_lettered_in_order_and_differ(bank: list[Question]) -> None:
    for question in bank:
        letters = list(question.options)
        assert letters == list("ABCDE"[: len(letters)]), question.text
        assert 3 <= len(letters) <= 5, question.text
        assert len({text.strip() for text in question.options.values()}) == len(letters), question.text
        assert all(text.strip() for text in question.options.values()), question.text


def test_answers_are_options_in_order(bank: list[Question]) -> None:
    for question in bank:
        assert question.answer, question.text
        assert set(question.answer) <= set(question.options), question.text
        assert question.answer == sorted(set(question.answer)), question.text


def test_every_question_is_explained(bank: list[Question]) -> None:
    assert all(len(question.explanation) >= 10 for question in bank)
    assert all(question.text.endswith("？") for question in bank)


def test_no_letter_gives_the_single_choice_answer_away(bank: list[Question]) -> None:
    singles = [question for question in bank if not question.multiple]
    letters = Counter(question.answer[0] for question in singles)
    assert max(letters.values()) <= 0.4 * len(singles)
    assert set(letters) >= set("ABCD")


def test_the_longest_option_is_not_the_give_away(bank: list[Question]) -> None:
    singles = [question for question in bank if not question.multiple]
    longest = sum(
        all(
            len(text) < len(question.options[question.answer[0]])
            for letter, text in question.options.items()
            if letter != question.answer[0]
        )
        for question in singles
    )
    assert longest <= 0.4 * len(singles)


def test_the_number_of_right_answers_varies(bank: list[Question]) -> None:
    sizes = Counter(len(question.answer) for question in bank if question.multiple)
    assert set(sizes) >= {2, 3, 4}

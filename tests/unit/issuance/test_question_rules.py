"""A question is taken or named with every fault; the same question is the same however it is written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.questions.rules import Draft, Question, judge

SOUND = Draft(text="几点洗手？", options={"A": "饭前", "B": "饭后", "C": "从不"}, answer="AB")


def question(**parts: object) -> Question:
    judged = judge(Draft(**(vars_of(SOUND) | parts)))  # type: ignore[arg-type]
    assert isinstance(judged, Question), judged
    return judged


def faults(**parts: object) -> list[tuple[str, str]]:
    judged = judge(Draft(**(vars_of(SOUND) | parts)))  # type: ignore[arg-type]
    assert isinstance(judged, list)
    return [(fault.field, fault.code) for fault in judged]


def vars_of(draft: Draft) -> dict[str, object]:
    return {name: getattr(draft, name) for name in draft.__slots__}


@pytest.mark.parametrize("answer", ["AB", "BA", "a、b", "Ａ，Ｂ", "A B", "a/b", "A,B,"])
def test_answers_are_understood_in_their_usual_spellings(answer: str) -> None:
    assert question(answer=answer).answer == ["A", "B"]


@pytest.mark.parametrize(
    ("difficulty", "number"), [("", 2), ("1", 1), ("易", 1), ("３", 3), ("困难", 3), ("Hard", 3)]
)
def test_difficulties_are_numbers_or_words(difficulty: str, number: int) -> None:
    assert question(difficulty=difficulty).difficulty == number


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"text": "  "}, [("text", "missing")]),
        ({"text": "长" * 501}, [("text", "too_long")]),
        ({"text": "响\x07铃"}, [("text", "characters")]),
        ({"text": "半\ud800个"}, [("text", "characters")]),
        ({"options": {"A": "是"}, "answer": "A"}, [("options", "options_too_few")]),
        ({"options": {"A": "是", "C": "否"}, "answer": "A"}, [("option_b", "option_gap")]),
        ({"options": {"A": "是", "B": "是 "}, "answer": "A"}, [("option_b", "option_repeated")]),
        ({"options": {"A": "是", "B": "否", "H": "也许"}, "answer": "A"}, [("options", "option_unknown")]),
        ({"options": {"A": "是", "B": "否" * 201}, "answer": "A"}, [("option_b", "too_long")]),
        ({"answer": ""}, [("answer", "missing")]),
        ({"answer": "对"}, [("answer", "answer_form")]),
        ({"answer": "AA"}, [("answer", "answer_repeated")]),
        ({"answer": "AE"}, [("answer", "answer_without_option")]),
        ({"difficulty": "4"}, [("difficulty", "difficulty_unknown")]),
        ({"explanation": "解" * 1001}, [("explanation", "too_long")]),
        ({"category": "类" * 51}, [("category", "too_long")]),
        ({"text": "", "answer": "X", "difficulty": "0"}, [
            ("text", "missing"), ("answer", "answer_form"), ("difficulty", "difficulty_unknown"),
        ]),
    ],
)  # fmt: skip
def test_every_fault_of_a_draft_is_named(parts: dict[str, object], found: list[tuple[str, str]]) -> None:
    assert faults(**parts) == found


def test_spaces_widths_order_and_what_stands_beside_make_no_other_question() -> None:
    same = question(
        text=" 几点洗手? ",
        options={"A": "从不", "B": "饭后", "C": "饭 前".replace(" ", "")},
        answer="BC",
        explanation="勤洗手",
        difficulty="3",
        category="健康",
    )
    assert same.content_hash == question().content_hash


@pytest.mark.parametrize(
    "parts",
    [{"text": "何时洗手？"}, {"answer": "A"}, {"options": {"A": "饭前", "B": "饭后", "C": "偶尔"}}],
)
def test_another_wording_or_answer_is_another_question(parts: dict[str, object]) -> None:
    assert question(**parts).content_hash != question().content_hash


@given(
    text=st.text(),
    options=st.dictionaries(st.sampled_from("ABCDEFG"), st.text()),
    answer=st.text("ABCDEFX, "),
    difficulty=st.text(max_size=2),
)
def test_any_draft_is_judged(text: str, options: dict[str, str], answer: str, difficulty: str) -> None:
    judged = judge(Draft(text, options, answer, difficulty=difficulty))
    if isinstance(judged, Question):
        assert len(judged.content_hash) == 32
        assert set(judged.answer) <= judged.options.keys()
        judged.text.encode()
    else:
        assert judged

"""Sampling, shuffling and marking."""

from collections import Counter
from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.quiz.rules import (
    SCORE_MAX,
    SHOWN_KEYS,
    Bank,
    Blueprint,
    Question,
    UnknownAnswer,
    mark,
    quotas,
    sample,
    shown_answer,
    shuffled_order,
)

seeds = st.integers(0, 2**32)
banks = st.dictionaries(st.integers(1, 3), st.integers(0, 30))
blueprints = st.none() | st.dictionaries(st.integers(1, 4), st.integers(0, 12))


def question(number: int, options: str = "ABCD", answer: str = "A") -> Question:
    return Question(
        id=number,
        text=f"第 {number} 题",
        options={key: f"选项 {key}" for key in options},
        answer=frozenset(answer),
        explanation=None,
    )


@st.composite
def questions(draw: st.DrawFn, count: int = 4) -> list[Question]:
    made = []
    for number in range(1, draw(st.integers(1, count)) + 1):
        options = SHOWN_KEYS[: draw(st.integers(2, len(SHOWN_KEYS)))]
        answer = draw(st.sets(st.sampled_from(options), min_size=1))
        made.append(question(number, options, "".join(answer)))
    return made


def bank_of(counts: dict[int, int]) -> Bank:
    levels = {level: [level * 1000 + number for number in range(count)] for level, count in counts.items()}
    return Bank(levels, {question_id: level for level, ids in levels.items() for question_id in ids})


@given(banks, st.integers(1, 40), blueprints)
def test_quotas_add_up_to_what_was_asked_for_or_to_the_whole_bank(
    bank: dict[int, int], total: int, blueprint: dict[int, int] | None
) -> None:
    found = quotas(bank, total, blueprint=blueprint, new=bank)
    assert sum(found.values()) == min(total, sum(bank.values()))
    assert all(0 <= found[level] <= bank[level] for level in bank)


@given(banks, st.integers(1, 40))
def test_without_a_blueprint_difficulties_are_mixed_as_in_the_bank(bank: dict[int, int], total: int) -> None:
    found, everything = quotas(bank, total, blueprint=None, new=bank), sum(bank.values())
    for level, count in bank.items():
        exact = count * min(total, everything) / (everything or 1)
        assert abs(found[level] - exact) < 1


@pytest.mark.parametrize(
    ("bank", "total", "blueprint", "expected"),
    [
        ({1: 20, 2: 20, 3: 20}, 10, {1: 5, 2: 3, 3: 2}, {1: 5, 2: 3, 3: 2}),
        ({1: 20, 2: 1, 3: 20}, 10, {1: 5, 2: 3, 3: 2}, {1: 6, 2: 1, 3: 3}),
        ({1: 20, 2: 20}, 4, {1: 5, 2: 3}, {1: 4, 2: 0}),
    ],
)
def test_a_blueprint_is_kept_where_the_bank_has_the_questions(
    bank: dict[int, int], total: int, blueprint: dict[int, int], expected: dict[int, int]
) -> None:
    assert quotas(bank, total, blueprint=blueprint, new=bank) == expected


@given(banks, st.integers(1, 20), blueprints, seeds, st.data())
def test_a_sample_has_no_question_twice_and_keeps_to_the_blueprint(
    counts: dict[int, int], total: int, blueprint: dict[int, int] | None, seed: int, data: st.DataObject
) -> None:
    bank = bank_of(counts)
    recent = data.draw(st.lists(st.sampled_from(sorted(bank.level_of)), max_size=40)) if bank.level_of else []
    wanted = None if blueprint is None else Blueprint(blueprint)
    chosen = sample(bank, total, blueprint=wanted, recent=recent, rng=Random(seed))
    assert len(set(chosen)) == len(chosen) == min(total, len(bank.level_of))
    found = Counter(bank.level_of[question_id] for question_id in chosen)
    if blueprint and sum(blueprint.values()) <= total:
        assert all(found[level] >= min(counts[level], blueprint.get(level, 0)) for level in counts)


@given(banks, st.integers(1, 20), seeds, st.data())
def test_a_recent_question_comes_again_only_when_nothing_else_is_left(
    counts: dict[int, int], total: int, seed: int, data: st.DataObject
) -> None:
    bank = bank_of(counts)
    known = sorted(bank.level_of)
    recent = data.draw(st.lists(st.sampled_from(known), max_size=40, unique=True)) if known else []
    chosen = set(sample(bank, total, blueprint=None, recent=recent, rng=Random(seed)))
    if chosen & set(recent):
        assert set(known) - set(recent) <= chosen, "a new one was left out"
    for ids in bank.levels.values():
        asked_here = [question_id for question_id in recent if question_id in ids]
        again = [question_id for question_id in asked_here if question_id in chosen]
        assert again == asked_here[len(asked_here) - len(again) :], "one asked longer ago was left out"


def test_the_same_generator_gives_the_same_attempt_and_another_one_a_different_one() -> None:
    bank = bank_of({1: 20, 2: 20, 3: 20})
    first, again, other = (
        sample(bank, 10, blueprint=None, recent=[], rng=Random(seed)) for seed in (1, 1, 2)
    )
    assert first == again != other


# The 0.1 % points of chi-square with 29 and 59 degrees of freedom. Sampling without replacement varies
# less than that distribution assumes, so a fair sampler fails less often than once in a thousand seeds.
CHI_SQUARE_29, CHI_SQUARE_59 = 58.30, 98.32


def chi_square(asked: Counter[int], ids: Iterable[int]) -> float:
    """Of how often each of these was asked, against as often for all."""
    counts = [asked[question_id] for question_id in ids]
    expected = sum(counts) / len(counts)
    return sum((count - expected) ** 2 / expected for count in counts)


def test_every_question_of_the_bank_is_asked_about_as_often() -> None:
    rng, bank = Random(7), bank_of({1: 12, 2: 12, 3: 6})
    asked = Counter(
        question_id
        for _ in range(3000)
        for question_id in sample(bank, 10, blueprint=None, recent=[], rng=rng)
    )
    assert chi_square(asked, bank.level_of) < CHI_SQUARE_29


@pytest.mark.parametrize("attempts", [0, 3, 5])
def test_every_question_of_a_cell_is_asked_about_as_often_by_people_who_come_again(attempts: int) -> None:
    rng, bank = Random(11), celled(30, 30)
    blueprint = Blueprint.read({"1": {"甲": 3, "乙": 2}, "2": 4})
    asked: Counter[int] = Counter()
    for _ in range(600):
        recent: list[int] = []
        for _ in range(8):
            chosen = sample(bank, 9, blueprint=blueprint, recent=recent[: attempts * 9], rng=rng)
            recent = chosen + recent
            asked.update(chosen)
    for ids in (bank.cells[1, "甲"], bank.cells[1, "乙"], bank.levels[2]):
        assert chi_square(asked, ids) < CHI_SQUARE_59


def celled(first: int, second: int) -> Bank:
    """Two difficulties of two categories each, with so many questions in each cell of each."""
    cells = {
        (level, category): [level * 1000 + place * 100 + number for number in range(count)]
        for level, count in ((1, first), (2, second))
        for place, category in enumerate("甲乙")
    }
    levels = {level: [*cells[level, "甲"], *cells[level, "乙"]] for level in (1, 2)}
    level_of = {question_id: level for level, ids in levels.items() for question_id in ids}
    return Bank(levels, level_of, cells)


@given(
    st.integers(0, 8),
    st.integers(0, 8),
    st.dictionaries(
        st.sampled_from(["1", "2", "3"]),
        st.integers(0, 5) | st.dictionaries(st.sampled_from("甲乙丙"), st.integers(0, 4)),
    ),
    seeds,
    st.data(),
)
def test_a_blueprint_of_categories_is_met_wherever_the_bank_can(
    first: int, second: int, written: dict[str, int | dict[str, int]], seed: int, data: st.DataObject
) -> None:
    bank, blueprint = celled(first, second), Blueprint.read(written)
    total = max(1, sum(blueprint.levels.values()) if blueprint else 3)
    recent = data.draw(st.lists(st.sampled_from(sorted(bank.level_of)), max_size=30)) if bank.level_of else []
    chosen = sample(bank, total, blueprint=blueprint, recent=recent, rng=Random(seed))
    assert len(set(chosen)) == len(chosen) == min(total, len(bank.level_of))
    found = Counter(bank.level_of[question_id] for question_id in chosen)
    for level, wanted in (blueprint.levels if blueprint else {}).items():
        assert found[level] >= min(wanted, len(bank.levels.get(level, ())))
    for cell, wanted in (blueprint.cells if blueprint else {}).items():
        ids = bank.cells.get(cell, ())
        assert len(set(chosen) & set(ids)) >= min(wanted, len(ids))


@given(st.integers(1, 6), seeds)
def test_with_enough_questions_nobody_meets_one_again_in_the_attempts_of_the_rule(
    attempts: int, seed: int
) -> None:
    rng, bank = Random(seed), bank_of({1: 40, 2: 40})
    blueprint = Blueprint.read({"1": 3, "2": 2})
    seen: list[list[int]] = []
    for _ in range(attempts + 1):
        recent = [question_id for chosen in reversed(seen) for question_id in chosen]
        chosen = sample(bank, 5, blueprint=blueprint, recent=recent, rng=rng)
        assert not set(chosen) & set(recent)
        seen.append(chosen)


def test_another_version_of_a_question_is_the_same_question() -> None:
    bank = Bank({1: [11, 2, 3]}, {11: 1, 2: 1, 3: 1}, current={1: 11, 10: 11})
    for seed in range(30):
        assert 11 not in sample(bank, 2, blueprint=None, recent=[1], rng=Random(seed))
        assert set(sample(bank, 2, blueprint=None, recent=[10, 2], rng=Random(seed))) == {3, 2}


def test_every_order_of_the_options_comes_about_as_often() -> None:
    rng = Random(7)
    orders = Counter(shuffled_order(question(1, "ABC"), rng) for _ in range(6000))
    assert sorted(orders) == ["ABC", "ACB", "BAC", "BCA", "CAB", "CBA"]
    assert all(abs(count - 1000) < 150 for count in orders.values())


@given(questions(), seeds)
def test_the_shown_right_answers_are_marked_right(asked: list[Question], seed: int) -> None:
    rng = Random(seed)
    orders = [shuffled_order(each, rng) for each in asked]
    given_answers = {
        str(each.id): shown_answer(each, order) for each, order in zip(asked, orders, strict=True)
    }
    marked = mark(asked, orders, given_answers)
    assert marked.score == SCORE_MAX
    assert all(marked.correct)
    assert [frozenset(keys) for keys in marked.answers] == [each.answer for each in asked]


@given(questions(), seeds, st.data())
def test_a_question_is_right_exactly_when_its_right_options_and_no_others_were_chosen(
    asked: list[Question], seed: int, data: st.DataObject
) -> None:
    rng = Random(seed)
    orders = [shuffled_order(each, rng) for each in asked]
    given_answers = {
        str(each.id): data.draw(st.lists(st.sampled_from(SHOWN_KEYS[: len(order)]), max_size=6))
        for each, order in zip(asked, orders, strict=True)
        if data.draw(st.booleans())
    }
    marked = mark(asked, orders, given_answers)
    for each, order, right in zip(asked, orders, marked.correct, strict=True):
        assert right == (set(given_answers.get(str(each.id), [])) == set(shown_answer(each, order)))
    assert marked.score == SCORE_MAX * sum(marked.correct) // len(asked)


def test_the_score_is_rounded_down() -> None:
    asked = [question(number) for number in range(1, 4)]
    orders = ["ABCD"] * 3
    assert mark(asked, orders, {"1": ["A"], "2": ["A"], "3": ["B"]}).score == 66
    assert mark(asked, orders, {"1": ["A"]}).score == 33


def test_what_was_not_answered_is_wrong_and_kept_as_empty() -> None:
    asked = [question(1), question(2, answer="AC")]
    marked = mark(asked, ["DCBA", "ABCD"], {"2": ["C", "A", "C"]})
    assert marked.answers == ("", "AC")
    assert marked.correct == (False, True)


@pytest.mark.parametrize(
    ("given_answers", "question_id", "option"),
    [
        ({"9": ["A"]}, "9", None),
        ({"": []}, "", None),
        ({"1": ["E"]}, "1", "E"),
        ({"1": ["a"]}, "1", "a"),
        ({"1": ["A", "AB"]}, "1", "AB"),
        ({"1": [""]}, "1", ""),
        ({"1": ["选"]}, "1", "选"),
    ],
)
def test_answers_to_what_was_not_shown_are_named(
    given_answers: dict[str, list[str]], question_id: str, option: str | None
) -> None:
    with pytest.raises(UnknownAnswer) as refused:
        mark([question(1)], ["DCBA"], given_answers)
    assert (refused.value.question_id, refused.value.option) == (question_id, option)

"""Attempts marked again: by hand, against a slow model written from the definition, and against a truth."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.issuance.rescoring.rules import Effect, Remarking
from services.issuance.responses.rules import Responses

BANK = range(8)
DIFFICULTY = (1, 1, 1, 1, 2, 2, 3, 3)
Attempt = dict[int, bool]
"""Question → whether it was answered right."""


def responses_of(attempts: Sequence[Attempt], *, pass_score: int) -> Responses:
    return Responses(
        question=np.asarray([key for attempt in attempts for key in attempt], dtype=np.int64),
        attempt=np.repeat(np.arange(len(attempts)), [len(attempt) for attempt in attempts]),
        correct=np.asarray([right for attempt in attempts for right in attempt.values()], dtype=np.bool_),
        asked=np.asarray([len(attempt) for attempt in attempts]),
        right=np.asarray([sum(attempt.values()) for attempt in attempts]),
        pass_score=np.full(len(attempts), pass_score),
        group=np.arange(len(attempts)) % 256,
    )


def retire(
    attempts: Sequence[Attempt],
    *questions: int,
    pass_score: int = 60,
    other_pass_score: int | None = None,
    difficulty: Sequence[int] = DIFFICULTY,
    questions_left: int = 100,
) -> Effect:
    return Remarking(
        responses_of(attempts, pass_score=pass_score),
        difficulty=np.asarray(difficulty),
        retired=np.isin(np.arange(len(difficulty)), questions),
        questions_left=questions_left,
        rng=np.random.default_rng(1),
    ).effect(other_pass_score)


# Question 0 is hard. Two questions each.
SMALL: list[Attempt] = [
    {0: False, 1: True},
    {0: False, 2: False},
    {1: True, 2: True},
    {1: True, 2: False},
]


def test_retiring_a_hard_question_by_hand() -> None:
    """Both must be right: only the third attempt passes.

    Without question 0 the first attempt has one right of one, and needs a right replacement. Responses with
    the one other question right: in the third attempt both (right, right), in the fourth question 2
    (wrong): two of three. The second attempt cannot pass any more; the others stay as they are.
    """
    effect = retire(SMALL, 0, pass_score=100)
    assert effect.before.estimate == 1 / 4
    assert effect.after.estimate == pytest.approx((2 / 3 + 0 + 1 + 0) / 4)
    assert effect.change.estimate == pytest.approx((2 / 3) / 4)
    assert (effect.attempts, effect.touched) == (4, 2)


def test_the_same_with_half_the_score_by_hand() -> None:
    """One right of two is enough.

    The second attempt's replacement is right as question 1 was in the fourth, whose other question was
    wrong: surely.
    """
    effect = retire(SMALL, 0, pass_score=50)
    assert effect.before.estimate == 3 / 4
    assert effect.after.estimate == pytest.approx(1.0)


def test_replacements_are_of_like_difficulty() -> None:
    """Question 0 is of difficulty 3, where people get question 3 wrong; 1 and 2 are easy and right."""
    attempts = [{0: False, 1: True}, {3: False, 1: True}, {3: False, 2: True}, {1: True, 2: True}]
    hard = retire(attempts, 0, pass_score=100, difficulty=(3, 1, 1, 3))
    assert hard.after.estimate == pytest.approx(1 / 4)
    easy = retire(attempts, 0, pass_score=100, difficulty=(1, 1, 1, 3))
    assert easy.after.estimate == pytest.approx(2 / 4)


def test_a_new_pass_score_is_applied_to_every_attempt() -> None:
    attempts = [{number: number < right for number in range(5)} for right in (1, 2, 3, 4, 5)]
    effect = retire(attempts, pass_score=80, other_pass_score=60)
    assert (effect.before.estimate, effect.after.estimate) == (2 / 5, 3 / 5)
    assert effect.touched == 0


def test_scores_are_rounded_down() -> None:
    two_of_three: list[Attempt] = [{0: True, 1: True, 2: False}]
    assert retire(two_of_three, pass_score=66).before.estimate == 1
    assert retire(two_of_three, pass_score=67).before.estimate == 0


def test_a_bank_that_runs_short_makes_attempts_shorter() -> None:
    attempts: list[Attempt] = [{0: False, 1: True}, {0: False, 1: False}]
    effect = retire(attempts, 0, pass_score=100, questions_left=1)
    assert effect.after.estimate == 1 / 2


@dataclass(frozen=True)
class Plain:
    """The definition, in plain loops: subsets are written out, nothing is an array."""

    attempts: Sequence[Attempt]
    retired: frozenset[int]
    pass_score: int

    def kept(self, attempt: Attempt) -> Attempt:
        return {key: right for key, right in attempt.items() if key not in self.retired}

    def chance(self, level: int, others: int, right: int) -> float:
        won = seen = 0.0
        mean = [0, 0]
        for attempt in map(self.kept, self.attempts):
            for key in attempt:
                if DIFFICULTY[key] != level:
                    continue
                mean[0] += attempt[key]
                mean[1] += 1
                rest = [attempt[other] for other in attempt if other != key]
                subsets = list(combinations(rest, others)) if others <= len(rest) else []
                part = sum(sum(subset) == right for subset in subsets) / max(len(subsets), 1)
                seen += part
                won += part * attempt[key]
        return won / seen if seen else mean[0] / mean[1]

    def passes(self, attempt: Attempt) -> float:
        kept, asked = self.kept(attempt), len(attempt)
        levels = sorted(DIFFICULTY[key] for key in attempt if key in self.retired)

        @cache
        def win(filled: int, right: int) -> float:
            if filled == len(levels):
                return float(100 * right // asked >= self.pass_score)
            share = self.chance(levels[filled], len(kept) + filled, right)
            return share * win(filled + 1, right + 1) + (1 - share) * win(filled + 1, right)

        return win(0, sum(kept.values()))


# Every attempt has three questions; one of difficulty 1 and one of each other are never retired, and the
# first three attempts hold nothing else: so each difficulty has a response with two others.
whole = st.fixed_dictionaries({3: st.booleans(), 5: st.booleans(), 7: st.booleans()})
any_attempt = st.lists(st.sampled_from(BANK), min_size=3, max_size=3, unique=True).flatmap(
    lambda keys: st.fixed_dictionaries({key: st.booleans() for key in keys})
)


@given(
    begin=st.lists(whole, min_size=3, max_size=3),
    more=st.lists(any_attempt, max_size=12),
    retired=st.frozensets(st.sampled_from([0, 1, 2, 4, 6]), max_size=5),
    pass_score=st.sampled_from([0, 33, 34, 60, 67, 100]),
)
@settings(max_examples=60, deadline=None)
def test_estimate_is_what_the_definition_says(
    begin: list[Attempt], more: list[Attempt], retired: frozenset[int], pass_score: int
) -> None:
    attempts = begin + more
    effect = retire(attempts, *retired, pass_score=pass_score)
    model = Plain(attempts, retired, pass_score)
    expected = sum(map(model.passes, attempts)) / len(attempts)
    assert effect.after.estimate == pytest.approx(expected)
    assert 0 <= effect.after.p05 <= effect.after.p95 <= 1 + 1e-9
    if not retired:
        assert effect.after.estimate == pytest.approx(effect.before.estimate)
        assert effect.change.p05 == pytest.approx(0)
        assert effect.change.p95 == pytest.approx(0)


@given(
    begin=st.lists(whole, min_size=3, max_size=3),
    more=st.lists(any_attempt, max_size=12),
    retired=st.frozensets(st.sampled_from([0, 1, 2, 4, 6]), max_size=3),
)
@settings(max_examples=30, deadline=None)
def test_a_higher_pass_score_never_lets_more_pass(
    begin: list[Attempt], more: list[Attempt], retired: frozenset[int]
) -> None:
    rates = [
        retire(begin + more, *retired, other_pass_score=score).after.estimate for score in (0, 34, 67, 100)
    ]
    assert rates[0] == pytest.approx(1)
    assert rates == sorted(rates, reverse=True) or rates == pytest.approx(sorted(rates, reverse=True))


def quizzes(rng: np.random.Generator, attempts: int, ease: np.ndarray, *, asked: int = 10) -> Responses:
    """Attempts at a bank whose questions are so easy, by people who differ; about three by each person."""
    question = np.argsort(rng.random((attempts, len(ease))), axis=1)[:, :asked]
    person = rng.integers(0, max(attempts // 3, 1), attempts)
    ability = rng.normal(0, 1, attempts // 3 + 1)[person][:, None]
    correct = rng.random((attempts, asked)) < 1 / (1 + np.exp(-(ability + ease[question])))
    return Responses(
        question=question.ravel(),
        attempt=np.repeat(np.arange(attempts), asked),
        correct=correct.ravel(),
        asked=np.full(attempts, asked),
        right=correct.sum(axis=1),
        pass_score=np.full(attempts, 60),
        group=person % 256,
    )


def test_the_estimate_is_what_really_happens_without_the_hard_questions() -> None:
    """Out of a bank of 60 the ten hardest go, and attempts are sampled from the other fifty."""
    ease = np.sort(np.random.default_rng(1).normal(0, 1, 60))
    truth = quizzes(np.random.default_rng(2), 150_000, ease[10:])
    rate = float((truth.right >= 6).mean())
    held = 0
    for seed in range(30):
        seen = quizzes(np.random.default_rng([3, seed]), 3_000, ease)
        effect = Remarking(
            seen,
            difficulty=np.ones(60, dtype=np.int64),
            retired=np.arange(60) < 10,
            questions_left=50,
            rng=np.random.default_rng(seed),
        ).effect(None)
        assert effect.after.estimate > effect.before.estimate + 0.02
        held += effect.after.p05 <= rate <= effect.after.p95
    assert held >= 24


def person_by_person(attempts: Sequence[Attempt], *, seed: int) -> Sequence[Attempt]:
    """As many persons as there are, drawn with replacement (here each has one attempt)."""
    return [
        attempts[place] for place in np.random.default_rng(seed).integers(0, len(attempts), len(attempts))
    ]


def played_again(attempts: Sequence[Attempt], retired: int, rng: np.random.Generator) -> float:
    """The pass rate (3 of 5) when every attempt draws a replacement at random, as people would.

    Of the responses to other questions of the difficulty, one in an attempt that had as many of four others
    right: taken blindly until one fits.
    """
    donors = [
        (attempt, key)
        for attempt in attempts
        for key in attempt
        if DIFFICULTY[key] == DIFFICULTY[retired] and retired not in attempt
    ]
    passed = 0
    for attempt in attempts:
        right = sum(good for key, good in attempt.items() if key != retired)
        while retired in attempt:
            donor, key = donors[int(rng.integers(len(donors)))]
            if sum(good for other, good in donor.items() if other != key) == right:
                right += donor[key]
                break
        passed += right >= 3
    return passed / len(attempts)


def test_the_band_is_that_of_resampling_persons_by_brute_force() -> None:
    """Persons drawn again and again, each attempt played again with random replacements."""
    rng = np.random.default_rng(5)
    ease = np.asarray([-2.0, 0.5, 0.0, 1.0, 0.5, -0.5, 0.0, 0.5])
    attempts: list[Attempt] = []
    for _ in range(250):
        keys, ability = rng.permutation(len(BANK))[:5], rng.normal()
        marks = rng.random(5) < 1 / (1 + np.exp(-(ability + ease[keys])))
        attempts.append({int(key): bool(mark) for key, mark in zip(keys, marks, strict=True)})
    effect = retire(attempts, 0, pass_score=60)
    again = [played_again(attempts, 0, rng) for _ in range(150)]
    assert effect.after.estimate == pytest.approx(float(np.mean(again)), abs=0.006)
    # Several plays of each draw of persons, so that the play itself adds little.
    resampled = [
        np.mean([played_again(persons, 0, rng) for _ in range(3)])
        for persons in (person_by_person(attempts, seed=seed) for seed in range(150))
    ]
    low, high = np.quantile(resampled, (0.05, 0.95))
    assert effect.after.p05 == pytest.approx(float(low), abs=0.02)
    assert effect.after.p95 == pytest.approx(float(high), abs=0.02)
    before = [
        np.mean([sum(attempt.values()) >= 3 for attempt in person_by_person(attempts, seed=seed)])
        for seed in range(400)
    ]
    low, high = np.quantile(before, (0.05, 0.95))
    assert effect.before.p05 == pytest.approx(float(low), abs=0.015)
    assert effect.before.p95 == pytest.approx(float(high), abs=0.015)


def test_ten_times_the_attempts_take_about_ten_times_as_long() -> None:
    def seconds(attempts: int) -> float:
        responses = quizzes(np.random.default_rng(1), attempts, np.random.default_rng(2).normal(0, 1, 60))
        begin = time.perf_counter()
        Remarking(
            responses,
            difficulty=np.arange(60) % 3 + 1,
            retired=np.arange(60) < 10,
            questions_left=50,
            rng=np.random.default_rng(3),
        ).effect(None)
        return time.perf_counter() - begin

    assert seconds(100_000) < 40 * min(seconds(10_000) for _ in range(2))

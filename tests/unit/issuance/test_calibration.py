"""Question statistics against their definitions, and planted questions that must be found."""

import math
import statistics as plain
import time
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.issuance.calibration.rules import (
    ATTEMPTS_ENOUGH,
    ATTEMPTS_MIN,
    GROUP_SHARE,
    Item,
    ItemStatistics,
    ResponseCount,
    attempts_counted,
    judge,
    statistics,
    wilson,
)
from services.issuance.responses.rules import (
    Packed,
    Responses,
    Step,
    buckets_of_sample,
    settled_before,
    steps,
    unpacked,
)
from shared.clock import CHINA
from shared.ids import BUCKETS

BANK = (11, 12, 13, 14, 15)
Attempt = dict[int, str]
"""Question id → the answer; "A" is right everywhere."""


def read(attempts: Sequence[Attempt], *, pass_score: int = 60) -> Responses:
    """The attempts as the store hands them over."""
    answers = [answer for attempt in attempts for answer in attempt.values()]
    packed = Packed(
        question_ids=",".join(str(key) for attempt in attempts for key in attempt),
        marks="".join("1" if answer == "A" else "0" for answer in answers),
        asked=",".join(str(len(attempt)) for attempt in attempts),
        pass_scores=",".join([str(pass_score)] * len(attempts)),
        groups=",".join(str(number % 256) for number in range(len(attempts))),
    )
    return unpacked(packed, BANK)


def counted(attempts: Sequence[Attempt]) -> list[ResponseCount]:
    """As the database counts them."""
    seen = Counter(
        (key, len(attempt), sum(a == "A" for a in attempt.values()), answer, answer == "A")
        for attempt in attempts
        for key, answer in attempt.items()
    )
    return [ResponseCount(*cell, n) for cell, n in seen.items()]


ITEMS = [Item(key, "ABCDEF", "A") for key in BANK]


def figures(attempts: Sequence[Attempt]) -> dict[int, ItemStatistics]:
    return dict(zip(BANK, statistics(counted(attempts), ITEMS), strict=True))


attempts_lists = st.lists(
    st.dictionaries(st.sampled_from(BANK), st.sampled_from(["A", "B", "C", "BC", ""]), min_size=1),
    min_size=1,
    max_size=40,
)


def score(attempt: Attempt) -> int:
    return 100 * sum(answer == "A" for answer in attempt.values()) // len(attempt)


def plain_share(attempts: Sequence[Attempt], key: int, option: str, *, best: bool) -> float:
    """By definition: sort, walk until 27 % are reached, take of the last group the part that fits in."""
    wanted = GROUP_SHARE * len(attempts)
    left, chosen = wanted, 0.0
    for level in sorted({score(attempt) for attempt in attempts}, reverse=best):
        tied = [attempt for attempt in attempts if score(attempt) == level]
        part = min(1.0, left / len(tied))
        chosen += part * sum(option in attempt[key] for attempt in tied)
        left -= part * len(tied)
    return chosen / wanted


def test_texts_are_read_as_they_were_written() -> None:
    responses = read([{11: "A", 12: "", 13: "BD"}, {15: "ACF"}])
    assert responses.question.tolist() == [0, 1, 2, 4]
    assert responses.attempt.tolist() == [0, 0, 0, 1]
    assert responses.correct.tolist() == [True, False, False, False]
    assert responses.right.tolist() == [1, 0]
    assert responses.attempts == 2


def test_nothing_answered_is_nothing_known() -> None:
    assert unpacked(Packed("", "", "", "", ""), BANK).attempts == 0
    assert attempts_counted([]) == 0
    assert {item.verdict for item in statistics([], ITEMS)} == {"not_enough_data"}


def test_figures_of_a_small_table_by_hand() -> None:
    found = figures(
        [
            {11: "A", 12: "A", 13: "A"},
            {11: "A", 12: "A", 13: "B"},
            {11: "B", 12: "A", 13: "B"},
            {11: "B", 12: "C", 13: "B"},
        ]
    )
    assert found[11].attempts == 4
    assert found[11].facility == 0.5
    assert found[13].facility == 0.25
    assert found[12].facility == 0.75
    # The best 27 % of four are the first and a little of the second, the weakest the last and a little.
    assert found[11].discrimination == pytest.approx(1.0)
    assert found[13].discrimination == pytest.approx(1 / 1.08)
    # Right on question 11 goes with (1, 1/2) on the rest, wrong with (1/2, 0).
    assert found[11].point_biserial == pytest.approx(plain.correlation([1, 1, 0, 0], [1, 0.5, 0.5, 0]))
    assert [(option.key, option.chosen) for option in found[12].options] == [
        ("A", 0.75), ("B", 0.0), ("C", 0.25), ("D", 0.0), ("E", 0.0), ("F", 0.0),
    ]  # fmt: skip
    assert found[14].attempts == 0
    assert found[14].facility is None


@given(attempts=attempts_lists)
@settings(max_examples=150, deadline=None)
def test_figures_are_what_their_definitions_say(attempts: list[Attempt]) -> None:
    found = figures(attempts)
    for key in BANK:
        having = [attempt for attempt in attempts if key in attempt]
        item = found[key]
        assert item.attempts == len(having)
        if not having:
            continue
        right = [attempt[key] == "A" for attempt in having]
        assert item.facility == pytest.approx(sum(right) / len(right))
        assert item.facility is not None
        assert item.facility_low is not None
        assert item.facility_high is not None
        assert 0 <= item.facility_low <= item.facility <= item.facility_high <= 1
        for option in item.options:
            assert option.upper == pytest.approx(plain_share(having, key, option.key, best=True))
            assert option.lower == pytest.approx(plain_share(having, key, option.key, best=False))
        rest = [
            (sum(answer == "A" for answer in attempt.values()) - (attempt[key] == "A"))
            / max(len(attempt) - 1, 1)
            for attempt in having
        ]
        if len(set(right)) == 1 or len(set(rest)) == 1:
            assert item.point_biserial is None
        else:
            assert item.point_biserial == pytest.approx(plain.correlation(list(map(float, right)), rest))


@given(attempts=attempts_lists, seed=st.integers(0, 1000))
@settings(max_examples=50, deadline=None)
def test_the_order_of_rows_decides_nothing(attempts: list[Attempt], seed: int) -> None:
    shuffled = [attempts[place] for place in np.random.default_rng(seed).permutation(len(attempts))]
    for one, other in zip(figures(attempts).values(), figures(shuffled).values(), strict=True):
        assert one.verdict == other.verdict
        assert one.discrimination == pytest.approx(other.discrimination)
        assert one.point_biserial == pytest.approx(other.point_biserial)


@pytest.mark.parametrize(
    ("right", "attempts", "low", "high"),
    [(0, 10, 0.0, 0.2775), (10, 100, 0.0552, 0.1744), (50, 100, 0.4038, 0.5962), (30, 30, 0.8865, 1.0)],
)
def test_wilson_interval_has_its_published_values(right: int, attempts: int, low: float, high: float) -> None:
    assert wilson(right, attempts) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("right", "attempts", "correlation", "verdict"),
    [
        (0, ATTEMPTS_MIN - 1, None, "not_enough_data"),
        (0, ATTEMPTS_MIN, None, "too_hard"),
        (3, 30, 0.1, "too_hard"),
        (9, 30, 0.1, "not_enough_data"),  # 30 %, but it may as well be 45 %
        (69, ATTEMPTS_ENOUGH, 0.1, "too_hard"),
        (71, ATTEMPTS_ENOUGH, 0.1, "fine"),
        (20, 30, 0.1, "fine"),
        (30, 30, None, "not_enough_data"),
        (60, 60, None, "too_easy"),
        (181, ATTEMPTS_ENOUGH, 0.1, "too_easy"),
        (179, ATTEMPTS_ENOUGH, 0.1, "fine"),
        (20, 30, -0.3, "fine"),  # by chance in one of ten
        (20, 30, -0.4, "misleading"),
        (2, 30, -0.4, "misleading"),
        (100, ATTEMPTS_ENOUGH, -0.15, "misleading"),
        (20, 30, -1.0, "misleading"),
    ],
)
def test_verdicts_in_their_order(right: int, attempts: int, correlation: float | None, verdict: str) -> None:
    assert judge(attempts, right / attempts, wilson(right, attempts), correlation) == verdict


def planted(attempts: int, *, seed: int, questions: int = 60, asked: int = 10) -> list[ResponseCount]:
    """Question 0 is hard, 1 easy, 2 misleading; the others are such as half of the people know.

    Who chooses wrongly takes option B; what misleads draws those who know more. Nobody ever takes C.
    """
    rng = np.random.default_rng(seed)
    question = np.argsort(rng.random((attempts, questions)), axis=1)[:, :asked]
    ability = rng.normal(0, 1, attempts)[:, None]
    ease, slope = rng.uniform(0.0, 1.5, questions), np.ones(questions)
    ease[:3], slope[2] = (-3.0, 4.0, 0.0), -2.0
    correct = rng.random((attempts, asked)) < 1 / (1 + np.exp(-(slope[question] * ability + ease[question])))
    right = np.repeat(correct.sum(axis=1), asked)
    cells, n = np.unique(
        np.stack((question.ravel(), right, correct.ravel()), axis=1), axis=0, return_counts=True
    )
    return [
        ResponseCount(int(key), asked, int(got), "A" if good else "B", bool(good), int(count))
        for (key, got, good), count in zip(cells, n, strict=True)
    ]


SIXTY = [Item(number, "ABC", "A") for number in range(60)]


def test_planted_questions_are_found_and_no_others() -> None:
    found = [item.verdict for item in statistics(planted(12_000, seed=4), SIXTY)]
    assert found[:3] == ["too_hard", "too_easy", "misleading"]
    assert set(found[3:]) == {"fine"}


def test_what_misleads_shows_in_the_options() -> None:
    item = statistics(planted(12_000, seed=4), SIXTY)[2]
    assert [option.finding for option in item.options] == [None, "preferred_by_best", "unused"]
    wrong = item.options[1]
    assert wrong.upper > wrong.lower + 0.1
    assert item.discrimination is not None
    assert item.discrimination < -0.1


def options_of(upper: dict[str, int], lower: dict[str, int]) -> ItemStatistics:
    """Half of the attempts has three of the four other questions right, half has one."""
    counts = [
        ResponseCount(1, 5, rest + (answer == "A"), answer, answer == "A", n)
        for rest, group in ((3, upper), (1, lower))
        for answer, n in group.items()
    ]
    [item] = statistics(counts, [Item(1, "ABCD", "A")])
    return item


def test_a_wrong_key_is_found_although_the_question_is_not_answered_against_the_rest() -> None:
    """The best choose B and some A, the weakest C: the key is right more often among the best, and wrong."""
    item = options_of({"A": 100, "B": 250, "C": 50}, {"A": 40, "B": 60, "C": 300})
    assert item.point_biserial is not None
    assert item.point_biserial > 0
    assert [option.finding for option in item.options] == [None, "preferred_by_best", None, "unused"]
    assert item.verdict == "misleading"


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        ({"A": 300, "B": 100}, {"A": 100, "B": 300}),  # as it should be
        ({"A": 150, "B": 250}, {"A": 100, "B": 300}),  # hard, and B tempts the weakest more
        ({"A": 9, "B": 15}, {"A": 12, "B": 12}),  # by chance
        ({"A": 300, "B": 100}, {"A": 100, "B": 20, "C": 280}),  # tempts the better ones, but less than A
    ],
)
def test_a_tempting_option_is_no_wrong_key(upper: dict[str, int], lower: dict[str, int]) -> None:
    item = options_of(upper, lower)
    assert item.verdict != "misleading"
    assert "preferred_by_best" not in {option.finding for option in item.options}


def test_an_option_is_unused_only_when_that_is_sure() -> None:
    def of_c(chosen: int, attempts: int) -> object:
        [item] = statistics(
            [
                ResponseCount(1, 1, 1, "A", True, attempts - chosen),
                ResponseCount(1, 1, 0, "C", False, chosen or 1),
            ],
            [Item(1, "ABC", "A")],
        )
        return item.options[2].finding

    assert of_c(1, 2_000) == "unused"
    assert of_c(40, 1_000) is None  # 4 %, but it may as well be 5.4 %
    assert of_c(1, 60) is None
    assert of_c(300, 1_000) is None


def test_an_option_that_everybody_chose_has_no_spread_whatever_the_rounding_leaves() -> None:
    """The parts of the best add up to 1.0000000000000002 here."""
    answered = [90, 61, 36, 89, 13, 58, 55, 38, 37, 8]
    counts = [ResponseCount(1, 10, right, "B", False, n) for right, n in enumerate(answered)]
    [found] = statistics(counts, [Item(1, "ABCD", "A")])
    assert {option.key: option.finding for option in found.options}["B"] is None


def test_few_attempts_are_no_verdict() -> None:
    found = statistics(planted(100, seed=4), SIXTY)
    assert max(item.attempts for item in found) < ATTEMPTS_MIN
    assert {item.verdict for item in found} == {"not_enough_data"}


def test_ten_times_the_attempts_take_no_longer() -> None:
    """Five million attempts at a bank of a thousand questions: what counts is the number of cells."""

    def seconds(attempts: int) -> float:
        counts = [
            ResponseCount(key, 10, right, answer, answer == "A", attempts)
            for key in range(1_000)
            for right in range(11)
            for answer in ("A", "B", "C", "D", "AB")
            if (answer == "A") <= right
        ]
        begin = time.perf_counter()
        statistics(counts, [Item(key, "ABCD", "A") for key in range(1_000)])
        return time.perf_counter() - begin

    assert min(seconds(1_000) for _ in range(2)) < 3 * min(seconds(100) for _ in range(2))


@given(attempts=attempts_lists, place=st.integers(0, 40))
@settings(max_examples=50, deadline=None)
def test_counts_of_parts_add_up_to_the_whole(attempts: list[Attempt], place: int) -> None:
    """What a day brought is counted once, and added to what was there."""
    parts = [*counted(attempts[:place]), *counted(attempts[place:])]
    assert attempts_counted(counted(attempts)) == attempts_counted(parts) == len(attempts)
    for one, other in zip(statistics(parts, ITEMS), figures(attempts).values(), strict=True):
        assert (one.attempts, one.verdict) == (other.attempts, other.verdict)
        assert one.discrimination == pytest.approx(other.discrimination)
        assert one.point_biserial == pytest.approx(other.point_biserial)


DAY = date(2020, 11, 1)


def test_a_day_is_settled_when_nothing_of_it_can_be_answered_any_more() -> None:
    now = datetime(2020, 11, 2, 1, 4, tzinfo=CHINA)
    assert settled_before(now, time_limit_seconds=300).date() == DAY
    later = now + timedelta(minutes=2)
    assert settled_before(later, time_limit_seconds=300).date() == DAY + timedelta(days=1)


@given(
    attempts=st.lists(st.integers(0, 900_000), min_size=1, max_size=5),
    begin=st.tuples(st.integers(0, 4), st.integers(0, BUCKETS - 1)),
    settled=st.integers(0, 6),
)
@settings(max_examples=100, deadline=None)
def test_steps_cover_what_is_left_exactly_once(
    attempts: list[int], begin: tuple[int, int], settled: int
) -> None:
    last = DAY + timedelta(days=len(attempts) - 1)
    position = (DAY + timedelta(days=begin[0]), begin[1])
    found = steps(
        {DAY + timedelta(days=number): n for number, n in enumerate(attempts)},
        begin=position,
        last_day=last,
        settled_until=DAY + timedelta(days=settled),
    )
    at = position
    for step in found:
        assert (step.day, step.first_bucket) == at
        assert step.settled == (step.day < DAY + timedelta(days=settled))
        assert 0 <= step.weight <= 210_000
        at = step.then
    assert at == max(position, (last + timedelta(days=1), 0))


def test_a_run_that_stopped_within_a_day_goes_on_where_it_was() -> None:
    whole = steps({DAY: 500_000}, begin=(DAY, 0), last_day=DAY, settled_until=DAY)
    assert [step.first_bucket for step in whole] == [0, 341, 682]
    rest = steps({DAY: 900_000}, begin=whole[0].then, last_day=DAY, settled_until=DAY)
    assert rest[0] == Step(DAY, 341, 409, settled=False, weight=59_765)
    assert rest[-1].end_bucket == BUCKETS


@pytest.mark.parametrize(
    ("attempts", "wanted", "buckets"),
    [(0, 10, BUCKETS), (10, 10, BUCKETS), (20, 10, BUCKETS // 2), (10**9, 1, 1)],
)
def test_a_sample_is_as_large_as_wanted(attempts: int, wanted: int, buckets: int) -> None:
    assert buckets_of_sample(attempts, wanted) == buckets
    assert math.isclose(buckets_of_sample(5_000_000, 100_000) / BUCKETS * 5_000_000, 100_000, rel_tol=0.05)

"""What the signals find in stories with a seed: most of the stuffing, and hardly an honest hospital."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import pytest

from services.quota.signals import rules
from services.quota.signals.rules import (
    SIGNALS,
    Figures,
    Finding,
    Peers,
    Reason,
    Trace,
    View,
    judge,
    roll_up,
    sentence,
)
from shared.clock import CHINA
from tests.support.stuffing import PATTERNS, Planted, Story, judged, story

SEEDS = range(2)
NINE = datetime(2020, 8, 3, 9, 0, 7, tzinfo=CHINA)


@pytest.fixture(scope="module")
def stories() -> list[Story]:
    return [story(seed) for seed in SEEDS]


def telling(told: Story, found: Mapping[tuple[int, date], list[Finding]], planted: Planted) -> set[str]:
    """The kinds of cases in which at least half of the evidence is stuffed."""
    stuffed = {(one.hospital, one.day): [card.stuffed for card in one.cards] for one in told.days}
    return {
        finding.kind
        for day in planted.days
        for finding in found[planted.hospital, day]
        if 2 * sum(stuffed[planted.hospital, day][card] for card in finding.cards) >= len(finding.cards)
    }


def outcome(
    stories: Sequence[Story], *, planted_only: bool = False
) -> tuple[Counter[str], Counter[str], int, int, int, int]:
    """Patterns planted and found by their own signal; all found; honest hospitals and those with a case."""
    planted: Counter[str] = Counter()
    own: Counter[str] = Counter()
    found_at_all = honest = flagged = 0
    for told in stories:
        wanted = {(one.hospital, day) for one in told.planted for day in one.days} if planted_only else None
        found = judged(told, wanted)
        for one in told.planted:
            kinds = telling(told, found, one)
            planted[one.pattern] += 1
            own[one.pattern] += one.pattern in kinds
            found_at_all += bool(kinds)
        honest += len(told.honest)
        flagged += len(
            {hospital for (hospital, _), cases in found.items() if cases and hospital in told.honest}
        )
    return planted, own, found_at_all, planted.total(), honest, flagged


def test_nine_of_ten_patterns_are_found_and_hardly_an_honest_hospital(stories: list[Story]) -> None:
    planted, own, found, all_planted, honest, flagged = outcome(stories)
    print(f"found {found} of {all_planted} patterns, {dict(own)} by their own signal")  # noqa: T201 - asked for
    print(f"honest hospitals with a case in six weeks: {flagged} of {honest}")  # noqa: T201 - asked for
    assert found >= 0.9 * all_planted
    assert flagged <= 0.02 * honest
    assert all(own[pattern] >= 0.7 * planted[pattern] for pattern in PATTERNS)


@pytest.mark.parametrize("off", range(len(SIGNALS)), ids=[signal.__name__[1:] for signal in SIGNALS])
def test_without_one_of_its_signals_its_pattern_is_missed(
    stories: list[Story], monkeypatch: pytest.MonkeyPatch, off: int
) -> None:
    monkeypatch.setattr(rules, "SIGNALS", SIGNALS[:off] + SIGNALS[off + 1 :])
    planted, own, *_ = outcome(stories[:1], planted_only=True)
    missed = SIGNALS[off].__name__[1:]
    assert own[missed] == 0
    assert planted[missed] > 0


def every(seconds: float, count: int, *, devices: int = 10**6, used: int = 0) -> list[Trace]:
    return [
        Trace(number, NINE + timedelta(seconds=seconds * number), number < used, number % devices)
        for number in range(count)
    ]


def view(traces: list[Trace], *, scans: int = 1000, mature: bool = False, peers: Peers | None = None) -> View:
    return View(traces, roll_up(traces, scans), [], peers or Peers(1.5, 4.0, 0.4), mature)


def kinds(told: View) -> set[str]:
    return {finding.kind for finding in judge(told)}


def test_a_crowd_that_scans_is_no_burst_and_one_without_scans_is() -> None:
    traces = [
        Trace(number, NINE + timedelta(seconds=(number * 7919) % 550), used=False, device=number)
        for number in range(80)
    ]
    traces.sort(key=lambda trace: trace.at)
    assert "burst" not in kinds(view(traces, scans=90))
    assert "burst" in kinds(view(traces, scans=5))
    # Where the programme's codes are scanned elsewhere, scans say nothing.
    assert "burst" not in kinds(view(traces, scans=0, peers=Peers(0.01, 4.0, 0.4)))


def test_a_burst_from_few_devices_is_one_although_it_was_scanned() -> None:
    found = judge(view(every(6, 80, devices=9)))
    assert "burst" in {finding.kind for finding in found}


def test_what_is_usual_for_the_code_is_no_burst() -> None:
    traces = every(6.3, 90)
    usual = [Figures(issued=200, busiest=60)] * 10
    busy = View(traces, roll_up(traces, 0), usual, Peers(1.5, 4.0, 0.4), mature=False)
    assert "burst" not in kinds(busy)


def test_an_even_interval_is_found_among_others_and_a_persons_pace_is_not() -> None:
    even = [trace.at for trace in every(90, 40)]
    others = [NINE + timedelta(seconds=217.3 * number**1.07) for number in range(25)]
    mixed = [Trace(n, at, used=False) for n, at in enumerate(sorted([*even, *others]))]
    (found,) = [finding for finding in judge(view(mixed)) if finding.kind == "regular"]
    assert len(found.cards) >= 35
    persons = [NINE + timedelta(seconds=60 * number + (number * 37) % 53) for number in range(60)]
    assert "regular" not in kinds(view([Trace(n, at, used=False) for n, at in enumerate(sorted(persons))]))


def test_times_that_tell_the_minute_or_the_day_only_say_nothing() -> None:
    minutes = [
        Trace(n, NINE.replace(second=0) + timedelta(minutes=n), used=False, device=1) for n in range(80)
    ]
    day = [Trace(n, NINE, used=False, device=1) for n in range(80)]
    assert kinds(view(minutes)) == set()
    assert kinds(view(day, scans=0)) == set()


def test_cards_are_unused_only_when_they_had_time_and_others_were_used() -> None:
    traces = every(400, 100, used=5)
    assert "unused" not in kinds(view(traces))
    (found,) = [one for one in judge(view(traces, mature=True)) if one.kind == "unused"]
    assert len(found.cards) == 95
    assert kinds(view(traces, mature=True, peers=Peers(1.5, 4.0, 0.08))) == {"regular"}
    assert kinds(view(traces, mature=True, peers=Peers(1.5, 4.0, None))) == {"regular"}


def test_a_tablet_at_a_persons_pace_is_no_farm_and_a_faster_device_is() -> None:
    assert "devices" not in kinds(view(every(75, 60, devices=1)))
    assert "devices" in kinds(view(every(12, 15, devices=1)))
    assert "devices" not in kinds(view(every(12, 9, devices=1)))


def test_a_reason_is_a_sentence_in_two_languages() -> None:
    reasons = [Reason("cards_in_ten_minutes", 84, 30), Reason("scans_per_card", 0.06, 0.5)]
    assert (
        sentence(reasons, "zh")
        == "十分钟内发卡 84 张，超过 30 张；当日每张卡对应扫码 0.06 次，低于 0.50 次。"
    )
    assert sentence(reasons, "en").startswith("84 cards within ten minutes, above 30; 0.06 scans")


def test_an_empty_day_has_no_figures_and_no_case() -> None:
    assert roll_up([], 3) == Figures(scans=3)
    assert judge(view([])) == []

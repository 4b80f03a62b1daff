"""What the demonstration's stories plan before anybody asks a platform."""

from datetime import datetime
from itertools import pairwise

import pytest

from bench.scenarios.honghe_days import DAYS_MIN, VISITORS, event_of, newcomers, visits
from bench.scenarios.yueqing_cards import (
    AUGUST,
    LATER,
    NOVEMBER,
    Month,
    cancelled,
    followed,
    issued,
    stuffed,
)

HOSPITALS = [{"hospital_id": f"h{number}", "visits": 1_000 * (number + 1)} for number in range(8)]
SCENES = {f"h{number}": [f"s{number}", f"s{number}-desk"] for number in range(8)}


@pytest.mark.parametrize("days", [DAYS_MIN, len(VISITORS)])
def test_each_day_has_its_visitors_once_and_knows_who_is_new(days: int) -> None:
    planned = visits(days)

    assert [len(day) for day in planned] == list(VISITORS[:days])
    seen: set[int] = set()
    for number, day in enumerate(planned):
        persons = [visit.person for visit in day]
        assert len(set(persons)) == len(persons)
        assert set(newcomers(planned, number)) == set(persons) - seen
        seen |= set(persons)
    assert any(visit.checks_in for visit in planned[0])
    assert all(event_of(day) or not visit.checks_in for day, of in enumerate(planned) for visit in of)


def test_the_same_story_is_planned_each_time() -> None:
    assert visits(DAYS_MIN) == visits(DAYS_MIN)
    assert issued(LATER[0], HOSPITALS, SCENES) == issued(LATER[0], HOSPITALS, SCENES)


@pytest.mark.parametrize("month", [AUGUST, *LATER, NOVEMBER], ids=lambda month: month.name)
def test_a_month_has_its_cards_on_its_days_by_known_codes(month: Month) -> None:
    events = issued(month, HOSPITALS, SCENES)

    assert len(events) == len({event["event_id"] for event in events}) == month.cards
    days = {(datetime.fromisoformat(event["at"]).date() - month.first).days for event in events}
    assert days <= set(range(month.days))
    without = [event for event in events if "scene" not in event]
    assert 0 < len(without) < month.cards // 30
    known = {scene for scenes in SCENES.values() for scene in scenes}
    assert {event["scene"] for event in events if "scene" in event} == known


def test_cards_are_used_and_cancelled_after_they_were_issued() -> None:
    events = issued(LATER[0], HOSPITALS, SCENES)
    until = datetime.fromisoformat("2020-10-31T09:00:00+08:00")
    begun = {event["holder_ref"]: event["at"] for event in events}

    since = followed(events, until)

    assert all(
        datetime.fromisoformat(begun[event["holder_ref"]]) <= datetime.fromisoformat(event["at"]) <= until
        for event in since
    )
    assert 0 < len(cancelled(since)) < len(since)


def test_the_desk_that_looks_odd_types_faster_than_a_person() -> None:
    desk = stuffed("s1")
    moments = [datetime.fromisoformat(event["at"]) for event in desk]

    assert len({event["device_ref"] for event in desk}) == 1
    assert all((later - sooner).seconds < 30 for sooner, later in pairwise(moments))
    assert len(desk) >= 10

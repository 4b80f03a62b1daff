"""Yueqing's card events in the demonstration: invented months, and one desk that looks odd. Pure, seeded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

_SEED = 20200831
# Every 40th card comes without a hospital's code and must stay visible as unattributed.
_WITHOUT_CODE = 40
_OPENING_HOUR = 8
# Of the cards of a month so many have been used since, and so many were cancelled.
_USED_SHARE = 0.35
_CANCELLED = 12
# Weekends are quiet, and hospitals differ in how they promote.
_WEEKEND_WEIGHT = 0.45
_SATURDAY = 5
_PACES = (0.5, 0.7, 0.9, 1.0, 1.1, 1.4, 1.9)
# One tablet, about twenty seconds a card: a person at a desk needs longer for the form.
_STUFFED, _STUFFED_SECONDS = 16, (14, 26)

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Month:
    """`even`: spread by visits alone, as the published month; else each hospital keeps its own pace."""

    name: str
    first: date
    days: int
    cards: int
    even: bool = False
    open_seconds: int = 8 * 3600


AUGUST = Month("2020-08", date(2020, 8, 1), 31, 6_000, even=True)
LATER = (
    Month("2020-09", date(2020, 9, 1), 30, 3_200),
    Month("2020-10", date(2020, 10, 1), 30, 3_800),
)
# What comes while the campaign is on, and the morning on which the demonstration is handed over.
NOVEMBER = Month("2020-11", date(2020, 10, 31), 10, 1_300)
THIS_MORNING = Month("2020-11-10", date(2020, 11, 10), 1, 64, open_seconds=9_000)


def issued(
    month: Month, hospitals: Sequence[Mapping[str, Any]], scenes: Mapping[str, Sequence[str]]
) -> list[Event]:
    """The cards issued in a month; `scenes` are a hospital's codes, its own first."""
    rng = Random(f"{_SEED}/{month.name}")
    weights = [
        hospital["visits"] * (1.0 if month.even else _PACES[number % len(_PACES)])
        for number, hospital in enumerate(hospitals)
    ]
    days = [month.first + timedelta(days=number) for number in range(month.days)]
    quiet = [1.0 if month.even or day.weekday() < _SATURDAY else _WEEKEND_WEIGHT for day in days]
    chosen = rng.choices(hospitals, weights=weights, k=month.cards)
    moments = rng.choices(days, weights=quiet, k=month.cards)
    events = []
    for number, (hospital, day) in enumerate(zip(chosen, moments, strict=True)):
        event = {
            "event_id": f"demo-{month.name}-{number}",
            "holder_ref": f"demo-holder-{month.name}-{number}",
            "kind": "issued",
            "at": _moment(day, rng, month.open_seconds).isoformat(),
        }
        if number % _WITHOUT_CODE:
            event["scene"] = rng.choice(scenes[hospital["hospital_id"]])
        events.append(event)
    return events


def followed(events: Sequence[Event], until: datetime) -> list[Event]:
    """What became of cards since: most of them used, a few cancelled."""
    rng = Random(f"{_SEED}/{events[0]['event_id']}")
    followers = []
    for number, event in enumerate(events):
        kind = "cancelled" if number < _CANCELLED else "used"
        if kind == "used" and rng.random() > _USED_SHARE:
            continue
        begun = datetime.fromisoformat(event["at"])
        at = begun + (until - begun) * rng.random()
        followers.append(
            {
                "event_id": f"{event['event_id']}-{kind}",
                "holder_ref": event["holder_ref"],
                "kind": kind,
                "at": at.isoformat(timespec="seconds"),
            }
        )
    return followers


def cancelled(followers: Sequence[Event]) -> set[str]:
    return {event["holder_ref"] for event in followers if event["kind"] == "cancelled"}


def stuffed(scene: str) -> list[Event]:
    """A desk that made cards as fast as a tablet can be typed on."""
    rng = Random(f"{_SEED}/desk")
    at = datetime.fromisoformat("2020-08-03T15:02:11+08:00")
    events = []
    for number in range(_STUFFED):
        at += timedelta(seconds=rng.randint(*_STUFFED_SECONDS))
        events.append(
            {
                "event_id": f"demo-desk-{number}",
                "holder_ref": f"demo-desk-holder-{number}",
                "kind": "issued",
                "at": at.isoformat(),
                "scene": scene,
                "device_ref": "demo-desk-tablet",
            }
        )
    return events


def _moment(day: date, rng: Random, open_seconds: int) -> datetime:
    opening = datetime.fromisoformat(f"{day.isoformat()}T{_OPENING_HOUR:02d}:00:00+08:00")
    return opening + timedelta(seconds=rng.randrange(open_seconds))

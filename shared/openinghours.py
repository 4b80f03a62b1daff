"""Opening hours by weekday: read from what people write, and asked whether a moment lies within them. Pure.

Stored as `{"mon": ["08:00-12:00", "14:00-17:30"], …}`; a day that is not named is a closed day. Times are
local, minutes precise; a span ends on its own day, at 24:00 at the latest.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise

Hours = Mapping[str, Sequence[str]]

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SPANS_PER_DAY_MAX = 6

_CHINESE = "一二三四五六日"
_SPAN = re.compile(r"(\d{1,2}):(\d{2})-(\d{1,2}):(\d{2})")
_DAY = r"(?:周|星期)?([一二三四五六日天])|\b(mon|tue|wed|thu|fri|sat|sun)\w*"
_DAYS = re.compile(rf"(?:{_DAY})(?:-(?:{_DAY}))?")
_EVERY_DAY = re.compile(r"每天|每日|全周|daily|every day")
_DASHES = re.compile(r"\s*(?:至|到|~|—|–|－|-|to)+\s*")
_PART = re.compile(r"[;；。\n]+")
_MINUTES_PER_DAY = 24 * 60


class NotHours(ValueError):
    """The text or document says no opening hours; the message says what is wrong."""


def _minutes(hour: str, minute: str) -> int:
    return int(hour) * 60 + int(minute)


def _spans(day: str, spans: Sequence[str]) -> list[tuple[int, int]]:
    """In minutes from midnight, in order. Raises NotHours."""
    read = []
    for span in spans:
        found = _SPAN.fullmatch(span)
        if found is None:
            raise NotHours(f"{day}: {span[:20]!r} is no span such as 08:00-17:30")
        begin, end = _minutes(*found.group(1, 2)), _minutes(*found.group(3, 4))
        if not 0 <= begin < end <= _MINUTES_PER_DAY or int(found[2]) > 59 or int(found[4]) > 59:  # noqa: PLR2004 - minutes of an hour
            raise NotHours(f"{day}: {span} does not end after it begins, on the same day")
        read.append((begin, end))
    read.sort()
    if any(later[0] < earlier[1] for earlier, later in pairwise(read)):
        raise NotHours(f"{day}: spans overlap")
    return read


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def canonical_hours(hours: Hours) -> dict[str, list[str]]:
    """One spelling: days in their order, spans in theirs, closed days left out. Raises NotHours."""
    unknown = [day for day in hours if day not in WEEKDAYS]
    if unknown:
        raise NotHours(f"{unknown[0][:20]!r} is no weekday; use {', '.join(WEEKDAYS)}")
    told: dict[str, list[str]] = {}
    for day in WEEKDAYS:
        if len(hours.get(day, ())) > SPANS_PER_DAY_MAX:
            raise NotHours(f"{day}: more than {SPANS_PER_DAY_MAX} spans")
        spans = _spans(day, hours.get(day, ()))
        if spans:
            told[day] = [f"{_clock(begin)}-{_clock(end)}" for begin, end in spans]
    if not told:
        raise NotHours("no day is open")
    return told


def read_hours(text: str) -> dict[str, list[str]]:
    """What a clerk writes: `周一至周五 8:00-12:00,14:00-17:30；周六 9:00-12:00`; spans alone mean every day.

    Raises NotHours.
    """
    plain = _DASHES.sub("-", unicodedata.normalize("NFKC", text).casefold())
    hours: dict[str, list[str]] = {}
    for part in filter(None, (one.strip() for one in _PART.split(plain))):
        first = _SPAN.search(part)
        if first is None:
            raise NotHours(f"{part[:20]!r} tells no span such as 08:00-17:30")
        days = _days(part[: first.start()])
        spans = [found[0] for found in _SPAN.finditer(part)]
        if _SPAN.sub("", part[first.start() :]).strip(" ,、和与及&"):
            raise NotHours(f"{part[:40]!r} is not understood")
        for day in days:
            hours.setdefault(day, []).extend(spans)
    return canonical_hours(hours)


def _days(told: str) -> list[str]:
    rest = _EVERY_DAY.sub("", told)
    every = rest != told
    days: list[str] = []
    for found in _DAYS.finditer(rest):
        first = _place(found[1], found[2])
        last = _place(found[3], found[4]) if found[3] or found[4] else first
        if last < first:
            raise NotHours(f"{found[0]} runs over the end of the week")
        days += WEEKDAYS[first : last + 1]
    if _DAYS.sub("", rest).strip(" ,、:和与及&"):
        raise NotHours(f"{told[:20]!r} names no weekdays")
    return days if days and not every else list(WEEKDAYS)


def _place(chinese: str | None, english: str | None) -> int:
    if chinese:
        return _CHINESE.index("日" if chinese == "天" else chinese)
    return WEEKDAYS.index(english or "")


def is_open(hours: Hours, local: datetime) -> bool:
    """Whether a moment, in the place's own time zone, lies within; a span's end does not."""
    minute = local.hour * 60 + local.minute
    day = WEEKDAYS[local.weekday()]
    return any(begin <= minute < end for begin, end in _spans(day, hours.get(day, ())))


def hours_text(hours: Hours) -> str:
    """As people read it and `read_hours` understands it."""
    return "；".join(
        f"周{_CHINESE[place]} {','.join(hours[day])}" for place, day in enumerate(WEEKDAYS) if hours.get(day)
    )

"""What a row of a list says, and what is to be done with it beside what is on the list. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from shared.identity.errors import IdNumberInvalid
from shared.identity.persons import resident_id

List = Literal["staff", "blocked"]
# `new` is added; `update` replaces an entry that says something else or is over; `same` changes nothing.
Verdict = Literal["new", "update", "same"]

REASON_MAX = 500
APPEAL_NOTE_MAX = 200
APPEAL_NOTE_DEFAULT = "如有疑问，请联系活动主办方。"

_LISTS: Mapping[str, List] = {
    "staff": "staff", "工作人员": "staff", "员工": "staff", "内部人员": "staff",
    "blocked": "blocked", "黑名单": "blocked", "限制参与": "blocked", "禁止参与": "blocked",
}  # fmt: skip
_DAY = re.compile(r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?(?:[T ]0{1,2}:00(?::00)?)?")
_UNSTORABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Draft:
    """A row as it was handed in; empty text stands for what is missing."""

    id_number: str
    list: str
    reason: str
    expires_on: str = ""
    appeal_note: str = ""


@dataclass(frozen=True, slots=True)
class Terms:
    """What an entry says of its person: on which list, why, until when, and what the person is told."""

    list: List
    reason: str
    appeal_note: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    id_number: str
    terms: Terms


@dataclass(frozen=True, slots=True)
class RowFault:
    """`field` is id_number, list, reason, expires_on or appeal_note."""

    field: str
    message: str


def judge(draft: Draft, *, now: datetime, timezone: ZoneInfo) -> Listed | list[RowFault]:
    """The entry, or every reason why the row is none. Its last day counts whole."""
    faults: list[RowFault] = []
    number = ""
    try:
        number = resident_id(draft.id_number, now.astimezone(timezone).date())
    except IdNumberInvalid as invalid:
        faults.append(RowFault("id_number", invalid.faults[0].message))
    kind = _LISTS.get(_plain(draft.list))
    if kind is None:
        faults.append(RowFault("list", "名单只能是“工作人员”或“黑名单”"))
    reason, note = draft.reason.strip(), draft.appeal_note.strip() or APPEAL_NOTE_DEFAULT
    faults.extend(_text_faults("reason", reason, REASON_MAX))
    faults.extend(_text_faults("appeal_note", note, APPEAL_NOTE_MAX))
    expires_at = _end(draft.expires_on, timezone)
    if draft.expires_on.strip() and expires_at is None:
        faults.append(RowFault("expires_on", "到期日应为日期，例如 2020-12-31"))
    elif expires_at is not None and expires_at <= now:
        faults.append(RowFault("expires_on", "到期日已过"))
    if faults or kind is None:
        return faults
    return Listed(number, Terms(kind, reason, note, expires_at))


def _text_faults(field: str, value: str, longest: int) -> list[RowFault]:
    if not value:
        return [RowFault(field, "不能为空")]
    if len(value) > longest:
        return [RowFault(field, f"最多 {longest} 个字")]
    return [RowFault(field, "含有不能保存的控制字符")] if _UNSTORABLE.search(value) else []


def _end(text: str, timezone: ZoneInfo) -> datetime | None:
    day = _day(text)
    return None if day is None else end_of(day, timezone)


def end_of(day: date, timezone: ZoneInfo) -> datetime:
    """The first moment after that day."""
    return datetime.combine(day + timedelta(days=1), time(), timezone)


def compare(before: Terms | None, wanted: Terms, *, now: datetime) -> Verdict:
    """What to do about a person of whom the list says `before` (None: nothing)."""
    if before is None:
        return "new"
    return "same" if before == wanted and in_force(before.expires_at, now) else "update"


def in_force(expires_at: datetime | None, now: datetime) -> bool:
    """Whether an entry that nobody lifted keeps its person out."""
    return expires_at is None or expires_at > now


def _day(text: str) -> date | None:
    found = _DAY.fullmatch(_plain(text).upper())
    if found is None:
        return None
    try:
        day = date(*(int(part) for part in found.groups()))
    except ValueError:
        return None
    # Beyond, a moment cannot be moved between time zones and stored everywhere.
    return day if 1900 <= day.year < 2200 else None  # noqa: PLR2004 - years


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()

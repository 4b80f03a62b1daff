"""What may happen to a hospital, and from which day on. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal
from uuid import UUID

from services.quota.hospitallife.errors import (
    CodesHandedOnTooLate,
    DayFrozen,
    DaysOutOfOrder,
    HospitalEnded,
    LifeEventNeeded,
    LifeEventUnknown,
    NothingChanges,
    SuccessorUnfit,
)
from services.quota.hospitalnames.rules import name_key

Kind = Literal["open", "close", "merge", "move"]

ENDINGS = frozenset({"close", "merge"})


@dataclass(frozen=True, slots=True)
class LifeEvent:
    """What was approved to happen to a hospital, and was not withdrawn."""

    id: UUID
    hospital_id: str
    kind: Kind
    day: date
    successor_id: str | None
    alliance: str | None


@dataclass(frozen=True, slots=True)
class Proposed:
    """What shall happen to a hospital from `day` on."""

    kind: Kind
    hospital_id: str
    day: date
    successor_id: str | None = None
    alliance: str | None = None


@dataclass(frozen=True, slots=True)
class Ground:
    """What a change stands on: the programme's days, its hospitals' alliances on the day, their events."""

    today: date
    frozen_through: date | None
    alliances: dict[str, str]
    events: Sequence[LifeEvent]

    def ending(self, hospital_id: str) -> LifeEvent | None:
        return self._of(hospital_id, ENDINGS)

    def opening(self, hospital_id: str) -> LifeEvent | None:
        return self._of(hospital_id, {"open"})

    def _of(self, hospital_id: str, kinds: frozenset[str] | set[str]) -> LifeEvent | None:
        found = (event for event in self.events if event.hospital_id == hospital_id and event.kind in kinds)
        return next(found, None)


def check(proposed: Proposed, ground: Ground) -> None:
    """Whether it can happen on that day, beside everything that was approved.

    Raises:
        DayFrozen, HospitalEnded, SuccessorUnfit, CodesHandedOnTooLate, NothingChanges, DaysOutOfOrder.
    """
    _check_day(proposed.day, ground)
    ending = ground.ending(proposed.hospital_id)
    if proposed.kind in ENDINGS:
        if ending is not None:
            raise HospitalEnded
        opening = ground.opening(proposed.hospital_id)
        if opening is not None and proposed.day <= opening.day:
            raise DaysOutOfOrder
        _check_successor(proposed, ground)
    elif proposed.kind == "move":
        if ending is not None and ending.day <= proposed.day:
            raise HospitalEnded
        if name_key(ground.alliances[proposed.hospital_id]) == name_key(proposed.alliance or ""):
            raise NothingChanges
    else:
        if ground.opening(proposed.hospital_id) is not None:
            raise NothingChanges
        if ending is not None and ending.day <= proposed.day:
            raise DaysOutOfOrder


def check_withdrawal(event_id: UUID, hospital_id: str, ground: Ground) -> LifeEvent:
    """The event that may be withdrawn: as if it had never been.

    Raises:
        LifeEventUnknown, DayFrozen.
        LifeEventNeeded: its successor ended since, and the cards went along.
        CodesHandedOnTooLate: cards were counted for the heir already, and what was counted stays.
    """
    found = (event for event in ground.events if event.id == event_id and event.hospital_id == hospital_id)
    event = next(found, None)
    if event is None:
        raise LifeEventUnknown
    _check_day(event.day, ground)
    if event.successor_id is not None and ground.ending(event.successor_id) is not None:
        raise LifeEventNeeded
    if event.kind == "close" and event.successor_id is not None and event.day <= ground.today:
        raise CodesHandedOnTooLate
    return event


def first_open_day(frozen_through: date | None) -> date | None:
    return None if frozen_through is None else frozen_through + timedelta(days=1)


def _check_day(day: date, ground: Ground) -> None:
    first = first_open_day(ground.frozen_through)
    if first is not None and day < first:
        raise DayFrozen(first.isoformat())


def _check_successor(proposed: Proposed, ground: Ground) -> None:
    successor = proposed.successor_id
    if successor is None:
        return
    opening = ground.opening(successor)
    if (
        successor == proposed.hospital_id
        or successor not in ground.alliances
        or ground.ending(successor) is not None
        or (opening is not None and opening.day > proposed.day)
    ):
        raise SuccessorUnfit
    if proposed.kind == "close" and proposed.day <= ground.today:
        raise CodesHandedOnTooLate


def told_in_words(kind: Kind, day: date, successor: str | None, alliance: str | None) -> str:
    """One sentence for people."""
    since = f"自{day.year}年{day.month}月{day.day}日起"
    match kind:
        case "open":
            return f"{since}启用，此前不分配任务。"
        case "close" if successor is not None:
            return f"{since}关闭，二维码此后的新卡计入{successor}；此前的卡仍计入本院。"
        case "close":
            return f"{since}关闭，二维码的卡仍计入本院；下一次分配起不再下达任务。"
        case "merge":
            return f"{since}并入{successor}：累计数、任务数和二维码自此计入该院；已冻结月份不变。"
        case "move":
            return f"{since}调整至{alliance or '独立单位'}；此前月份仍按原医共体统计。"

"""Card events: what is well-formed. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol
from zoneinfo import ZoneInfo

from shared.documents.reports import ERRORS_MAX, ImportFault
from shared.documents.sheets import Row, Table, column, normalise
from shared.errors import Fault

CardKind = Literal["issued", "used", "cancelled"]
# On the way to a card: told by platforms that can, counted for the funnel only.
StageKind = Literal["landed", "applied"]
Kind = Literal["issued", "used", "cancelled", "landed", "applied"]
Outcome = Literal["counted", "duplicate_event", "already_has_card", "unattributed", "unknown_holder"]

EVENTS_MAX = 1_000
# A file of so many events is counted while its sender waits; a longer one by a job.
EVENTS_AT_ONCE = 5_000
# Another system's number: any visible text.
EVENT_ID_FORM = r"[^\x00-\x1f\x7f]{1,128}"
HOLDER_REF_LENGTH_MAX = 128
DEVICE_REF_LENGTH_MAX = 128
# As for signatures: two clocks may differ by as much. What is further ahead is a wrong clock or time zone.
AHEAD_MAX = timedelta(seconds=300)
_FIRST_YEAR = 2000

EVENT_COLUMNS = (
    column("event_id", "事件编号 event_id", "event_id", "(事件)?(编号|流水号)"),
    column("scene", "场景值 scene", "scene", "场景值?", "推广码", required=False),
    column("holder_ref", "持卡人标识 holder_ref", "holder_ref", "持卡人(标识|编号)?"),
    column("kind", "类型 kind", "kind", "(事件)?类型"),
    column("at", "时间 at", "at", "(发生)?时间"),
    column("device_ref", "设备标识 device_ref", "device_ref", "设备(标识|编号)?", required=False),
)
EVENT_EXAMPLES = (
    {
        "event_id": "示例-0001",
        "scene": "",
        "holder_ref": "示例持卡人-0001",
        "kind": "发卡",
        "at": "2020-08-01 10:00:00",
    },
)
EVENT_NOTES = (
    "每行一个事件；示例行请删除。",
    "事件编号由卡平台给出，同一编号只计一次；重复导入不会重复计数。",
    "场景值是医院二维码里的编码；留空或不认识的计为未归属，可在“未归属卡”页面指定归属。",
    "持卡人标识只用于区分不同的人，仅保存其密钥散列，不保存原文。",
    "类型：发放、使用、注销、访问、申请。",
    "时间形如 2020-08-01 10:00:00，按任务所在时区理解。",
)
_KINDS: Mapping[str, Kind] = {
    "issued": "issued", "发放": "issued", "发卡": "issued", "领卡": "issued",
    "used": "used", "使用": "used",
    "cancelled": "cancelled", "注销": "cancelled",
    "landed": "landed", "访问": "landed",
    "applied": "applied", "申请": "applied",
}  # fmt: skip
_EVENT_ID = re.compile(EVENT_ID_FORM)
_LOCAL_TIME = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?")


class SentEvent(Protocol):
    """An event as it was sent. References of holder and device never leave the operation in clear."""

    @property
    def event_id(self) -> str: ...
    @property
    def holder_ref(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def at(self) -> datetime: ...
    @property
    def scene(self) -> str | None: ...
    @property
    def device_ref(self) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Event:
    """An event of a file."""

    event_id: str
    holder_ref: str
    kind: Kind
    at: datetime
    scene: str | None = None
    device_ref: str | None = None


@dataclass(frozen=True, slots=True)
class EventFile:
    rows: int
    events: tuple[Event, ...]
    rejected: int
    faults: tuple[ImportFault, ...]


def time_fault(at: datetime, now: datetime) -> str | None:
    """Why a time cannot be that of an event, or None."""
    if at.year < _FIRST_YEAR:
        return "时间早于 2000 年"
    if at > now + AHEAD_MAX:
        return "时间在将来，请检查发送方的时钟和时区"
    return None


def batch_faults(events: Sequence[SentEvent], now: datetime) -> Iterator[Fault]:
    """What the form of a batch cannot say: each event by its place and its id."""
    for place, event in enumerate(events):
        fault = time_fault(event.at, now)
        if fault:
            yield Fault(f"body.events[{place}].at", f"{event.event_id}: {fault}", "time_invalid")


def read_events(table: Table, *, timezone: str, now: datetime) -> EventFile:
    """Judges each row of a file; times without an offset are in the programme's time zone."""
    events: list[Event] = []
    faults: list[ImportFault] = []
    rejected = 0
    for row in table.rows:
        found = _read_event(row, table.columns, timezone=timezone, now=now)
        if isinstance(found, Event):
            events.append(found)
        else:
            rejected += 1
            faults.extend(found)
    return EventFile(len(table.rows), tuple(events), rejected, tuple(faults[:ERRORS_MAX]))


def _read_event(
    row: Row, columns: Mapping[str, int], *, timezone: str, now: datetime
) -> Event | list[ImportFault]:
    cells = {key: row.at(place) for key, place in columns.items()}
    kind, at = _KINDS.get(normalise(cells["kind"])), _read_time(cells["at"], timezone)
    faults: list[tuple[str, str]] = []
    if _EVENT_ID.fullmatch(cells["event_id"]) is None:
        faults.append(("event_id", "事件编号应为 1 至 128 个字符"))
    if not 0 < len(cells["holder_ref"]) <= HOLDER_REF_LENGTH_MAX:
        faults.append(("holder_ref", f"持卡人标识应为 1 至 {HOLDER_REF_LENGTH_MAX} 个字符"))
    if kind is None:
        faults.append(
            ("kind", "类型应为 发放、使用、注销、访问 或 申请（issued、used、cancelled、landed、applied）")
        )
    if len(cells.get("device_ref", "")) > DEVICE_REF_LENGTH_MAX:
        faults.append(("device_ref", f"设备标识最多 {DEVICE_REF_LENGTH_MAX} 个字符"))
    wrong_time = "时间应形如 2020-08-01 10:00:00" if at is None else time_fault(at, now)
    if wrong_time:
        faults.append(("at", wrong_time))
    if faults or kind is None or at is None:
        return [ImportFault(row=row.number, column=key, message=message) for key, message in faults]
    scene, device = (cells.get(key) or None for key in ("scene", "device_ref"))
    return Event(cells["event_id"], cells["holder_ref"], kind, at, scene, device)


def _read_time(text: str, timezone: str) -> datetime | None:
    """RFC 3339, or local time as spreadsheets write it."""
    local = _LOCAL_TIME.fullmatch(text)
    try:
        if local is not None:
            parts = [int(part or 0) for part in local.groups()]
            return datetime(*parts, tzinfo=ZoneInfo(timezone))  # type: ignore[misc,arg-type] # six numbers
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(timezone))

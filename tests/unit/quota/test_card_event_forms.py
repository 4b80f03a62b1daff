"""Card events: one form for bytes and documents, and what a file may say."""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from pydantic import ValidationError

from services.quota.cards.rules import EVENT_COLUMNS, Event, batch_faults, read_events
from services.quota.cards.schemas import CardEventsBody, HotCardEvents
from shared.documents.sheets import find_table, read_rows

NOW = datetime(2020, 10, 1, tzinfo=UTC)
GOOD = {"event_id": "e-1", "holder_ref": "h", "kind": "issued", "at": "2020-08-01T10:00:00+08:00"}

CASES: list[tuple[object, bool]] = [
    (GOOD, True),
    ({**GOOD, "scene": None}, True),
    ({**GOOD, "scene": ""}, True),
    ({**GOOD, "scene": "x" * 64}, True),
    ({**GOOD, "scene": "x" * 65}, False),
    ({**GOOD, "scene": 5}, False),
    ({**GOOD, "event_id": "发卡 1/2"}, True),
    ({**GOOD, "event_id": "e" * 128}, True),
    ({**GOOD, "event_id": "e" * 129}, False),
    ({**GOOD, "event_id": ""}, False),
    ({**GOOD, "event_id": "e\n"}, False),
    ({**GOOD, "event_id": "e\x00"}, False),
    ({**GOOD, "event_id": 1}, False),
    ({**GOOD, "holder_ref": "h" * 128}, True),
    ({**GOOD, "holder_ref": "h" * 129}, False),
    ({**GOOD, "holder_ref": ""}, False),
    ({**GOOD, "kind": "used"}, True),
    ({**GOOD, "kind": "cancelled"}, True),
    ({**GOOD, "kind": "ISSUED"}, False),
    ({**GOOD, "at": "2020-08-01T02:00:00Z"}, True),
    ({**GOOD, "at": "2020-08-01T02:00:00.123456Z"}, True),
    ({**GOOD, "at": "2020-08-01T10:00:00"}, False),
    ({**GOOD, "at": "2020-08-01"}, False),
    ({**GOOD, "at": "2020-13-01T10:00:00Z"}, False),
    ({**GOOD, "at": 1596247200}, False),
    ({**GOOD, "at": None}, False),
    ({**GOOD, "phone": "1"}, False),
    ({key: value for key, value in GOOD.items() if key != "at"}, False),
    ("e-1", False),
]


def accepts_hot(body: bytes) -> bool:
    try:
        msgspec.json.decode(body, type=HotCardEvents)
    except msgspec.ValidationError:
        return False
    return True


def accepts_documented(body: bytes) -> bool:
    try:
        CardEventsBody.model_validate(json.loads(body))
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(("sent", "good"), CASES)
def test_what_is_documented_is_what_is_parsed(sent: object, *, good: bool) -> None:
    body = json.dumps({"events": [sent]}).encode()
    assert (accepts_hot(body), accepts_documented(body)) == (good, good)


@pytest.mark.parametrize("events", [[], [GOOD] * 1000, [GOOD] * 1001])
def test_the_documented_number_of_events_is_the_parsed_one(events: list[Any]) -> None:
    body = json.dumps({"events": events}).encode()
    assert accepts_hot(body) == accepts_documented(body) == (len(events) <= 1000)


def test_every_event_that_cannot_be_right_is_named() -> None:
    events = [
        Event("old", "h", "issued", datetime(1999, 12, 31, tzinfo=UTC)),
        Event("good", "h", "issued", NOW),
        Event("ahead", "h", "issued", datetime(2020, 10, 1, 0, 6, tzinfo=UTC)),
    ]
    faults = list(batch_faults(events, NOW))
    assert [fault.loc for fault in faults] == ["body.events[0].at", "body.events[2].at"]
    assert ["old" in faults[0].message, "ahead" in faults[1].message] == [True, True]


@pytest.mark.parametrize(
    ("written", "hour"),
    [
        ("2020-08-01 10:00:00", 2),
        ("2020/8/1 10:00", 2),
        ("2020.08.01 10:00", 2),
        ("2020-08-01T10:00:00+08:00", 2),
        ("2020-08-01T10:00:00Z", 10),
        ("2020-08-01T10:00:00", 2),
    ],
)
def test_times_of_a_file_are_read_as_spreadsheets_write_them(written: str, hour: int) -> None:
    content = f"event_id,holder_ref,kind,at\ne,h,issued,{written}\n".encode()
    read = read_events(find_table(read_rows(content), EVENT_COLUMNS), timezone="Asia/Shanghai", now=NOW)
    (event,) = read.events
    assert event.at.astimezone(UTC) == datetime(2020, 8, 1, hour, tzinfo=UTC)


@pytest.mark.parametrize("written", ["昨天", "10:00", "2020-02-30 10:00", "2020-08-01 25:00", ""])
def test_what_is_no_time_is_said(written: str) -> None:
    content = f"event_id,holder_ref,kind,at\ne,h,issued,{written}\n".encode()
    read = read_events(find_table(read_rows(content), EVENT_COLUMNS), timezone="Asia/Shanghai", now=NOW)
    assert (read.rejected, [fault.column for fault in read.faults]) == (1, ["at"])

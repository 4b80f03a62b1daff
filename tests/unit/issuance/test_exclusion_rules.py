"""What a row of a list says, and what is done with it."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.simulator.persons import resident_id
from services.issuance.exclusions.rules import (
    APPEAL_NOTE_DEFAULT,
    Draft,
    Listed,
    Terms,
    compare,
    end_of,
    in_force,
    judge,
)

CHINA = ZoneInfo("Asia/Shanghai")
NOW = datetime(2020, 10, 31, 9, 0, tzinfo=CHINA)
NUMBER = resident_id(5)


def judged(**parts: str) -> Listed | list[tuple[str, str]]:
    draft = Draft(**({"id_number": NUMBER, "list": "黑名单", "reason": "倒卖"} | parts))
    found = judge(draft, now=NOW, timezone=CHINA)
    return found if isinstance(found, Listed) else [(fault.field, fault.message) for fault in found]


@pytest.mark.parametrize(
    "text", ["2020-12-31", "2020/12/31", "2020年12月31日", "20201231", "2020.12.31", "2020-12-31T00:00:00"]
)
def test_last_day_counts_whole_however_it_is_written(text: str) -> None:
    found = judged(expires_on=text)
    assert isinstance(found, Listed)
    assert found.terms.expires_at == datetime(2021, 1, 1, tzinfo=CHINA)


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"id_number": NUMBER[:-1]}, "id_number"),
        ({"list": ""}, "list"),
        ({"list": "vip"}, "list"),
        ({"reason": " "}, "reason"),
        ({"reason": "长" * 501}, "reason"),
        ({"appeal_note": "长" * 201}, "appeal_note"),
        ({"appeal_note": "坏\x01"}, "appeal_note"),
        ({"expires_on": "2020-02-30"}, "expires_on"),
        ({"expires_on": "明年"}, "expires_on"),
        ({"expires_on": "2020-10-30"}, "expires_on"),
        ({"expires_on": "9999-12-31"}, "expires_on"),
    ],
)
def test_row_that_is_no_entry_says_where(parts: dict[str, str], field: str) -> None:
    found = judged(**parts)
    assert isinstance(found, list)
    assert [fault[0] for fault in found] == [field]


def test_words_of_the_lists_are_understood_and_the_note_has_a_default() -> None:
    kinds = [judged(list=word) for word in ("工作人员", " Staff ", "黑名单", "BLOCKED", "限制参与")]
    assert [found.terms.list for found in kinds if isinstance(found, Listed)] == [
        "staff",
        "staff",
        "blocked",
        "blocked",
        "blocked",
    ]
    found = judged(id_number=NUMBER.lower())
    assert isinstance(found, Listed)
    assert (found.id_number, found.terms.appeal_note) == (NUMBER, APPEAL_NOTE_DEFAULT)


moments = st.none() | st.datetimes(
    datetime(2020, 1, 1), datetime(2021, 12, 31), timezones=st.just(UTC)  # noqa: DTZ001 - made aware there
)  # fmt: skip
terms = st.builds(
    Terms, st.sampled_from(["staff", "blocked"]), st.sampled_from("ab"), st.sampled_from("cd"), moments
)


@given(st.none() | terms, terms)
def test_import_twice_changes_nothing_the_second_time(before: Terms | None, wanted: Terms) -> None:
    """Whatever was there: after an entry in force was taken in, the same row is a duplicate."""
    verdict = compare(before, wanted, now=NOW)
    assert (verdict == "new") == (before is None)
    if verdict == "same":
        assert before == wanted
    if in_force(wanted.expires_at, NOW):
        assert compare(wanted, wanted, now=NOW) == "same"
    else:
        assert compare(wanted, wanted, now=NOW) == "update"


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)))
def test_day_ends_with_its_last_moment(day: date) -> None:
    end = end_of(day, CHINA)
    last = end - timedelta(microseconds=1)
    assert (last.date(), end.date()) == (day, day + timedelta(days=1))
    assert in_force(end, last)
    assert not in_force(end, end)

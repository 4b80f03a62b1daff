"""Check-in codes as people type, scan and photograph them, and when an event is open."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.issuance.events.rules import (
    Presented,
    event_state,
    is_current,
    presented,
    step_ends,
    step_of,
    tag,
)
from shared.crypto import KeyedHash
from shared.ids import ALPHABET

KEYS = KeyedHash(b"k" * 32)
EVENT = UUID(int=7)
NOON = datetime(2020, 11, 1, 4, 0, tzinfo=UTC)

codes = st.text(alphabet=ALPHABET, min_size=10, max_size=10)


@given(
    codes, st.sampled_from(["{}", " {} ", "https://hv.example/app?check_in_code={}", "?a=b&check_in_code={}"])
)
def test_a_code_is_read_as_typed_and_from_the_posters_link(code: str, form: str) -> None:
    assert presented(form.format(code)) == Presented(code, None)
    assert presented(form.format(code.lower())) == Presented(code, None)
    assert presented(f"{code[:5]}-{code[5:]}") == Presented(code, None)


def test_letters_that_look_like_digits_are_read_as_these() -> None:
    assert presented("oOiIlL2345") == Presented("0011112345", None)


def test_the_rotating_part_stands_behind_the_code() -> None:
    assert presented("0123456789ABCDEF") == Presented("0123456789", "ABCDEF")


@given(st.text(max_size=100))
def test_anything_else_is_no_code_and_never_a_fault(text: str) -> None:
    found = presented(text)
    assert found is None or len(found.code) == 10


@pytest.mark.parametrize(
    "text", ["", "?", "https://[?check_in_code=1", "ABCDEFGHIJU", "１２３４５６７８９０", "0" * 11]
)
def test_malformed_codes_are_none(text: str) -> None:
    assert presented(text) is None


@given(st.integers(min_value=15, max_value=3600), st.integers(min_value=0, max_value=10**9))
def test_a_rotating_code_is_good_for_its_step_and_the_next_one_only(seconds: int, since: int) -> None:
    shown_at = NOON + timedelta(seconds=since)
    shown = tag(KEYS, EVENT, step_of(shown_at, seconds))
    ends = step_ends(shown_at, seconds)
    assert shown_at < ends <= shown_at + timedelta(seconds=seconds)
    last_moment = ends + timedelta(seconds=seconds - 1)
    for moment in (shown_at, last_moment):
        assert is_current(KEYS, EVENT, shown, rotate_seconds=seconds, now=moment)
    too_late = ends + timedelta(seconds=seconds)
    assert not is_current(KEYS, EVENT, shown, rotate_seconds=seconds, now=too_late)


def test_a_rotating_code_is_of_its_event_and_key_only() -> None:
    shown = tag(KEYS, EVENT, step_of(NOON, 30))
    assert not is_current(KEYS, uuid4(), shown, rotate_seconds=30, now=NOON)
    assert not is_current(KeyedHash(b"x" * 32), EVENT, shown, rotate_seconds=30, now=NOON)
    assert not is_current(KEYS, EVENT, None, rotate_seconds=30, now=NOON)
    assert set(shown) <= set(ALPHABET)
    assert len(shown) == 6


@pytest.mark.parametrize(
    ("hours", "closed", "state"),
    [
        (-0.01, None, "upcoming"),
        (0, None, "open"),
        (1.99, None, "open"),
        (2, None, "closed"),
        (1, NOON, "closed"),
    ],
)
def test_an_event_opens_and_closes_by_the_clock_or_when_staff_close_it(
    hours: float, closed: datetime | None, state: str
) -> None:
    now = NOON + timedelta(hours=hours)
    assert event_state(NOON, NOON + timedelta(hours=2), closed_at=closed, now=now) == state

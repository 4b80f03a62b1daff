"""What may happen to hospitals: whatever was accepted, every hospital leads to one line, and months stay."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.quota.hospitallife.errors import (
    CodesHandedOnTooLate,
    DayFrozen,
    HospitalEnded,
    LifeEventNeeded,
    LifeEventUnknown,
)
from services.quota.hospitallife.rules import (
    ENDINGS,
    Ground,
    Kind,
    LifeEvent,
    Proposed,
    check,
    check_withdrawal,
    first_open_day,
    told_in_words,
)
from shared.errors import Refusal
from shared.ids import new_id

HOSPITALS = ("h1", "h2", "h3", "h4")
TODAY = date(2020, 10, 10)
KINDS: tuple[Kind, ...] = ("open", "close", "merge", "move")


def ground(*events: LifeEvent, frozen_through: date | None = None) -> Ground:
    return Ground(TODAY, frozen_through, dict.fromkeys(HOSPITALS, "东"), events)


def event_of(proposed: Proposed) -> LifeEvent:
    return LifeEvent(
        new_id(), proposed.hospital_id, proposed.kind, proposed.day, proposed.successor_id, proposed.alliance
    )


def line_of(events: Sequence[LifeEvent], hospital: str, day: date) -> str:
    """Along the mergers; more steps than hospitals would be a circle."""
    for _ in HOSPITALS:
        found = [e for e in events if e.hospital_id == hospital and e.kind == "merge" and e.day <= day]
        if not found:
            return hospital
        assert found[0].successor_id is not None
        hospital = found[0].successor_id
    raise AssertionError("a circle")


proposals = st.builds(
    lambda kind, hospital, days, successor, alliance: Proposed(
        kind,
        hospital,
        TODAY + timedelta(days=days),
        successor_id=successor if kind in ENDINGS else None,
        alliance=alliance if kind == "move" else None,
    ),
    st.sampled_from(KINDS),
    st.sampled_from(HOSPITALS),
    st.integers(-40, 40),
    st.sampled_from(HOSPITALS),
    st.sampled_from(["", "东", "西"]),
)


@given(st.lists(st.one_of(proposals, st.integers(0, 20)), max_size=25), st.integers(-60, 0))
def test_whatever_is_accepted_or_withdrawn_every_hospital_leads_to_one_line(
    steps: list[Proposed | int], frozen_days: int
) -> None:
    frozen = TODAY + timedelta(days=frozen_days)
    events: list[LifeEvent] = []
    for step in steps:
        known = ground(*events, frozen_through=frozen)
        try:
            if isinstance(step, Proposed):
                check(step, known)
                events.append(event_of(step))
            elif step < len(events):
                gone = check_withdrawal(events[step].id, events[step].hospital_id, known)
                events.remove(gone)
        except Refusal:
            continue
    assert all(event.day > frozen for event in events)
    for day in (TODAY + timedelta(days=days) for days in range(-41, 42, 3)):
        lines = {hospital: line_of(events, hospital, day) for hospital in HOSPITALS}
        assert all(lines[line] == line for line in lines.values())
    for kinds in (ENDINGS, {"open"}):
        ended = [event.hospital_id for event in events if event.kind in kinds]
        assert len(ended) == len(set(ended))


def test_the_first_open_day_is_named() -> None:
    frozen = date(2020, 8, 31)
    assert first_open_day(frozen) == date(2020, 9, 1)
    assert first_open_day(None) is None
    move = Proposed("move", "h1", frozen, alliance="西")
    with pytest.raises(DayFrozen, match="2020-09-01"):
        check(move, ground(frozen_through=frozen))
    check(replace(move, day=date(2020, 9, 1)), ground(frozen_through=frozen))


def test_codes_are_handed_on_from_tomorrow() -> None:
    close = Proposed("close", "h1", TODAY, successor_id="h2")
    with pytest.raises(CodesHandedOnTooLate):
        check(close, ground())
    check(replace(close, day=TODAY + timedelta(days=1)), ground())
    check(replace(close, successor_id=None), ground())
    handed_on = event_of(close)
    with pytest.raises(CodesHandedOnTooLate):
        check_withdrawal(handed_on.id, "h1", ground(handed_on))


def test_a_withdrawal_names_an_event_of_the_hospital_on_which_nothing_rests() -> None:
    merged = event_of(Proposed("merge", "h1", TODAY, successor_id="h2"))
    assert check_withdrawal(merged.id, "h1", ground(merged)) == merged
    with pytest.raises(LifeEventUnknown):
        check_withdrawal(merged.id, "h2", ground(merged))
    closed = event_of(Proposed("close", "h2", TODAY + timedelta(days=9)))
    with pytest.raises(LifeEventNeeded):
        check_withdrawal(merged.id, "h1", ground(merged, closed))


def test_after_its_end_a_hospital_does_not_move_but_before_it_may() -> None:
    closed = event_of(Proposed("close", "h1", TODAY))
    move = Proposed("move", "h1", TODAY, alliance="西")
    with pytest.raises(HospitalEnded):
        check(move, ground(closed))
    check(replace(move, day=TODAY - timedelta(days=1)), ground(closed))


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_is_told_in_a_sentence(kind: Kind) -> None:
    told = told_in_words(kind, TODAY, "乙" if kind in ENDINGS else None, "")
    assert told.startswith("自2020年10月10日起")
    assert told.endswith("。")

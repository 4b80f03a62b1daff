"""A person's events, told one by one."""

from datetime import UTC, datetime, timedelta

from services.quota.attribution.rules import PersonEvent, Why, counts_today, tell, why
from services.quota.cards.rules import CardKind

START = datetime(2020, 8, 1, tzinfo=UTC)


def life(*steps: tuple[CardKind, int, str | None]) -> list[PersonEvent]:
    """(kind, hour, hospital), in the order of arrival."""
    return [
        PersonEvent(f"e{place}", kind, START + timedelta(hours=hour), place, hospital)
        for place, (kind, hour, hospital) in enumerate(steps, start=1)
    ]


def whys(*steps: tuple[CardKind, int, str | None]) -> dict[str, Why]:
    return {told.event.event_id: why(told, assigned=False) for told in tell(life(*steps))}


def test_the_code_that_came_first_in_time_counts_whenever_it_arrived() -> None:
    assert whys(("issued", 2, "X"), ("issued", 1, "Y")) == {"e1": "card_already_issued", "e2": "first_code"}


def test_of_equal_times_the_first_to_arrive_counts() -> None:
    assert whys(("issued", 1, "X"), ("issued", 1, "Y")) == {"e1": "first_code", "e2": "card_already_issued"}


def test_a_cancelled_card_makes_way_for_a_new_one() -> None:
    told = whys(("issued", 1, "X"), ("cancelled", 2, None), ("issued", 3, "Y"))
    assert told == {"e1": "card_cancelled", "e2": "card_open", "e3": "first_code"}


def test_use_and_cancellation_need_an_open_card() -> None:
    told = whys(("used", 1, None), ("issued", 2, "X"), ("cancelled", 3, None), ("used", 4, None))
    assert (told["e1"], told["e4"]) == ("no_open_card", "no_open_card")


def test_without_a_code_the_card_is_nobodys() -> None:
    assert whys(("issued", 1, None), ("issued", 2, "X")) == {"e1": "no_code", "e2": "card_already_issued"}


def test_an_assigned_card_says_so() -> None:
    (told,) = tell(life(("issued", 1, "X")))
    assert why(told, assigned=True) == "assigned"


def test_what_counts_today_is_an_open_card_and_its_first_use() -> None:
    steps: list[tuple[CardKind, int, str | None]] = [("issued", 1, "X"), ("used", 2, None)]
    assert [counts_today(entry) for entry in tell(life(*steps))] == [True, True]
    cancelled = tell(life(*steps, ("cancelled", 3, None)))
    assert [counts_today(entry) for entry in cancelled] == [False, False, False]


def test_a_second_use_adds_nothing() -> None:
    told = tell(life(("issued", 1, "X"), ("used", 2, None), ("used", 3, None)))
    assert [entry.part for entry in told] == ["opens", "uses", "uses_again"]
    assert [counts_today(entry) for entry in told] == [True, True, False]

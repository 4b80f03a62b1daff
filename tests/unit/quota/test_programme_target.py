"""A programme's target: absolute, or a share of the residents, and what contradicts what."""

import pytest
from pydantic import ValidationError

from services.quota.programmes.schemas import ProgrammeDefinition


def definition(**fields: object) -> ProgrammeDefinition:
    return ProgrammeDefinition.model_validate({"slug": "p", "title": "发卡任务", **fields})


def faults(**fields: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as refused:
        definition(**fields)
    return [(str(fault["loc"][0]), fault["type"]) for fault in refused.value.errors()]


SHARE = {"target_share_of_residents": "0.15", "residents": 1_428_667}


@pytest.mark.parametrize(
    ("fields", "target"),
    [
        ({"target_cards": 214_300}, 214_300),
        (SHARE, 214_300),
        ({**SHARE, "target_cards": 214_300}, 214_300),
        ({**SHARE, "target_cards": 214_301}, 214_301),
        ({**SHARE, "target_cards": 165_000, "target_as_decided": True}, 165_000),
        ({"target_share_of_residents": "0.5", "residents": 3}, 2),
        ({"target_share_of_residents": "0.15", "target_cards": 7}, 7),
    ],
)
def test_the_target_is_what_was_sent_or_the_share_of_the_residents(
    fields: dict[str, object], target: int
) -> None:
    assert definition(**fields).target == target


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ("target_cards", "missing")),
        ({"residents": 5}, ("target_cards", "missing")),
        ({"target_share_of_residents": "0.1"}, ("target_cards", "missing")),
        ({**SHARE, "target_cards": 214_302}, ("target_cards", "target_mismatch")),
        ({**SHARE, "target_cards": 165_000, "target_as_decided": False}, ("target_cards", "target_mismatch")),
        ({"target_share_of_residents": "0.000001", "residents": 1}, ("residents", "target_zero")),
        ({**SHARE, "remaining_exact": 1}, ("remaining_exact", "remaining_mismatch")),
        ({**SHARE, "residents": 0}, ("residents", "greater_than_equal")),
    ],
)
def test_what_contradicts_itself_is_named(fields: dict[str, object], expected: tuple[str, str]) -> None:
    assert faults(**fields) == [expected]


def test_a_contradiction_says_by_how_much() -> None:
    with pytest.raises(ValidationError, match=r"214300\.05.*相差 699\.95"):
        definition(**SHARE, target_cards=215_000)

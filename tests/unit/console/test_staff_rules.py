from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.staff.rules import (
    FAILURE_WINDOW,
    FAILURES_MAX,
    Attempts,
    binding_faults,
    password_faults,
)
from shared.identity.staff import Role
from tests.conftest import START


@pytest.mark.parametrize(
    "password",
    ["Seven-Red-Kites", "abcdefgh1!", "ABCDEFGH1!", "Abcdefgh12", "爱国卫生运动2020!", "Пароль-надёжный"],
)
def test_password_of_three_kinds_is_good(password: str) -> None:
    assert password_faults(password, "clerk") == ()


@pytest.mark.parametrize(
    ("password", "codes"),
    [
        ("", ["password_too_short", "password_too_plain"]),
        ("Abcdefg1!", ["password_too_short"]),
        ("abcdefghijkl", ["password_too_plain"]),
        ("abcdefgh1234", ["password_too_plain"]),
        ("1234567890!!", ["password_too_plain"]),
        ("Xx-CLERK-2020", ["password_contains_username"]),
    ],
)
def test_every_fault_of_a_password_is_named(password: str, codes: list[str]) -> None:
    assert [fault.code for fault in password_faults(password, "clerk")] == codes


def test_a_name_of_two_letters_may_occur() -> None:
    assert password_faults("Seven-Red-Kites", "re") == ()


@given(password=st.text(max_size=40), username=st.text(min_size=3, max_size=20))
def test_a_password_that_holds_its_name_is_never_good(password: str, username: str) -> None:
    assert password_faults(f"{password}{username}", username)


@pytest.mark.parametrize(
    ("roles", "institution_id", "hospital_id", "locs"),
    [
        ([Role.ADMIN], None, None, []),
        ([Role.INSTITUTION], None, "h", ["body.institution_id"]),
        ([Role.INSTITUTION], "i", None, []),
        ([Role.HOSPITAL, Role.INSTITUTION], None, None, ["body.institution_id", "body.hospital_id"]),
    ],
)
def test_bound_roles_need_their_id(
    roles: list[Role], institution_id: str | None, hospital_id: str | None, locs: list[str]
) -> None:
    faults = binding_faults(roles, institution_id=institution_id, hospital_id=hospital_id)
    assert [fault.loc for fault in faults] == locs


@given(
    failures=st.integers(min_value=1, max_value=20),
    seconds=st.floats(min_value=0, max_value=2 * FAILURE_WINDOW.total_seconds()),
)
def test_lock_holds_exactly_until_its_window_is_over(failures: int, seconds: float) -> None:
    wait = Attempts(failures, START).locked_seconds(START + timedelta(seconds=seconds))
    left = FAILURE_WINDOW.total_seconds() - seconds
    if failures < FAILURES_MAX or left <= 0:
        assert wait == 0
    else:
        assert abs(wait - left) <= 1
        assert wait >= 1

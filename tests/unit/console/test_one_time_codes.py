"""Codes of the second factor against the vectors of RFC 6238 and RFC 4226."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from services.console.secondfactor.rules import (
    Factor,
    code_at,
    enrolment_address,
    is_recovery_code,
    recovery_code,
    step_accepted,
    step_of,
    typed,
)
from services.console.sessions.rules import device_of

SECRET = b"12345678901234567890"
NOW = datetime(2026, 11, 23, 8, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, tz=UTC)
    assert code_at(SECRET, step_of(moment), digits=8) == code
    assert code_at(SECRET, step_of(moment)) == code[2:]


@pytest.mark.parametrize(("count", "code"), [(0, "755224"), (1, "287082"), (9, "520489")])
def test_codes_are_those_of_rfc_4226(count: int, code: str) -> None:
    assert code_at(SECRET, count) == code


def test_a_code_is_good_in_its_step_and_the_next_one() -> None:
    step = step_of(NOW)
    fresh = Factor(SECRET, None, None)
    accepted = [step_accepted(fresh, code_at(SECRET, step + late), NOW) for late in (-2, -1, 0, 1)]
    assert accepted == [None, step - 1, step, None]


def test_a_spent_step_and_older_ones_are_refused() -> None:
    step = step_of(NOW)
    spent = Factor(SECRET, None, step)
    assert [step_accepted(spent, code_at(SECRET, step - late), NOW) for late in (0, 1)] == [None, None]
    before = Factor(SECRET, None, step - 1)
    assert step_accepted(before, code_at(SECRET, step), NOW) == step


@pytest.mark.parametrize("code", ["", "abc", "１２３４５６", "1" * 32])
def test_what_is_no_code_is_refused(code: str) -> None:
    assert step_accepted(Factor(SECRET, None, None), code, NOW) is None


def test_recovery_codes_are_typed_as_people_type() -> None:
    code = recovery_code(bytes(range(10)))
    assert len(code.split("-")) == 4
    assert is_recovery_code(typed(code.lower().replace("-", " ")))
    assert typed(code.lower()) == typed(code)
    assert not is_recovery_code("123456")


def test_the_address_is_one_that_authenticator_apps_read() -> None:
    address = urlsplit(enrolment_address("王小明", SECRET))
    assert (address.scheme, address.netloc) == ("otpauth", "totp")
    assert parse_qs(address.query)["secret"] == ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"]


@pytest.mark.parametrize(
    ("agent", "device"),
    [
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36",
            "Chrome · Windows",
        ),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/126.0 Safari/537.36 Edg/126.0", "Edge · Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari/604.1", "Safari · iOS"),
        ("curl/8.5.0", "API"),
        ("", "API"),
    ],
)
def test_a_device_is_named_in_two_words(agent: str, device: str) -> None:
    assert device_of(agent) == device

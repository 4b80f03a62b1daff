"""Resident id numbers (GB 11643), and how a person's sealed fields are tied to it. Pure."""

import re
from datetime import date
from typing import Literal
from uuid import UUID

from shared.errors import Fault
from shared.identity.errors import IdNumberInvalid

# Keeps the keyed hashes of id numbers apart from those of other values.
IDENTITY_DOMAIN = "resident-id"

_LENGTH = 18
_FORM = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_SYMBOLS = "10X98765432"


def person_context(person_id: UUID, field: Literal["name", "id_number"]) -> str:
    """What ties a sealed field to its person."""
    return f"person/{person_id}/{field}"


def resident_id(text: str, today: date) -> str:
    """The number in its one spelling. Where it was issued is not judged: area codes come and go.

    Raises:
        IdNumberInvalid: naming the first of length, characters, date, check digit that is wrong.
    """
    number = text.strip().upper()
    if len(number) != _LENGTH:
        raise _invalid("length", "身份证号码应为 18 位")
    if _FORM.fullmatch(number) is None:
        raise _invalid("characters", "身份证号码前 17 位应为数字，末位为数字或 X")
    if not _born(number[6:14], today):
        raise _invalid("date", "身份证号码中的出生日期不存在或晚于今天")
    total = sum(int(digit) * weight for digit, weight in zip(number, _WEIGHTS, strict=False))
    if number[-1] != _CHECK_SYMBOLS[total % len(_CHECK_SYMBOLS)]:
        raise _invalid("check_digit", "身份证号码校验位不正确，请检查是否输错")
    return number


def _born(digits: str, today: date) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return born <= today


def _invalid(code: str, message: str) -> IdNumberInvalid:
    return IdNumberInvalid(faults=(Fault("body.id_number", message, code),))

"""Resident id numbers (GB 11643) and masking. Pure."""

import re
from datetime import date

from services.issuance.accounts.errors import IdNumberInvalid
from shared.errors import Fault

# Keeps the keyed hashes of id numbers apart from those of other values.
IDENTITY_DOMAIN = "resident-id"

_LENGTH = 18
_FORM = re.compile(r"[0-9]{17}[0-9X]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK_SYMBOLS = "10X98765432"
_SHOWN_FIRST, _SHOWN_LAST = 3, 4

# Surnames of two characters that are in use; any other name has a surname of one.
_COMPOUND_SURNAMES = frozenset(
    re.findall(
        "..",
        "欧阳太史端木上官司马东方独孤南宫万俟闻人夏侯诸葛尉迟公羊赫连澹台皇甫宗政濮阳公冶"
        "太叔申屠公孙慕容仲孙钟离长孙宇文司徒鲜于司空闾丘子车亓官司寇巫马公西颛孙壤驷公良"
        "漆雕乐正宰父谷梁拓跋夹谷轩辕令狐段干百里呼延东郭南门羊舌微生公户公玉公仪梁丘公仲"
        "公上公门公山公坚左丘公伯西门公祖第五公乘贯丘公皙南荣东里东宫仲长子书子桑即墨达奚"
        "褚师纳兰",
    )
)


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


def masked_name(name: str) -> str:
    """The surname stays, so that a till can tell whose voucher it is: 王小明 → 王**, 欧阳娜 → 欧阳*."""
    shown = 2 if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else 1  # noqa: PLR2004 - two characters
    return name[:shown] + "*" * (len(name) - shown)


def masked_id_number(number: str) -> str:
    """The first three and the last four; the date of birth is hidden."""
    hidden = len(number) - _SHOWN_FIRST - _SHOWN_LAST
    return number[:_SHOWN_FIRST] + "*" * hidden + number[-_SHOWN_LAST:]


def _born(digits: str, today: date) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return born <= today


def _invalid(code: str, message: str) -> IdNumberInvalid:
    return IdNumberInvalid(faults=(Fault("body.id_number", message, code),))

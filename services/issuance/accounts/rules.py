"""Masking of names and id numbers. Pure."""

import re

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


def masked_name(name: str) -> str:
    """The surname stays, so that a till can tell whose voucher it is: 王小明 → 王**, 欧阳娜 → 欧阳*."""
    shown = 2 if len(name) > 2 and name[:2] in _COMPOUND_SURNAMES else 1  # noqa: PLR2004 - two characters
    return name[:shown] + "*" * (len(name) - shown)


def masked_id_number(number: str) -> str:
    """The first three and the last four; the date of birth is hidden."""
    hidden = len(number) - _SHOWN_FIRST - _SHOWN_LAST
    return number[:_SHOWN_FIRST] + "*" * hidden + number[-_SHOWN_LAST:]

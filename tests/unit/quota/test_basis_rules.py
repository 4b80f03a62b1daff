"""Figures of a basis as files give them."""

from decimal import Decimal

import pytest

from services.quota.bases.rules import columns_of, figure, read_figures
from services.quota.hospitalnames.rules import KnownName, Names, name_key
from shared.documents.sheets import find_table, read_rows

NAMES = Names(
    [KnownName(f"hos_{place}", name, name, name_key(name)) for place, name in enumerate(("甲医院", "乙医院"))]
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1375", "1375"), ("1,375.5", "1375.5"), ("12.500000", "12.5"), ("0", "0"), ("１２", "12"),
        ("12.5000000", "12.5"),
    ],
)  # fmt: skip
def test_figures_are_read_as_people_write_them(text: str, value: str) -> None:
    assert figure(text) == Decimal(value)


@pytest.mark.parametrize("text", ["", "-1", "12.1234567", "1,37", "约12", "1e3", "NaN", "1000000000001"])
def test_what_is_no_figure_is_refused(text: str) -> None:
    assert figure(text) is None


def test_a_file_is_judged_row_by_row() -> None:
    content = "医院,床位数\n甲医院,100\n甲医院,100\n甲医院,101\n丁医院,5\n,6\n乙医院,很多".encode()
    read = read_figures(find_table(read_rows(content), columns_of("床位数")), NAMES)
    assert (read.rows, read.rejected, read.figures) == (6, 4, {"hos_0": Decimal(100)})
    assert [(fault.row, fault.column) for fault in read.faults] == [
        (4, "value"), (5, "hospital"), (6, "hospital"), (7, "value"),
    ]  # fmt: skip
    assert "第 2 行" in read.faults[0].message


def test_a_name_that_drifted_is_offered_and_never_taken() -> None:
    name = "乐清市人民医院"
    names = Names([KnownName("hos_1", name, name, name_key(name))])
    content = "医院,数值\n乐清人民医院,1".encode()
    read = read_figures(find_table(read_rows(content), columns_of("beds")), names)
    assert read.figures == {}
    assert "乐清市人民医院" in read.faults[0].message

"""A file that comes back with its faults marked."""

import pytest

from shared.documents.faultsheets import fault_sheet
from shared.documents.reports import ImportFault
from shared.documents.sheets import read_rows
from shared.errors import InvalidRequest
from tests.support.workbooks import coloured

CSV = "题目,答案,解析\n一,A,x\n=1+1,Z,\n三,B,y\n".encode()


def test_cells_with_a_fault_are_coloured_and_the_reason_stands_at_the_end_of_the_row() -> None:
    faults = [
        ImportFault(row=3, column="答案", message="没有这个选项"),
        ImportFault(row=4, column=None, message="与第 2 行重复"),
    ]
    marked = fault_sheet(CSV, faults)
    assert coloured(marked) == ["B3", "D3", "A4", "D4"]
    assert [row.at(3) for row in read_rows(marked)] == ["问题", "", "答案：没有这个选项", "与第 2 行重复"]


def test_what_would_be_a_formula_stays_text() -> None:
    marked = fault_sheet(CSV, [])
    assert coloured(marked) == []
    assert read_rows(marked)[2].at(0) == "=1+1"


def test_a_file_that_is_no_table_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        fault_sheet(b"PK\x03\x04no workbook", [])

"""Tables as people hand them in are read alike, whatever program wrote them."""

import io
import zipfile
from contextlib import suppress

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from shared.documents.sheets import column, find_table, normalise, read_rows, whole_number
from shared.errors import InvalidRequest
from tests.support.workbooks import workbook

COLUMNS = (
    column("group", "医共体", "alliance", "医共体", required=False),
    column("name", "医院", "hospital", "医院", "单位"),
    column("visits", "诊疗人次", r"visits(_\d{4})?", "诊疗人次"),
)


def codes(error: InvalidRequest) -> list[str]:
    return [fault.code for fault in error.faults]


def test_numbers_of_a_workbook_are_read_as_they_were_typed() -> None:
    rows = read_rows(workbook([["医院", "诊疗人次", "占比"], ["甲", 1375477, 0.190903964]]))
    assert rows[1].cells == ("甲", "1375477", "0.190903964")


def test_a_merged_cell_stands_in_each_of_its_rows() -> None:
    table: list[list[object]] = [["医共体", "医院", "诊疗人次"], ["", "甲", 1], ["", "乙", 2], ["", "丙", 3]]
    rows = read_rows(workbook(table, merges=[(1, 0, 2, 0, "第一医共体")]))
    assert [row.cells[0] for row in rows] == ["医共体", "第一医共体", "第一医共体", ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_csv_is_read_in_the_encodings_that_office_programs_write(encoding: str, delimiter: str) -> None:
    text = f"医院{delimiter}诊疗人次\r\n乐清市人民医院{delimiter}12\r\n"
    assert read_rows(text.encode(encoding))[1].cells == ("乐清市人民医院", "12")


def test_rows_keep_the_sheets_numbers_when_blank_ones_are_left_out() -> None:
    rows = read_rows("医院,诊疗人次\n\n,\n甲,1\n".encode())
    assert [row.number for row in rows] == [1, 4]


def test_columns_are_found_in_any_order_below_a_title() -> None:
    rows = read_rows("2019年诊疗情况,\n诊疗人次（人次）,* 单 位\n5,甲\n".encode())
    table = find_table(rows, COLUMNS)
    assert table.columns == {"visits": 0, "name": 1}
    assert [row.number for row in table.rows] == [3]


def test_every_missing_column_is_named() -> None:
    with pytest.raises(InvalidRequest) as refused:
        find_table(read_rows("甲,乙\n1,2\n".encode()), COLUMNS)
    assert codes(refused.value) == ["column_missing", "column_missing"]


def test_two_columns_that_could_be_the_same_are_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        find_table(read_rows(b"hospital,visits_2018,visits_2019\n"), COLUMNS)
    assert codes(refused.value) == ["column_ambiguous"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"PK\x03\x04 this is no archive", "file_unreadable"),
        (b"\xd0\xcf\x11\xe0 nor is this", "file_unreadable"),
        (b"hospital\x00,visits\n", "file_unreadable"),
        (b"\xff\xff\xff\xff", "file_unreadable"),
    ],
)
def test_what_is_no_table_is_refused_by_name(content: bytes, code: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        find_table(read_rows(content), COLUMNS)
    assert codes(refused.value) == [code]


@pytest.mark.parametrize(
    ("row", "column", "code"),
    [(1_048_575, 0, "too_many_rows"), (250, 16_383, "too_many_cells"), (199_999, 25, "too_many_cells")],
)
def test_one_cell_far_out_is_refused_before_the_sheet_is_laid_out(row: int, column: int, code: str) -> None:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "医院")
        sheet.write(row, column, "x")
    with pytest.raises(InvalidRequest) as refused:
        read_rows(buffer.getvalue())
    assert codes(refused.value) == [code]


def test_a_csv_of_countless_rows_is_refused_after_the_most_that_are_read() -> None:
    with pytest.raises(InvalidRequest) as refused:
        read_rows(b"a,1\n" * 300_000)
    assert codes(refused.value) == ["too_many_rows"]


def test_a_zip_that_is_no_workbook_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "hello")
    with pytest.raises(InvalidRequest) as refused:
        read_rows(buffer.getvalue())
    assert codes(refused.value) == ["file_unreadable"]


@given(place=st.integers(0, 5000), byte=st.integers(0, 255))
def test_a_damaged_workbook_is_read_or_refused_and_never_a_fault_of_ours(place: int, byte: int) -> None:
    content = bytearray(GOOD)
    content[4 + place % (len(content) - 4)] = byte
    with suppress(InvalidRequest):
        read_rows(bytes(content))


GOOD = workbook([["医院", "诊疗人次"], ["甲", 1]])


@pytest.mark.parametrize(
    ("text", "number"),
    [("1,375,477", 1375477), ("12.0", 12), ("１２", 12), ("-3", -3), (" 7 ", 7)],
)
def test_whole_numbers_are_understood_in_their_usual_spellings(text: str, number: int) -> None:
    assert whole_number(text) == number


@pytest.mark.parametrize("text", ["", "1.5", "12万", "1,2", "1e3", "∞", "--1"])
def test_what_is_no_whole_number_is_none(text: str) -> None:
    assert whole_number(text) is None


def test_spelling_differences_do_not_make_another_name() -> None:
    assert normalise("乐清市 第三人民医院（Ａ）") == normalise("乐清市第三人民医院(a)")

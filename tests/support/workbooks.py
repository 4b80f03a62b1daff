"""Workbooks as people make them, with merged cells."""

import io
from collections.abc import Sequence

import xlsxwriter

# First row, first column, last row, last column (from 0), text.
Merge = tuple[int, int, int, int, str]


def workbook(rows: Sequence[Sequence[object]], merges: Sequence[Merge] = ()) -> bytes:
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        for merge in merges:
            sheet.merge_range(*merge)
    return buffer.getvalue()

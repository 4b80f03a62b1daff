"""Workbooks as people make them, with merged cells."""

import io
import re
import zipfile
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


def coloured(content: bytes) -> list[str]:
    """The cells of the first sheet that have a colour of their own, such as `B3`; none holds a formula."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
        styles = archive.read("xl/styles.xml").decode()
    assert "<f>" not in sheet, "a formula"
    forms = re.findall(r'<xf [^>]*fillId="(\d+)"', styles.partition("<cellXfs")[2].partition("</cellXfs>")[0])
    cells = re.findall(r'<c r="([A-Z]+\d+)" s="(\d+)"', sheet)
    return [cell for cell, style in cells if int(forms[int(style)])]

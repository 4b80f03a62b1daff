"""A file that was sent for an import, given back with its faults: cells coloured, reasons beside them."""

import io
from collections.abc import Iterable, Mapping, Sequence

from shared.documents.cells import new_book, style, write_text
from shared.documents.reports import ImportFault
from shared.documents.sheets import Row, normalise, read_rows
from shared.documents.workbooks import on_a4, row_height

_TITLE = "问题"
_WIDTH, _REASON_WIDTH = 18, 60
_BAD = {"bg_color": "#F8CBAD", "border": 1, "valign": "top", "text_wrap": True}
_PLAIN = {"border": 1, "valign": "top", "text_wrap": True}


def fault_sheet(content: bytes, faults: Iterable[ImportFault]) -> bytes:
    """The first sheet as text, row by row where it stood; its last column says what is wrong.

    Without a column that is known, the row's first cell is coloured. Raises InvalidRequest.
    """
    rows = read_rows(content)
    by_row: dict[int, list[ImportFault]] = {}
    for fault in faults:
        by_row.setdefault(fault.row, []).append(fault)
    width = max((len(row.cells) for row in rows), default=0)
    places = _places(rows)
    buffer = io.BytesIO()
    with new_book(buffer) as book:
        plain, bad = style(book, _PLAIN), style(book, _BAD)
        sheet = book.add_worksheet(_TITLE)
        sheet.set_column(0, max(0, width - 1), _WIDTH)
        sheet.set_column(width, width, _REASON_WIDTH)
        on_a4(sheet, columns=width + 1)
        if rows:
            sheet.freeze_panes(rows[0].number, 0)
        write_text(sheet, rows[0].number - 1 if rows else 0, width, _TITLE, plain)
        for row in rows:
            found = by_row.get(row.number, [])
            coloured = {_place(places, fault.column) for fault in found}
            for column in range(width):
                look = bad if column in coloured else plain
                write_text(sheet, row.number - 1, column, row.at(column), look)
            if found:
                write_text(sheet, row.number - 1, width, _said(found), bad)
            heights = [row_height(row.at(column), _WIDTH) for column in range(width)]
            sheet.set_row(row.number - 1, max([row_height(_said(found), _REASON_WIDTH), *heights]))
    return buffer.getvalue()


def _places(rows: Sequence[Row]) -> Mapping[str, int]:
    """Where a column stands: at the first cell that is called like it."""
    places: dict[str, int] = {}
    for row in rows:
        for column, text in enumerate(row.cells):
            if text:
                places.setdefault(normalise(text), column)
    return places


def _place(places: Mapping[str, int], column: str | None) -> int:
    """Of a column by its name, or by a part of it: `诊疗人次` is meant by `诊疗人次 visits`. 0 if unknown."""
    name = normalise(column or "")
    if name in places or not name:
        return places.get(name, 0)
    return next((place for title, place in places.items() if name in title), 0)


def _said(faults: Sequence[ImportFault]) -> str:
    return "；".join(
        f"{fault.column}：{fault.message}" if fault.column else fault.message for fault in faults
    )

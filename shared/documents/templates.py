"""Templates that people fill in and hand back: a header that the import understands, and how to fill it."""

import io
from collections.abc import Mapping, Sequence

from shared.documents.cells import new_book, style, write_text
from shared.documents.sheets import Column
from shared.documents.workbooks import columns_of, on_a4, row_height

# As wide as the examples, in characters, within these.
_WIDTH, _WIDTH_MAX = 22, 60
_NOTES_WIDTH = 80
# Rows that offer a list of choices; further rows can be filled in all the same.
_CHOICE_ROWS = 5000


def workbook_template(
    columns: Sequence[Column],
    examples: Sequence[Mapping[str, str]],
    notes: Sequence[str],
    *,
    choices: Mapping[str, Sequence[str]] | None = None,
) -> bytes:
    """An .xlsx with the columns' titles (required ones marked *), example rows, and a sheet of notes.

    Every cell is text, so that long numbers keep all of their digits. `choices` puts a drop-down list
    into a column; other values may still be typed, and the import judges them.
    """
    buffer = io.BytesIO()
    with new_book(buffer) as book:
        head = style(book, {"bold": True, "bg_color": "#DDEBF7", "border": 1, "num_format": "@"})
        text = style(book, {"num_format": "@"})
        prose = style(book, {"num_format": "@", "text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("导入")
        sheet.freeze_panes(1, 0)
        on_a4(sheet, columns=len(columns))
        for place, column in enumerate(columns):
            said = [example.get(column.key, "") for example in examples]
            width = min(_WIDTH_MAX, max([_WIDTH, *(columns_of(one) + 2 for one in said)]))
            sheet.set_column(place, place, width, text.plain)
            write_text(sheet, 0, place, f"{column.title}*" if column.required else column.title, head)
            for number, example in enumerate(examples, start=1):
                write_text(sheet, number, place, example.get(column.key, ""), text)
            if choices and column.key in choices:
                offered = {
                    "validate": "list",
                    "source": list(choices[column.key]),
                    "error_type": "information",
                }
                sheet.data_validation(1, place, _CHOICE_ROWS, place, offered)
        explained = book.add_worksheet("填写说明")
        explained.set_column(0, 0, _NOTES_WIDTH)
        on_a4(explained, columns=1)
        for number, note in enumerate(notes):
            explained.set_row(number, row_height(note, _NOTES_WIDTH))
            write_text(explained, number, 0, note, prose)
    return buffer.getvalue()

"""Templates that people fill in and hand back: a header that the import understands, and how to fill it."""

import io
from collections.abc import Mapping, Sequence

import xlsxwriter

from shared.documents.sheets import Column

_WIDTH = 22
_NOTES_WIDTH = 80


def workbook_template(
    columns: Sequence[Column], examples: Sequence[Mapping[str, str]], notes: Sequence[str]
) -> bytes:
    """An .xlsx with the columns' titles (required ones marked *), example rows, and a sheet of notes.

    Every cell is text, so that long numbers keep all of their digits.
    """
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        head = book.add_format({"bold": True, "bg_color": "#DDEBF7", "border": 1, "num_format": "@"})
        text = book.add_format({"num_format": "@"})
        sheet = book.add_worksheet("导入")
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(columns) - 1, _WIDTH, text)
        for place, column in enumerate(columns):
            sheet.write_string(0, place, f"{column.title}*" if column.required else column.title, head)
            for number, example in enumerate(examples, start=1):
                sheet.write_string(number, place, example.get(column.key, ""), text)
        explained = book.add_worksheet("填写说明")
        explained.set_column(0, 0, _NOTES_WIDTH)
        for number, note in enumerate(notes):
            explained.write_string(number, 0, note)
    return buffer.getvalue()

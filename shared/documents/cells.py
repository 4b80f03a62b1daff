"""Cells that no spreadsheet evaluates: the one way by which text gets into workbooks and tables.

In a workbook a text is typed as text, and marked with the quote that a person would type in front of it, so
that it stays text when somebody edits the cell; the text itself is unchanged and can be imported again. A CSV
knows no types: there the apostrophe stands in the text, and our own reader takes it off.
"""

import io
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

# What a spreadsheet may take for a formula, at the beginning of a cell.
_FORMULA = ("=", "+", "-", "@")
_CONTROL = ("\t", "\r", "\n")
# What offices have, and where a letter is one character of a column's width and a Chinese one two.
_FONT = {"font_name": "宋体", "font_size": 10.5}
# Characters that nobody sees, such as a zero-width space or a byte order mark.
_UNSEEN = "Cf"


def evaluates(text: str) -> bool:
    """Whether a spreadsheet might run it: also in full-width letters, and behind blanks."""
    if text.startswith(_CONTROL):
        return True
    seen = (
        symbol for symbol in unicodedata.normalize("NFKC", text) if unicodedata.category(symbol) != _UNSEEN
    )
    return "".join(seen).lstrip().startswith(_FORMULA)


def inert(text: str) -> str:
    """For a CSV: an apostrophe in front of whatever looks like a formula."""
    return f"'{text}" if evaluates(text) else text


def uttered(cell: str) -> str:
    """What `inert` was given; anything else as it is."""
    return cell[1:] if cell.startswith("'") and evaluates(cell[1:]) else cell


@dataclass(frozen=True, slots=True)
class Style:
    """A look, and the same for text that must stay text."""

    plain: Format
    quoted: Format


def new_book(buffer: io.BytesIO) -> xlsxwriter.Workbook:
    """A workbook that turns no text into a formula, a link or a number."""
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    return xlsxwriter.Workbook(buffer, options)


def style(book: xlsxwriter.Workbook, look: Mapping[str, Any]) -> Style:
    plain = {**_FONT, **look}
    return Style(book.add_format(plain), book.add_format({**plain, "quote_prefix": True}))


def write_text(sheet: Worksheet, row: int, column: int, text: str, look: Style) -> None:
    """Rows and columns count from 0."""
    sheet.write_string(row, column, text, look.quoted if evaluates(text) else look.plain)

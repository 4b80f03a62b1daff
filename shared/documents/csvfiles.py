"""Tables that machines and spreadsheets read alike: CSV in UTF-8 with a byte order mark."""

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence

BOM = b"\xef\xbb\xbf"
# What a spreadsheet may take for a formula, at the beginning of a cell.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
_CONTROL = ("\t", "\r", "\n")


def inert(text: str) -> str:
    """Text that no spreadsheet evaluates: an apostrophe in front of whatever looks like a formula."""
    plain = unicodedata.normalize("NFKC", text).lstrip(" ")
    return f"'{text}" if text.startswith(_CONTROL) or plain.startswith(_FORMULA) else text


def csv_file(rows: Iterable[Sequence[str | int]]) -> bytes:
    """Texts are made inert, whole numbers stay numbers; lines end with CR LF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in rows:
        writer.writerow([inert(cell) if isinstance(cell, str) else cell for cell in row])
    return BOM + buffer.getvalue().encode("utf-8", "replace")

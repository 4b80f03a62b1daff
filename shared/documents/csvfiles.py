"""Tables that machines and spreadsheets read alike: CSV in UTF-8 with a byte order mark."""

import csv
import io
from collections.abc import Iterable, Sequence

from shared.documents.cells import inert

BOM = b"\xef\xbb\xbf"


def csv_file(rows: Iterable[Sequence[str | int]]) -> bytes:
    """A whole file, in UTF-8 with a byte order mark."""
    return BOM + csv_lines(rows)


def csv_lines(rows: Iterable[Sequence[str | int]]) -> bytes:
    """A part of a file. Texts are made inert, whole numbers stay numbers; lines end with CR LF."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\r\n")
    for row in rows:
        writer.writerow([inert(cell) if isinstance(cell, str) else cell for cell in row])
    return buffer.getvalue().encode("utf-8", "replace")

"""Tables that people hand in (.xlsx, .csv): read as text cells, rows numbered as in the sheet.

Names of columns are matched by their words, in Chinese or English and in any order, because the
commonest fault of such files is a header that somebody rewrote.
"""

import csv
import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import reduce
from itertools import islice
from typing import IO

from python_calamine import CalamineError, CalamineWorkbook, ZipError

from shared.documents.cells import uttered
from shared.errors import Fault, InvalidRequest

# A workbook is a ZIP: a small file may unfold to more than a process can hold.
UNFOLDED_BYTES_MAX = 300_000_000
ROWS_MAX = 200_000
# One cell far out, and a small file becomes a sheet of billions; no table of ours is wider than twenty.
CELLS_MAX = 4_000_000
# Published tables have a title and a unit line above the header.
HEADER_ROWS_MAX = 10
_SHEET_MAGIC = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_SHEET_PART = re.compile(r"/?xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_ADDRESS = re.compile(rb"""\sr=["']([A-Z]{0,3})(\d{1,7})["']""")
_ADDRESS_BYTES = 16
_CHUNK_BYTES = 1_000_000
# What the two readers say of a workbook that is torn, locked, or packed in a way they do not know.
_DAMAGED = (
    CalamineError,
    ZipError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    ValueError,
    IndexError,
    OSError,
)
_UNIT = re.compile(r"[(\[（【].*[)\]）】]$")
_WHOLE = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.0+)?")

Cell = str | int | float | bool | date | datetime | time | timedelta | None


@dataclass(frozen=True, slots=True)
class Row:
    """A row that is not blank; `number` counts from 1 as the sheet does."""

    number: int
    cells: tuple[str, ...]

    def at(self, column: int | None) -> str:
        """The cell's text, empty when the row is shorter or the table has no such column."""
        return self.cells[column] if column is not None and column < len(self.cells) else ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its key; `words` match the whole normalised header, `title` is shown to people."""

    key: str
    title: str
    words: re.Pattern[str]
    required: bool = True


@dataclass(frozen=True, slots=True)
class Table:
    """What stands below the header, with the place of each column that was found."""

    columns: dict[str, int]
    header: Row
    rows: tuple[Row, ...]


def column(key: str, title: str, *words: str, required: bool = True) -> Column:
    """`words` are regular expressions for normalised headers: small letters, no spaces, no unit."""
    return Column(key, title, re.compile("|".join(words)), required)


def normalise(text: str) -> str:
    """One spelling for names and headers: full-width forms, spaces and capitals make no difference."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).casefold()


def whole_number(text: str) -> int | None:
    """1,375,477 and 1375477.0 are whole numbers; anything else is None."""
    plain = unicodedata.normalize("NFKC", text).strip()
    return int(plain.partition(".")[0].replace(",", "")) if _WHOLE.fullmatch(plain) else None


def read_rows(content: bytes) -> list[Row]:
    """The rows of the first sheet, or of a CSV (UTF-8 or GB 18030); blank rows are left out.

    A merged cell's text stands in each of its cells.

    Raises:
        InvalidRequest: the file is neither, or too large.
    """
    cells = _workbook_cells(content) if content.startswith(_SHEET_MAGIC) else _csv_cells(content)
    _refuse_many(len(cells), 1)
    rows = [Row(number, tuple(texts)) for number, texts in enumerate(cells, start=1)]
    return [row for row in rows if any(row.cells)]


def find_table(rows: Sequence[Row], columns: Sequence[Column]) -> Table:
    """Finds the header among the first rows, and in it the columns.

    Raises:
        InvalidRequest: names every required column that is missing, and each that is there twice.
    """
    best: tuple[int, Table, list[Fault]] | None = None
    for place, row in enumerate(rows[:HEADER_ROWS_MAX]):
        found, faults = _match(row, columns)
        if best is None or len(found) > best[0]:
            best = (len(found), Table(found, row, tuple(rows[place + 1 :])), faults)
        if len(found) == len(columns):
            break
    if best is None:
        raise _unreadable("文件是空的", "file_empty")
    _, table, faults = best
    if faults:
        raise InvalidRequest(faults=tuple(faults))
    return table


def _match(row: Row, columns: Sequence[Column]) -> tuple[dict[str, int], list[Fault]]:
    headers = [_UNIT.sub("", normalise(cell).strip("*")).strip("*") for cell in row.cells]
    found: dict[str, int] = {}
    faults: list[Fault] = []
    for wanted in columns:
        # What our own templates print is understood too.
        title = normalise(wanted.title)
        places = [
            place for place, header in enumerate(headers) if header == title or wanted.words.fullmatch(header)
        ]
        if places:
            found[wanted.key] = places[0]
        if len(places) > 1:
            faults.append(Fault("file", f"第 {row.number} 行有多个“{wanted.title}”列", "column_ambiguous"))
        if not places and wanted.required:
            faults.append(Fault("file", f"缺少“{wanted.title}”列", "column_missing"))
    return found, faults


def _workbook_cells(content: bytes) -> list[list[str]]:
    try:
        _refuse_bomb(content)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
        sheet = workbook.get_sheet_by_index(0)
        _refuse_many(sheet.total_height, sheet.total_width)
        cells = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
        merged = sheet.merged_cell_ranges or []
    except InvalidRequest:
        raise
    except _DAMAGED as error:
        raise _unreadable("无法打开该表格文件，请另存为 .xlsx 或 .csv 后重试", "file_unreadable") from error
    for (top, left), (bottom, right) in merged:
        _fill(cells, top, left, bottom, right)
    return cells


def _refuse_many(rows: int, columns: int) -> None:
    """Before the rows are there: what is refused for its size must not be held first."""
    if rows > ROWS_MAX:
        raise _unreadable(f"文件超过 {ROWS_MAX} 行，请拆分后上传", "too_many_rows")
    if rows * columns > CELLS_MAX:
        raise _unreadable(f"文件超过 {CELLS_MAX} 个单元格，请删去空白行列后上传", "too_many_cells")


def _fill(cells: list[list[str]], top: int, left: int, bottom: int, right: int) -> None:
    if top >= len(cells) or left >= len(cells[top]):
        return
    for row in cells[top : bottom + 1]:
        for place in range(left, min(right + 1, len(row))):
            row[place] = cells[top][left]


def _refuse_bomb(content: bytes) -> None:
    if not content.startswith(b"PK"):
        return
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        if sum(entry.file_size for entry in archive.infolist()) > UNFOLDED_BYTES_MAX:
            raise _unreadable("文件展开后过大", "file_too_large")
        for entry in archive.infolist():
            if _SHEET_PART.fullmatch(entry.filename):
                with archive.open(entry) as part:
                    _refuse_many(*_extent(part))


def _extent(part: IO[bytes]) -> tuple[int, int]:
    """How many rows and columns a sheet spans by the addresses of its cells.

    The reader lays the whole rectangle out at once, and ends the process when memory does not do.
    """
    rows, columns, rest = 0, 0, b""
    while chunk := part.read(_CHUNK_BYTES):
        piece = rest + chunk
        for letters, digits in _ADDRESS.findall(piece):
            rows = max(rows, int(digits))
            columns = max(columns, reduce(lambda sum_, one: 26 * sum_ + one - 64, letters, 0))
        rest = piece[-_ADDRESS_BYTES:]
    return rows, columns


def _csv_cells(content: bytes) -> list[list[str]]:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        break
    else:
        raise _unreadable("文件编码无法识别，请另存为 UTF-8 的 .csv 或 .xlsx", "file_unreadable")
    if "\x00" in text:
        raise _unreadable("文件不是 .xlsx 或 .csv 表格", "file_unreadable")
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",\t;", key=first.count)
    try:
        return [
            [uttered(cell.strip()) for cell in row]
            for row in islice(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), ROWS_MAX + 1)
        ]
    except csv.Error as error:
        raise _unreadable("文件不是 .xlsx 或 .csv 表格", "file_unreadable") from error


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, (date, time)):
        return cell.isoformat()
    return str(cell).strip()


def _unreadable(message: str, code: str) -> InvalidRequest:
    return InvalidRequest(faults=(Fault("file", message, code),))

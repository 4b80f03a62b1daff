"""Reads a published table: rows of hospitals, subtotal and total rows, or simple parts and a total. Pure.

Published tables are made for people: a title above, merged cells for alliances, rows of 小计 and 合计
between, shares as decimals or per cent. Everything is kept as it was printed.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from shared.documents.sheets import Row, column, find_table, normalise, whole_number

Measure = Literal["visits", "share", "quota"]
MEASURES: Mapping[Measure, str] = {"visits": "诊疗人次", "share": "占比", "quota": "任务数"}

ALLOCATION_COLUMNS = (
    column("alliance", "医共体 alliance", "alliance", "(所属)?医共体(名称)?", required=False),
    column(
        "hospital", "医院 hospital", "hospital", "医院(名称)?", "(医疗)?(卫生)?机构(名称)?", "单位(名称)?"
    ),
    column(
        "visits",
        "诊疗人次 visits",
        r"visits(_\d{4})?",
        r"(\d{4}年)?总?诊疗(人次|人次数|数|量)",
        required=False,
    ),
    column(
        "share", "占比 published_share", "(published_)?share", ".*占比", ".*比例", ".*比重", required=False
    ),
    column(
        "quota",
        "任务数 published_quota",
        "(published_)?quota",
        ".*(任务|目标|指标|分配)(数|量)",
    ),
)
TOTALS_COLUMNS = (
    column("alliance", "医共体 alliance", "alliance", "(所属)?医共体(名称)?", "名称", "单位(名称)?"),
    column("quota", "合计 published_total", "(published_)?total", "合计|小计|总数", ".*(任务|目标)(数|量)"),
)

_GRAND = re.compile(r"(合计|总计|共计|总和|全部|total|grandtotal|sum)")
_SUB = re.compile(r"(.*?)(小计|合计|总计|共计|subtotal|total)")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:e[+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Share:
    """A printed share as a part of one; `decimals` of that part were printed."""

    value: Decimal
    decimals: int


@dataclass(frozen=True, slots=True)
class Line:
    """A printed row; what is not printed is None."""

    number: int
    label: str
    alliance: str
    visits: int | None
    share: Share | None
    quota: int | None


@dataclass(frozen=True, slots=True)
class TotalLine:
    """A printed subtotal or total and the rows that it sums up (places in the table's lines)."""

    line: Line
    grand: bool
    members: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Unreadable:
    number: int
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class PublishedTable:
    lines: tuple[Line, ...]
    totals: tuple[TotalLine, ...]
    unreadable: tuple[Unreadable, ...]
    measures: frozenset[Measure]


@dataclass(slots=True)
class _Reader:
    """Goes through the rows once, remembering where a block of rows began."""

    columns: Mapping[str, int]
    lines: list[Line] = field(default_factory=list)
    totals: list[tuple[Line, str, int]] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    block_start: int = 0

    def read(self, row: Row) -> None:
        alliance = row.at(self.columns.get("alliance"))
        hospital = row.at(self.columns["hospital"])
        if not hospital and not self._is_known(alliance) and _SUB.fullmatch(normalise(alliance)) is None:
            # A hospital that stands alone, printed in the first column.
            alliance, hospital = "", alliance
        summed = _summed_alliance(alliance, hospital, self._last_alliance())
        line = Line(
            number=row.number,
            label=hospital or alliance,
            alliance=alliance,
            visits=self._whole(row, "visits"),
            share=self._share(row),
            quota=self._whole(row, "quota"),
        )
        if summed is None:
            if hospital:
                self.lines.append(line)
            return
        self.totals.append((line, summed, self.block_start))
        self.block_start = len(self.lines)

    def _is_known(self, alliance: str) -> bool:
        return any(line.alliance == alliance for line in self.lines)

    def _last_alliance(self) -> str:
        return self.lines[-1].alliance if self.lines else ""

    def _whole(self, row: Row, measure: Measure) -> int | None:
        text = row.at(self.columns.get(measure))
        number = whole_number(text)
        if text and number is None:
            self.unreadable.append(Unreadable(row.number, MEASURES[measure], text))
        return number

    def _share(self, row: Row) -> Share | None:
        text = row.at(self.columns.get("share"))
        share = read_share(text)
        if text and share is None:
            self.unreadable.append(Unreadable(row.number, MEASURES["share"], text))
        return share


_GRAND_SCOPE = "\x00all"
_BLOCK_SCOPE = "\x00block"


def read_published(rows: Sequence[Row]) -> PublishedTable:
    """Raises InvalidRequest: there is no header with hospitals and quotas."""
    table = find_table(rows, ALLOCATION_COLUMNS)
    reader = _Reader(table.columns)
    for row in table.rows:
        reader.read(row)
    bare = [place for place, (_, scope, _) in enumerate(reader.totals) if scope == _GRAND_SCOPE]
    totals = []
    for place, (line, scope, start) in enumerate(reader.totals):
        # Of several bare 合计 rows only the last one is of everything; the others close a block.
        grand = scope == _GRAND_SCOPE and place == bare[-1]
        totals.append(TotalLine(line, grand, _members(reader, scope, start, line, grand=grand)))
    printed: dict[Measure, int] = {
        "visits": sum(line.visits is not None for line in reader.lines),
        "share": sum(line.share is not None for line in reader.lines),
        "quota": sum(line.quota is not None for line in reader.lines),
    }
    return PublishedTable(
        lines=tuple(reader.lines),
        totals=tuple(totals),
        unreadable=tuple(reader.unreadable),
        measures=frozenset(measure for measure, count in printed.items() if count),
    )


def _members(reader: _Reader, scope: str, start: int, total: Line, *, grand: bool) -> tuple[int, ...]:
    if grand:
        return tuple(range(len(reader.lines)))
    if scope in {_GRAND_SCOPE, _BLOCK_SCOPE}:
        end = sum(1 for line in reader.lines if line.number < total.number)
        return tuple(range(start, end))
    return tuple(
        place for place, line in enumerate(reader.lines) if normalise(line.alliance) == normalise(scope)
    )


def _summed_alliance(alliance: str, hospital: str, last: str) -> str | None:
    """What a row sums up: an alliance by name, a block, everything; None for a hospital's own row."""
    group, name = normalise(alliance), normalise(hospital)
    if _GRAND.fullmatch(group):
        return _GRAND_SCOPE
    if group and name in {"", "小计", "合计", "subtotal", "total"}:
        named = _SUB.fullmatch(group)
        return alliance if named is None or not named[1] else named[1]
    if name in {"小计", "subtotal"}:
        return last or _BLOCK_SCOPE
    if _GRAND.fullmatch(name):
        return _GRAND_SCOPE
    named = _SUB.fullmatch(name)
    return named[1] if named and named[1] else None


def read_share(text: str) -> Share | None:
    """0.190903964 or 19.09%, exactly as printed."""
    plain = unicodedata.normalize("NFKC", text).replace(" ", "").casefold()
    percent = plain.endswith("%")
    if _NUMBER.fullmatch(plain.removesuffix("%")) is None:
        return None
    value = Decimal(plain.removesuffix("%"))
    exponent = value.as_tuple().exponent
    decimals = max(0, -exponent) if isinstance(exponent, int) else 0
    return Share(value.scaleb(-2), decimals + 2) if percent else Share(value, decimals)


def read_totals(rows: Sequence[Row]) -> list[tuple[Row, str, int | None]]:
    """Alliances with their printed totals, from a second file. Raises InvalidRequest."""
    table = find_table(rows, TOTALS_COLUMNS)
    return [
        (row, row.at(table.columns["alliance"]), whole_number(row.at(table.columns["quota"])))
        for row in table.rows
    ]


def is_grand(label: str) -> bool:
    return _GRAND.fullmatch(normalise(label)) is not None


@dataclass(frozen=True, slots=True)
class PartsColumn:
    """A column of parts with what is printed as their sum (label, number), if anything is."""

    title: str
    parts: tuple[tuple[str, int], ...]
    total: tuple[str, int] | None


def read_parts(rows: Sequence[Row]) -> list[PartsColumn]:
    """Columns of whole numbers under a label; empty when the table has none.

    The header is the row above the first one with numbers; a title may stand above it. A running number in
    front of the labels is none of them.
    """
    start = next((place for place, row in enumerate(rows) if _has_numbers(row)), None)
    if start is None:
        return []
    header = rows[start - 1] if start else None
    body = rows[start:]
    found = []
    for place in range(1, max(len(row.cells) for row in body)):
        numbers = [(_label(row), whole_number(row.at(place))) for row in body]
        printed = [(label, number) for label, number in numbers if number is not None]
        if not printed:
            continue
        title = header.at(place) if header else f"第 {place + 1} 列"
        found.append(_parts_column(title, printed))
    return found


def _has_numbers(row: Row) -> bool:
    return any(whole_number(cell) is not None for cell in row.cells[1:])


def _label(row: Row) -> str:
    """The row's first text."""
    texts = (cell for cell in row.cells if cell and whole_number(cell) is None)
    return next(texts, row.at(0))


def _parts_column(title: str, printed: Iterable[tuple[str, int]]) -> PartsColumn:
    parts: list[tuple[str, int]] = []
    total: tuple[str, int] | None = None
    for label, number in printed:
        if is_grand(label):
            total = (label, number)
        elif normalise(label) not in {"小计", "subtotal"}:
            parts.append((label, number))
    return PartsColumn(title, tuple(parts), total)

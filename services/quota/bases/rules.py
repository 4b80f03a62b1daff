"""What a file of figures for a basis says. Pure."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from services.quota.hospitalnames.rules import Names, near_text
from shared.documents.reports import ERRORS_MAX, ImportFault
from shared.documents.sheets import Column, Table, column, normalise

# Far beyond any city; with six decimals it still fits the database's arithmetic exactly.
FIGURE_MAX = 1_000_000_000_000
_FIGURE = re.compile(r"\+?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.(\d+))?")
_PLACES = 6


@dataclass(frozen=True, slots=True)
class BasisFile:
    """A file after reading: the figure of each hospital by id, and what is wrong and where."""

    rows: int
    figures: Mapping[str, Decimal]
    rejected: int
    faults: tuple[ImportFault, ...]


def columns_of(basis: str) -> tuple[Column, ...]:
    """The figure may stand under the basis' own name."""
    own = re.escape(normalise(basis))
    return (
        column("hospital", "医院 hospital", "hospital", "医院(名称)?", "医疗机构(名称)?", "单位(名称)?"),
        column("value", f"{basis} value", own, "value", "数值", "数量", "基数"),
    )


def figure(text: str) -> Decimal | None:
    """1,375.5 and 12.50 are figures; at most six decimals, never below zero."""
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _FIGURE.fullmatch(plain)
    if found is None or len((found[1] or "").rstrip("0")) > _PLACES:
        return None
    value = Decimal(plain.replace(",", ""))
    return value if value <= FIGURE_MAX else None


def read_figures(table: Table, names: Names) -> BasisFile:
    """Judges each row; a hospital's figure may be repeated, not contradicted."""
    figures: dict[str, Decimal] = {}
    first_rows: dict[str, int] = {}
    faults: list[ImportFault] = []
    rejected = 0
    for row in table.rows:
        name, text = (row.at(table.columns[key]) for key in ("hospital", "value"))
        hospital_id, value = names.find(name), figure(text)
        wrong: list[ImportFault] = []
        if hospital_id is None:
            wrong.append(_fault(row.number, "hospital", _unknown(name, names)))
        if value is None:
            shown = f"“{text[:40]}”" if text else "空白"
            limits = f"应为 0 到 {FIGURE_MAX} 的数，最多六位小数"
            wrong.append(_fault(row.number, "value", f"{limits}，现为{shown}"))
        if hospital_id is not None and value is not None:
            if figures.setdefault(hospital_id, value) != value:
                first = first_rows[hospital_id]
                wrong.append(_fault(row.number, "value", f"与第 {first} 行是同一家医院，但数值不同"))
            first_rows.setdefault(hospital_id, row.number)
        faults.extend(wrong)
        rejected += bool(wrong)
    return BasisFile(len(table.rows), figures, rejected, tuple(faults[:ERRORS_MAX]))


def _unknown(name: str, names: Names) -> str:
    if not name:
        return "医院名称为空"
    near = names.near(name)
    offered = f"；名称相近的有：{near_text(near)}" if near else ""
    return f"名单中没有这家医院：{name[:40]}{offered}"


def _fault(row: int, key: str, message: str) -> ImportFault:
    return ImportFault(row=row, column=key, message=message)

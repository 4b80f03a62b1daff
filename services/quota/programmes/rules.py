"""What a programme's definition and a list of hospitals must be. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.documents.reports import ERRORS_MAX, ImportFault
from shared.documents.sheets import Table, column, normalise, whole_number

# Bounds far beyond any city, so that sums and products stay within the database's bigint.
CARDS_MAX = 1_000_000_000
VISITS_MAX = 1_000_000_000_000
NAME_LENGTH_MAX = 200

HOSPITAL_COLUMNS = (
    column("alliance", "医共体 alliance", "alliance", "医共体(名称)?"),
    column("hospital", "医院 hospital", "hospital", "医院(名称)?", "医疗机构(名称)?", "单位(名称)?"),
    column("visits", "诊疗人次 visits", r"visits(_\d{4})?", r"(\d{4}年)?(诊疗人次|总诊疗数)"),
)
_TOTAL_ROW = re.compile(r"(合计|小计|总计|共计|total|subtotal)", re.IGNORECASE)
# A path of this origin, or an address of the card platform; nothing that a browser would run.
_LANDING_URL = re.compile(r"(?:/(?![/\\])|https?://[0-9A-Za-z.-]+(?::\d{1,5})?(?:/|$))[!-\[\]-~]*")


@dataclass(frozen=True, slots=True)
class SenseFault:
    """A fault between fields: `loc` is the field that would be corrected."""

    loc: tuple[str | int, ...]
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class HospitalLine:
    """A hospital as a list gives it; `key` is its name in one spelling."""

    row: int
    key: str
    name: str
    alliance: str
    visits: int


@dataclass(frozen=True, slots=True)
class HospitalList:
    """A list after reading: what can be taken, what repeats itself, what is wrong and where."""

    rows: int
    lines: tuple[HospitalLine, ...]
    repeated: int
    rejected: int
    faults: tuple[ImportFault, ...]


def is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def is_landing_url(url: str) -> bool:
    return _LANDING_URL.fullmatch(url) is not None


def definition_faults(definition: Mapping[str, Any]) -> list[SenseFault]:
    """Faults between the fields of a definition as it was sent; fields of a wrong type are not judged."""
    faults: list[SenseFault] = []
    target, remaining = definition.get("target_cards"), definition.get("remaining_exact")
    before = definition.get("issued_before")
    issued = before.get("cards") if isinstance(before, Mapping) else 0
    if _is_count(target) and _is_count(remaining) and _is_count(issued) and remaining != target - issued:
        sentence = f"应等于目标数减已发卡数：{target} − {issued} = {target - issued}"
        faults.append(SenseFault(("remaining_exact",), "remaining_mismatch", sentence))
    as_of = before.get("as_of") if isinstance(before, Mapping) else None
    ends_on = definition.get("ends_on")
    # Both are YYYY-MM-DD when they are right, so that their texts compare like the days.
    if isinstance(as_of, str) and isinstance(ends_on, str) and ends_on <= as_of:
        faults.append(SenseFault(("ends_on",), "ends_before_start", f"应晚于已发卡数的截止日 {as_of}"))
    return faults


def _is_count(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def read_hospitals(table: Table) -> HospitalList:
    """Judges each row. A hospital that stands twice with the same figures is a repetition, else a fault."""
    lines: dict[str, HospitalLine] = {}
    faults: list[ImportFault] = []
    rejected = repeated = 0
    for row in table.rows:
        cells = {key: row.at(place) for key, place in table.columns.items()}
        wrong = _line_faults(row.number, cells)
        line = HospitalLine(
            row=row.number,
            key=normalise(cells["hospital"]),
            name=cells["hospital"],
            alliance=cells["alliance"],
            visits=whole_number(cells["visits"]) or 0,
        )
        first = lines.get(line.key)
        if not wrong and first is not None:
            if (first.alliance, first.visits) == (line.alliance, line.visits):
                repeated += 1
                continue
            wrong = [_fault(row.number, "hospital", f"与第 {first.row} 行是同一家医院，但内容不同")]
        if wrong:
            rejected += 1
            faults.extend(wrong)
        else:
            lines[line.key] = line
    return HospitalList(
        len(table.rows), tuple(lines.values()), repeated, rejected, tuple(faults[:ERRORS_MAX])
    )


def _line_faults(number: int, cells: Mapping[str, str]) -> list[ImportFault]:
    name, visits = cells["hospital"], whole_number(cells["visits"])
    if any(_TOTAL_ROW.fullmatch(normalise(cells[key])) for key in ("alliance", "hospital")):
        return [_fault(number, "hospital", "这是合计行，不是医院")]
    faults: list[ImportFault] = []
    if not name:
        faults.append(_fault(number, "hospital", "医院名称为空"))
    for key in ("alliance", "hospital"):
        if len(cells[key]) > NAME_LENGTH_MAX:
            faults.append(_fault(number, key, f"超过 {NAME_LENGTH_MAX} 个字"))
        if not cells[key].isprintable():
            faults.append(_fault(number, key, "含有不能显示的字符"))
    if visits is None:
        shown = f"“{cells['visits']}”" if cells["visits"] else "空白"
        faults.append(_fault(number, "visits", f"诊疗人次应为整数，现为{shown[:40]}"))
    elif not 0 <= visits <= VISITS_MAX:
        faults.append(_fault(number, "visits", f"诊疗人次应在 0 到 {VISITS_MAX} 之间"))
    return faults


def _fault(row: int, key: str, message: str) -> ImportFault:
    return ImportFault(row=row, column=key, message=message)


def changed_lines(
    lines: Sequence[HospitalLine], known: Mapping[str, tuple[str, int]]
) -> tuple[list[HospitalLine], list[HospitalLine]]:
    """The lines that are new, and those that change what is known (alliance and visits by key)."""
    new = [line for line in lines if line.key not in known]
    changed = [
        line for line in lines if line.key in known and known[line.key] != (line.alliance, line.visits)
    ]
    return new, changed

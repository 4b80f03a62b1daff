"""A list of hospitals: what each row says, and what it comes to beside what is known. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from services.quota.hospitalnames.rules import KnownName, Names, Near, name_key, near_text
from services.quota.hospitals.rules import NAME_LENGTH_MAX, VISITS_MAX
from shared.documents.sheets import Table, column, normalise, whole_number

ALIASES_MAX = 20

HOSPITAL_COLUMNS = (
    column("alliance", "医共体 alliance", "alliance", "医共体(名称)?"),
    column("hospital", "医院 hospital", "hospital", "医院(名称)?", "医疗机构(名称)?", "单位(名称)?"),
    column("visits", "诊疗人次 visits", r"visits(_\d{4})?", r"(\d{4}年)?(诊疗人次|总诊疗数)"),
    column("aliases", "别名 aliases", "aliases", "别名", "曾用名", required=False),
)
_TOTAL_ROW = re.compile(r"(合计|小计|总计|共计|total|subtotal)", re.IGNORECASE)
_ALIAS_SIGNS = re.compile(r"[、;；|\n]+")

FaultCode = Literal["row_invalid", "maybe_known", "alliance_moves", "confirmation_unknown", "name_taken"]


@dataclass(frozen=True, slots=True)
class RowFault:
    row: int
    column: str
    message: str
    code: FaultCode = "row_invalid"
    near: tuple[Near, ...] = ()


@dataclass(frozen=True, slots=True)
class HospitalLine:
    """A hospital as a list gives it; `key` is its name in one spelling."""

    row: int
    key: str
    name: str
    alliance: str
    visits: int
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HospitalList:
    """A list after reading: what can be taken, what repeats itself, what is wrong and where."""

    rows: int
    lines: tuple[HospitalLine, ...]
    repeated: int
    rejected: int
    faults: tuple[RowFault, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A hospital as it stands when a list is taken. `moves`: its alliance changes by dated changes only."""

    id: str
    alliance: str
    visits: int
    moves: bool


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a clerk decided about a list: the hospital meant by a row (None: a new one), names to be kept."""

    confirmed: Mapping[int, str | None] = field(default_factory=dict)
    keep_names: bool = False
    take_aliases: bool = False


@dataclass(slots=True)
class Judged:
    """What a list comes to: new lines, changed hospitals (by id), names to be added to known ones."""

    new: list[HospitalLine] = field(default_factory=list)
    changed: list[tuple[str, HospitalLine]] = field(default_factory=list)
    names: list[tuple[str, str]] = field(default_factory=list)
    new_names: list[tuple[HospitalLine, str]] = field(default_factory=list)
    repeated: int = 0
    rejected: int = 0
    faults: list[RowFault] = field(default_factory=list)

    def refuse(self, *faults: RowFault) -> None:
        self.rejected += 1
        self.faults.extend(faults)


def read_hospitals(table: Table) -> HospitalList:
    """Judges each row. A hospital that stands twice with the same figures is a repetition, else a fault."""
    lines: dict[str, HospitalLine] = {}
    faults: list[RowFault] = []
    rejected = repeated = 0
    for row in table.rows:
        cells = {key: row.at(place) for key, place in table.columns.items()}
        wrong = _line_faults(row.number, cells)
        line = HospitalLine(
            row=row.number,
            key=name_key(cells["hospital"]),
            name=cells["hospital"],
            alliance=cells["alliance"],
            visits=whole_number(cells["visits"]) or 0,
            aliases=_aliases(cells.get("aliases", "")),
        )
        first = lines.get(line.key)
        if not wrong and first is not None:
            if (first.alliance, first.visits) == (line.alliance, line.visits):
                repeated += 1
                continue
            wrong = [RowFault(row.number, "hospital", f"与第 {first.row} 行是同一家医院，但内容不同")]
        if wrong:
            rejected += 1
            faults.extend(wrong)
        else:
            lines[line.key] = line
    return HospitalList(len(table.rows), tuple(lines.values()), repeated, rejected, tuple(faults))


def judge(listed: HospitalList, names: Names, known: Mapping[str, Known], wishes: Wishes) -> Judged:
    """Who is meant by each line. A new name that is near to one known before this file is asked about."""
    judged = Judged(repeated=listed.repeated, rejected=listed.rejected, faults=list(listed.faults))
    seen: dict[str, HospitalLine] = {}
    taken = {line.key for line in listed.lines}
    for line in listed.lines:
        hospital_id = names.find(line.name) if names.has(line.name) else wishes.confirmed.get(line.row)
        if hospital_id is None:
            _judge_new(judged, line, names, wishes)
        elif hospital_id not in known:
            message = "确认的医院编号不在名单中"
            judged.refuse(RowFault(line.row, "hospital", message, "confirmation_unknown"))
        elif hospital_id in seen:
            _judge_again(judged, line, seen[hospital_id])
        else:
            seen[hospital_id] = line
            _judge_known(judged, line, known[hospital_id])
            if not names.has(line.name) and wishes.keep_names:
                judged.names.append((hospital_id, line.name))
    if wishes.take_aliases:
        _judge_aliases(judged, names, seen, taken)
    return judged


def confirmed_lines(confirmed: Mapping[int, str | None], listed: HospitalList) -> list[int]:
    """Rows that were confirmed although the file has no such line, or a faulty one."""
    rows = {line.row for line in listed.lines}
    return sorted(row for row in confirmed if row not in rows)


def _judge_new(judged: Judged, line: HospitalLine, names: Names, wishes: Wishes) -> None:
    near = () if line.row in wishes.confirmed else tuple(names.near(line.name))
    if not near:
        judged.new.append(line)
        return
    message = f"名单中没有“{line.name}”，可能是：{near_text(near)}；请确认是其中一家，或确认是新医院"
    judged.refuse(RowFault(line.row, "hospital", message, "maybe_known", near))


def _judge_again(judged: Judged, line: HospitalLine, first: HospitalLine) -> None:
    if (first.alliance, first.visits) == (line.alliance, line.visits):
        judged.repeated += 1
    else:
        judged.refuse(RowFault(line.row, "hospital", f"与第 {first.row} 行是同一家医院，但内容不同"))


def _judge_known(judged: Judged, line: HospitalLine, hospital: Known) -> None:
    if name_key(line.alliance) != name_key(hospital.alliance) and hospital.moves:
        shown = hospital.alliance or "独立"
        message = f"该院现属“{shown}”；名单不再改变医共体，请提交带生效日的“调整医共体”变更"
        judged.refuse(RowFault(line.row, "alliance", message, "alliance_moves"))
    elif (hospital.alliance, hospital.visits) == (line.alliance, line.visits):
        judged.repeated += 1
    else:
        judged.changed.append((hospital.id, line))


def _judge_aliases(judged: Judged, names: Names, seen: Mapping[str, HospitalLine], taken: set[str]) -> None:
    """Other names in the list: free ones are added; somebody else's is a fault, and the row stands."""
    owners: dict[str, int] = {}
    known = {line.row: hospital_id for hospital_id, line in seen.items()}
    refused = {fault.row for fault in judged.faults}
    for line in [*seen.values(), *judged.new]:
        if line.row in refused:
            continue
        for alias in line.aliases:
            key = name_key(alias)
            owner = names.find(alias) if names.has(alias) else None
            if key == line.key or (owner is not None and owner == known.get(line.row)):
                continue
            if owner is not None or key in taken or owners.setdefault(key, line.row) != line.row:
                judged.faults.append(
                    RowFault(line.row, "aliases", f"别名“{alias}”已属于另一家医院", "name_taken")
                )
            elif line.row in known:
                judged.names.append((known[line.row], alias))
            else:
                judged.new_names.append((line, alias))


def _aliases(cell: str) -> tuple[str, ...]:
    found = {name_key(part): part.strip() for part in _ALIAS_SIGNS.split(cell) if part.strip()}
    return tuple(found.values())


def _line_faults(number: int, cells: Mapping[str, str]) -> list[RowFault]:
    name, visits = cells["hospital"], whole_number(cells["visits"])
    if any(_TOTAL_ROW.fullmatch(normalise(cells[key])) for key in ("alliance", "hospital")):
        return [RowFault(number, "hospital", "这是合计行，不是医院")]
    faults: list[RowFault] = []
    if not name:
        faults.append(RowFault(number, "hospital", "医院名称为空"))
    aliases = _aliases(cells.get("aliases", ""))
    if len(aliases) > ALIASES_MAX or any(len(alias) > NAME_LENGTH_MAX for alias in aliases):
        message = f"别名应不超过 {ALIASES_MAX} 个，每个不超过 {NAME_LENGTH_MAX} 个字"
        faults.append(RowFault(number, "aliases", message))
    for key in ("alliance", "hospital"):
        if len(cells[key]) > NAME_LENGTH_MAX:
            faults.append(RowFault(number, key, f"超过 {NAME_LENGTH_MAX} 个字"))
        if not cells[key].isprintable():
            faults.append(RowFault(number, key, "含有不能显示的字符"))
    if visits is None:
        shown = f"“{cells['visits']}”" if cells["visits"] else "空白"
        faults.append(RowFault(number, "visits", f"诊疗人次应为整数，现为{shown[:40]}"))
    elif not 0 <= visits <= VISITS_MAX:
        faults.append(RowFault(number, "visits", f"诊疗人次应在 0 到 {VISITS_MAX} 之间"))
    return faults


def spelled(listed: HospitalList, known: Iterable[str]) -> tuple[HospitalList, list[str]]:
    """The lines with alliances as they are spelled already, and notes about new ones near to a known one."""
    before = {name_key(alliance): alliance for alliance in known if alliance}
    alliances = Names(KnownName(name, name, name, key) for key, name in before.items())
    spelling = dict(before)
    lines: list[HospitalLine] = []
    notes: dict[str, str] = {}
    for line in listed.lines:
        alliance = spelling.setdefault(name_key(line.alliance), line.alliance) if line.alliance else ""
        lines.append(replace(line, alliance=alliance))
        near = alliances.near(alliance) if alliance and name_key(alliance) not in before else []
        if near:
            told = f"第 {line.row} 行起的医共体“{alliance}”是新的，与已有的“{near[0].name}”相近，请核对"
            notes.setdefault(alliance, told)
    return replace(listed, lines=tuple(lines)), list(notes.values())

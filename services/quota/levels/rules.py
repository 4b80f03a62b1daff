"""A list of hospitals' levels. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.quota.hospitalnames.rules import Names, unknown_text
from shared.documents.reports import ERRORS_MAX, ImportFault
from shared.documents.sheets import Table, column

LEVEL_LENGTH_MAX = 40

LEVEL_COLUMNS = (
    column("hospital", "医院 hospital", "hospital", "医院(名称)?", "医疗机构(名称)?", "单位(名称)?"),
    column("level", "级别 level", "level", "级别", "(医院|机构)(级别|等级)"),
)


@dataclass(frozen=True, slots=True)
class LevelList:
    """A file after reading: levels by hospital id (empty: none), what repeats itself, what is wrong."""

    rows: int
    levels: Mapping[str, str]
    rejected: int
    faults: tuple[ImportFault, ...]


def read_levels(table: Table, names: Names) -> LevelList:
    """Judges each row; a hospital may be called by any of its names, and who might be meant is offered."""
    levels: dict[str, tuple[int, str]] = {}
    faults: list[ImportFault] = []
    rejected = 0
    for row in table.rows:
        name, level = row.at(table.columns["hospital"]), row.at(table.columns["level"])
        hospital_id = names.find(name)
        first = levels.get(hospital_id) if hospital_id else None
        if hospital_id is None:
            wrong = ImportFault(row=row.number, column="hospital", message=unknown_text(names.near(name)))
        elif len(level) > LEVEL_LENGTH_MAX or not level.isprintable():
            wrong = ImportFault(
                row=row.number, column="level", message=f"应为不超过 {LEVEL_LENGTH_MAX} 个可显示的字"
            )
        elif first is not None and first[1] != level:
            wrong = ImportFault(
                row=row.number, column="level", message=f"与第 {first[0]} 行是同一家医院，但级别不同"
            )
        else:
            levels.setdefault(hospital_id, (row.number, level))
            continue
        rejected += 1
        faults.append(wrong)
    found = {key: level for key, (_, level) in levels.items()}
    return LevelList(len(table.rows), found, rejected, tuple(faults[:ERRORS_MAX]))


def changed_levels(found: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    return {key: level for key, level in found.items() if known.get(key, "") != level}

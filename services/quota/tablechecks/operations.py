"""Checks a published table. Needs no database: `hv check-table` calls the same function."""

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction

from pydantic import TypeAdapter, ValidationError

from services.quota.allocation.schemas import AdjustmentBody
from services.quota.hospitalnames.rules import name_key, names_in_file, near_text
from services.quota.publishedtables.rules import (
    ALLOCATION_COLUMNS,
    PublishedTable,
    is_grand,
    read_parts,
    read_published,
    read_totals,
)
from services.quota.tablebases.rules import Adjusted
from services.quota.tablechecks.rules import check_allocation
from services.quota.tablechecks.schemas import FindingView, TableCheck
from services.quota.tablesums.rules import Finding, PrintedSum, check_parts
from shared.documents.sheets import Row, read_rows
from shared.documents.templates import workbook_template
from shared.errors import Fault, InvalidRequest

_ADJUSTMENTS = TypeAdapter(list[AdjustmentBody])
_EXAMPLES = (
    {"alliance": "第一医共体", "hospital": "市人民医院", "visits": "60000", "share": "0.6", "quota": "600"},
    {"alliance": "第一医共体", "hospital": "城东卫生院", "visits": "40000", "share": "0.4", "quota": "400"},
    {"alliance": "", "hospital": "合计", "visits": "100000", "share": "1", "quota": "1000"},
)
_NOTES = (
    "带 * 的列必须有，其余的列表中没有就不填；列的顺序和列名前后的空格不影响核对，英文列名也可以。",
    "占比可以写成小数（0.6）或百分数（60%），按公布的位数原样填写。",
    "“小计”行核对其上方到上一个小计之间的各行，“合计”行核对全部医院；合并单元格和表头上方的标题可以保留。",
    "只有“部分”和“合计”的表（如各券种张数）不用本模板，直接上传即可。",
    "上传前请删除示例行。",
)


def check_files(
    content: bytes, *, totals: bytes | None = None, total: int | None = None, adjustments: str | None = None
) -> TableCheck:
    """Checks a table of quotas, or else of parts and a total, with what was printed beside it.

    `adjustments` is the JSON of api.md's allocations: what they move is explained, not found.

    Raises:
        InvalidRequest: a file cannot be read, has not the columns, or names nobody that is in the table.
    """
    moved = _read_adjustments(adjustments)
    rows = read_rows(content)
    try:
        table = read_published(rows)
    except InvalidRequest:
        return _check_parts(rows, total)
    sums = [] if totals is None else _read_sums(totals)
    findings = check_allocation(table, adjusted=_adjusted(table, moved), total=total, sums=sums)
    counts = {
        "rows": len(table.lines),
        "subtotals": sum(not line.grand for line in table.totals) + len(sums),
        "totals": sum(line.grand for line in table.totals) + (total is not None),
        "adjustments": len(moved),
    }
    return _report(findings, counts)


def template() -> bytes:
    """An .xlsx to fill in, for tables that exist on paper only."""
    return workbook_template(ALLOCATION_COLUMNS, _EXAMPLES, _NOTES)


def _check_parts(rows: Sequence[Row], total: int | None) -> TableCheck:
    """Raises InvalidRequest when there is nothing to compare: no findings would look like a good table."""
    columns = read_parts(rows)
    if not columns or (total is None and all(column.total is None for column in columns)):
        message = "没有可核对的内容：需要“医院”和“任务数”列，或者带“合计”行的数字列（也可以填写文本中的合计）"
        raise InvalidRequest(faults=(Fault("file", message, "nothing_to_check"),))
    counts = {
        "rows": sum(len(column.parts) for column in columns),
        "totals": sum(column.total is not None for column in columns) + (total is not None),
    }
    return _report(check_parts(columns, total), counts)


def _read_adjustments(text: str | None) -> list[AdjustmentBody]:
    if not text:
        return []
    try:
        return _ADJUSTMENTS.validate_json(text)
    except ValidationError as error:
        faults = tuple(
            Fault(
                ".".join(["adjustments", *(str(part) for part in fault["loc"])]), fault["msg"], fault["type"]
            )
            for fault in error.errors()
        )
        raise InvalidRequest(faults=faults) from None


def _adjusted(table: PublishedTable, moved: Sequence[AdjustmentBody]) -> list[Adjusted]:
    places = {name_key(line.label): place for place, line in enumerate(table.lines)}
    names = names_in_file(line.label for line in table.lines)
    points, cards = [Fraction(0)] * len(table.lines), [0] * len(table.lines)
    faults: list[Fault] = []
    for number, entry in enumerate(moved):
        for field, name, sign in (("from", entry.source, -1), ("to", entry.target, 1)):
            place = places.get(name_key(name))
            if place is None:
                loc = f"adjustments.{number}.{field}"
                near = names.near(name)
                offered = f"，相近的有：{near_text(near)}" if near else ""
                faults.append(Fault(loc, f"表中没有“{name}”{offered}", "hospital_unknown"))
                continue
            points[place] += sign * Fraction(entry.share_points or 0)
            cards[place] += sign * (entry.cards or 0)
    if faults:
        raise InvalidRequest(faults=tuple(faults))
    return [Adjusted(point, card) for point, card in zip(points, cards, strict=True)]


def _read_sums(totals: bytes) -> list[PrintedSum]:
    sums: list[PrintedSum] = []
    faults: list[Fault] = []
    for row, alliance, printed in read_totals(read_rows(totals)):
        if printed is None:
            faults.append(Fault("totals", f"第 {row.number} 行的合计不是整数", "not_a_number"))
        else:
            sums.append(PrintedSum(None if is_grand(alliance) else alliance, printed))
    if faults:
        raise InvalidRequest(faults=tuple(faults))
    return sums


def _report(findings: Sequence[Finding], counts: dict[str, int]) -> TableCheck:
    return TableCheck(
        ok=not findings,
        findings=[FindingView.model_validate(asdict(finding)) for finding in findings],
        checked=counts,
    )

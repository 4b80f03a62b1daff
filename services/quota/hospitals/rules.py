"""Bounds of a hospital's fields, and the list of hospitals on paper. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Literal, Protocol

from services.quota.hospitalnames.rules import Named
from shared.documents.papers import Cell, Facts, Grid, Paper

VISITS_MAX = 1_000_000_000_000
NAME_LENGTH_MAX = 200

State = Literal["planned", "open", "closed", "merged"]

DEMO_MARK = "演示数据 DEMONSTRATION"
STATES: Mapping[str, str] = {"planned": "未启用", "open": "在册", "closed": "已关闭", "merged": "已并入"}


class Standing(Protocol):
    """A hospital as it stands on a day."""

    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def alliance(self) -> str: ...
    @property
    def visits(self) -> int: ...
    @property
    def scene(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def opened_on(self) -> date | None: ...
    @property
    def ended_on(self) -> date | None: ...
    @property
    def successor_id(self) -> str | None: ...


def hospitals_paper(
    title: str,
    day: date,
    listed: Sequence[Standing],
    names: Sequence[Named],
    by_id: Mapping[str, str],
    *,
    demo: bool,
) -> Paper:
    """The list as of a day, each hospital with its other names; `by_id` names the successors."""
    others: dict[str, list[str]] = {}
    for name in names:
        if name.kind != "current" and name.withdrawn_at is None:
            others.setdefault(name.hospital_id, []).append(name.name)
    rows: list[list[Cell]] = [
        [
            place,
            entry.name,
            entry.alliance or "独立单位",
            entry.visits,
            STATES[entry.state],
            entry.opened_on.isoformat() if entry.opened_on else "",
            entry.ended_on.isoformat() if entry.ended_on else "",
            by_id.get(entry.successor_id or "", ""),
            "、".join(others.get(entry.id, [])),
            entry.scene,
            entry.id,
        ]
        for place, entry in enumerate(listed, start=1)
    ]
    grid = Grid(
        header=[
            "序号", "医院", "医共体", "诊疗人次", "状态", "启用日", "关闭或并入日", "去向",
            "曾用名和别名", "场景值", "编号",
        ],
        rows=rows,
        widths=[6, 36, 20, 14, 10, 12, 14, 30, 40, 16, 20],
    )  # fmt: skip
    facts = Facts([("截至", day.isoformat()), ("医院数", str(len(listed)))])
    return Paper("医院名单", f"{title}　医院名单", (facts, grid), DEMO_MARK if demo else None)

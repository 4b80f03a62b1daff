"""Bounds of a hospital's fields, and the list of hospitals on paper. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, Protocol, TypeVar

from services.quota.hospitalnames.rules import Named, name_key
from shared.documents.papers import DEMO_MARK, Cell, Facts, Grid, Paper

VISITS_MAX = 1_000_000_000_000
NAME_LENGTH_MAX = 200

State = Literal["planned", "open", "closed", "merged"]

T = TypeVar("T")

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


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked of figures by hospital: all of them, unless narrowed or read in pages."""

    alliance: str | None = None
    search: str | None = None
    limit: int | None = None
    after: int = 0


WHOLE = Part()


@dataclass(frozen=True, slots=True)
class Shown:
    """Places of the entries shown, how many fit in all, and where the next page begins (None: nowhere)."""

    places: Sequence[int]
    total: int
    following: int | None


def part_of(entries: Sequence[T], part: Part, *, named: Callable[[T], tuple[str, str]]) -> Shown:
    """`named` tells the hospital's name and its alliance. Any spelling of a part of the name finds it."""
    search = name_key(part.search) if part.search else ""
    fitting = [
        place
        for place, (name, alliance) in enumerate(map(named, entries))
        if part.alliance in {None, alliance} and (not search or search in name_key(name))
    ]
    end = len(fitting) if part.limit is None else part.after + part.limit
    return Shown(fitting[part.after : end], len(fitting), end if end < len(fitting) else None)


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

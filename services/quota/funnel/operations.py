"""The funnel: how many scanned, landed, applied, got a card and used it, by hospital, code or day."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

from services.quota.funnel import store
from services.quota.funnel.rules import By, Count, Line, Steps, funnel
from services.quota.funnel.schemas import Funnel, FunnelItem, FunnelSteps
from services.quota.hospitals.store import hospitals
from services.quota.programmes.operations import own_hospital, require_programme
from shared.clock import rfc3339
from shared.documents.papers import DEMO_MARK, Cell, Grid, Paper
from shared.documents.workbooks import workbook
from shared.errors import Forbidden
from shared.identity.staff import Staff
from shared.kit import Kit

_HEADER = ("扫码", "重复扫码", "机器扫码", "访问", "申请", "发卡", "使用", "有效发卡")
_WIDTH = 12


@dataclass(frozen=True, slots=True)
class Asked:
    """`hospital_id` None: all hospitals; days are of the programme's time zone, both included."""

    by: By = "hospital"
    first: date | None = None
    last: date | None = None
    hospital_id: str | None = None


@dataclass(frozen=True, slots=True)
class FunnelView:
    kit: Kit

    async def view(self, staff: Staff, slug: str, asked: Asked) -> Funnel:
        """A hospital sees its own codes. Raises NotFound, Forbidden."""
        found, names = await self._counts(staff, slug, asked)
        lines = funnel(found, asked.by)
        return Funnel(
            as_of=rfc3339(self.kit.clock.now()),
            programme=slug,
            total=_steps(_total(found)),
            items=[_item(line, steps, names) for line, steps in sorted(lines.items())],
        )

    async def book(self, staff: Staff, slug: str, asked: Asked) -> bytes:
        """The same as a workbook, a sheet each by hospital, code and day. Raises NotFound, Forbidden."""
        found, names = await self._counts(staff, slug, asked)
        mark = DEMO_MARK if self.kit.settings.demo else None
        papers = [
            Paper("按医院", "推广转化（按医院）", [_grid(found, names, "hospital")], mark),
            Paper("按二维码", "推广转化（按二维码）", [_grid(found, names, "code")], mark),
            Paper("按日", "推广转化（按日）", [_grid(found, names, "day")], mark),
        ]
        return await asyncio.to_thread(workbook, papers)

    async def _counts(self, staff: Staff, slug: str, asked: Asked) -> tuple[list[Count], dict[str, str]]:
        only = own_hospital(staff)
        if only is not None and asked.hospital_id not in {None, only}:
            raise Forbidden
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            names = {entry.id: entry.name for entry in await hospitals(tx, programme.id)}
            if only is not None and only not in names:
                raise Forbidden
            found = await store.counts(
                tx,
                programme.id,
                first=asked.first or date.min,
                last=asked.last or date.max,
                hospital_id=only or asked.hospital_id,
            )
        return found, names


def _total(found: list[Count]) -> Steps:
    total = Steps()
    for steps in funnel(found, "hospital").values():
        for name, n in asdict(steps).items():
            setattr(total, name, getattr(total, name) + n)
    return total


def _steps(steps: Steps) -> FunnelSteps:
    return FunnelSteps(**{**asdict(steps), "effective": steps.effective})


def _item(line: Line, steps: Steps, names: Mapping[str, str]) -> FunnelItem:
    return FunnelItem(
        **_steps(steps).model_dump(),
        hospital_id=line.hospital_id,
        hospital=None if line.hospital_id is None else names.get(line.hospital_id, ""),
        scene=line.code,
        date=None if line.day is None else line.day.isoformat(),
    )


def _grid(found: list[Count], names: Mapping[str, str], by: By) -> Grid:
    heads = {"hospital": ("医疗机构",), "code": ("医疗机构", "二维码"), "day": ("日期",)}[by]
    rows: list[tuple[Cell, ...]] = []
    for line, steps in sorted(funnel(found, by).items()):
        name = names.get(line.hospital_id or "", "（未归属）")
        head = {"hospital": (name,), "code": (name, line.code or "—"), "day": (str(line.day),)}[by]
        rows.append((*head, *_cells(steps)))
    widths = [*(3 * _WIDTH for _ in heads), *(_WIDTH for _ in _HEADER)]
    blank = ("" for _ in heads[1:])
    return Grid((*heads, *_HEADER), rows, widths, total=("合计", *blank, *_cells(_total(found))))


def _cells(steps: Steps) -> tuple[int, ...]:
    return (
        steps.scans,
        steps.scan_repeats,
        steps.scan_bots,
        steps.landed,
        steps.applied,
        steps.issued,
        steps.used,
        steps.effective,
    )

"""Quotas as workbooks: a version, and two versions beside each other. Pure."""

from collections.abc import Sequence

from services.quota.allocation.rules import VISITS
from services.quota.allocation.schemas import AllocationVersion, AllocationView
from services.quota.versions.schemas import AllocationComparison, ComparedAlliance, ComparedHospital, Why
from shared.documents.papers import DEMO_MARK, Block, Cell, Facts, Grid, Lines, Paper

_METHODS = {
    "largest_remainder": "最大余数法（先医共体、后医院，合计等于总数）",
    "round_each": "四舍五入法（逐家）",
}
_WHY = ("总数", "分配依据", "调整", "上下限", "取整")


def version_paper(view: AllocationView, *, title: str, demo: bool) -> Paper:
    """One version: its rule, every hospital, the alliances' sums, and what was decided by hand."""
    basis = _basis(view.basis)
    facts = [
        ("版本", "预览" if view.version is None else str(view.version)),
        ("总数", str(view.total)),
        ("合计与差额", f"{view.sum}（差额 {view.difference:+d}）"),
        ("方法", _METHODS[view.method]),
        ("分配依据", basis),
        ("生效月份", view.effective_month or "未冻结的各月"),
        ("说明", view.reason),
        ("批准时间", view.applied_at or "—"),
    ]
    grid = Grid(
        header=("医共体", "医院", basis, "占比", "调整百分点", "调整张数", "上下限影响", "精确数", "任务数"),
        rows=[
            (
                item.alliance,
                item.hospital,
                _number(item.basis_value),
                item.share,
                item.adjustment_points,
                item.adjustment_cards,
                item.bound_cards,
                item.exact,
                item.quota,
            )
            for item in view.items
        ],
        widths=(18, 32, 14, 16, 12, 12, 14, 16, 12),
        total=("合计", "", "", "", "", "", "", "", view.sum),
    )
    sums = Grid(
        header=("医共体", "任务数"),
        rows=[(entry.alliance, entry.quota) for entry in view.alliances],
        widths=(18, 32),
        caption="各医共体合计",
    )
    blocks: list[Block] = [Facts(facts), grid, sums, *_decided(view)]
    return Paper("任务分配", f"{title}　任务分配", blocks, DEMO_MARK if demo else None)


def _decided(view: AllocationView) -> list[Block]:
    moves = [
        f"{entry.source} → {entry.target}："
        f"{f'{entry.cards} 张' if entry.cards else f'{entry.share_points} 个百分点'}（{entry.reason}）"
        for entry in view.adjustments
    ]
    bounds = [
        f"{entry.hospital}：{_between(entry.minimum, entry.maximum)}（{entry.reason}）"
        for entry in view.bounds
    ]
    named = (("调整：", moves), ("上下限：", bounds))
    return [Lines([caption, *texts]) for caption, texts in named if texts]


def _between(minimum: int | None, maximum: int | None) -> str:
    least = "" if minimum is None else f"不少于 {minimum} 张"
    most = "" if maximum is None else f"不多于 {maximum} 张"
    return "、".join(text for text in (least, most) if text)


def comparison_paper(compared: AllocationComparison, *, title: str, demo: bool) -> Paper:
    """Two versions: before, after, difference, and what each difference comes from."""
    before, after = compared.earlier, compared.later
    heads = (f"第 {before.version} 版", f"第 {after.version} 版", "差额", *_WHY)
    hospitals = Grid(
        header=("医共体", "医院", *heads, "依据的说明"),
        rows=[
            (item.alliance, item.hospital, *_figures(item), "；".join(item.reasons))
            for item in compared.items
        ],
        widths=(18, 32, 12, 12, 10, 16, 16, 16, 16, 16, 40),
        total=("合计", "", before.sum, after.sum, after.sum - before.sum, "", "", "", "", "", ""),
    )
    alliances = Grid(
        header=("医共体", "", *heads),
        rows=[(item.alliance, "", *_figures(item)) for item in compared.alliances],
        widths=(18, 32, 12, 12, 10, 16, 16, 16, 16, 16),
        caption="各医共体",
    )
    facts = Facts([_told(before), _told(after), ("单位", "张；各原因之和等于差额")])
    blocks: Sequence[Block] = [facts, hospitals, alliances]
    return Paper("版本对比", f"{title}　任务分配版本对比", blocks, DEMO_MARK if demo else None)


def _told(version: AllocationVersion) -> tuple[str, str]:
    parts = [
        f"总数 {version.total}",
        f"合计 {version.sum}",
        f"依据 {_basis(version.basis)}",
        f"生效 {version.effective_month or '未冻结的各月'}",
        version.reason,
    ]
    return f"第 {version.version} 版", "；".join(parts)


def _figures(item: ComparedHospital | ComparedAlliance) -> tuple[Cell, ...]:
    return (_or_dash(item.before), _or_dash(item.after), item.difference, *_causes(item.why))


def _causes(why: Why) -> tuple[str, ...]:
    return (why.total, why.basis, why.adjustment, why.bounds, why.rounding)


def _or_dash(quota: int | None) -> Cell:
    return "—" if quota is None else quota


def _basis(name: str) -> str:
    return "诊疗人次" if name == VISITS else name


def _number(text: str) -> Cell:
    """A whole figure as a number, so that a sheet can add it up."""
    return int(text) if text.isdecimal() else text

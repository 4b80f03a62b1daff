"""A case as a paper to be handed on, and the list of cases: without any person. Pure.

Moments come in the time of those who read them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.redemption.risk.rules import Decision, Shown
from shared.documents.papers import DEMO_MARK, Cell, Facts, Fen, Grid, Lines, Paper
from shared.riskwords import REASONS

# A workbook that somebody still reads; a case of more says so.
EVIDENCE_MAX = 20_000
CASES_MAX = 5_000

KINDS: Mapping[str, str] = {
    "offline_conflict": "离线核销冲突",
    "capacity": "超服务能力",
    "burst": "领后即用",
    "hours": "非营业时间",
    "amounts": "金额雷同",
    "closed_group": "固定人群",
    "shared_device": "同一设备领取",
    "shared_address": "同一网络地址领取",
    "manual": "人工核销偏多",
    "reversals": "频繁冲正",
    "jump": "突增",
    "wrong_codes": "错误券码过多",
}
DECISIONS: Mapping[str, str] = {
    "dismiss": "驳回",
    "watch": "关注",
    "hold_settlement": "暂缓结算",
    "pause_terminal": "停用终端",
    "pause_institution": "停用机构",
}
_STATUS: Mapping[str, str] = {"open": "待处理", "decided": "已处理"}
_ACTIONS: Mapping[str, str] = {"decide": "处理", "release": "解除暂缓结算", "reopen": "撤销处理、重新打开"}
_STATES: Mapping[str, str] = {"redeemed": "有效", "reversed": "已冲正"}
_SOURCES: Mapping[str, str] = {"online": "联机", "offline": "离线补传", "manual": "人工"}
_EFFECTS: Mapping[str, str] = {
    "held": "暂缓笔数",
    "released": "解除笔数",
    "terminal_id": "终端",
    "resumed": "已恢复",
    "was_paused": "此前已暂停",
}


ActionKind = Literal["decide", "release", "reopen"]


@dataclass(frozen=True, slots=True)
class Action:
    action: ActionKind
    decision: Decision | None
    note: str | None
    effect: dict[str, Any]
    staff_id: UUID
    at: datetime


@dataclass(frozen=True, slots=True)
class EvidenceRow:
    """A write-off as a case file shows it; the numbers only tell persons, devices and places apart."""

    terminal_id: str
    terminal: str | None
    voucher_type: str
    redeemed_at: datetime
    issued_at: datetime
    bill_fen: int | None
    applied_fen: int
    source: str
    state: str
    settled: bool
    held: bool
    holder: int
    device: int | None
    place: int | None


def case_file(
    case: Shown,
    rows: Sequence[EvidenceRow],
    actions: Sequence[Action],
    names: Mapping[UUID, str],
    *,
    at: datetime,
    demo: bool,
) -> list[Paper]:
    """Three sheets: what it is about, its write-offs, what was done with it and by whom."""
    mark = DEMO_MARK if demo else None
    return [
        Paper(
            "案件",
            f"{case.institution} 风险案件",
            (Facts(_facts(case, at)), _reasons(case), Lines(_NOTES)),
            mark,
        ),
        Paper("核销明细", "核销明细", (_evidence(rows), *_cut(case, rows)), mark),
        Paper("处理记录", "处理记录", (_history(actions, names),), mark),
    ]


def case_list(
    cases: Sequence[Shown], names: Mapping[UUID, str], *, told: Sequence[tuple[str, str]], demo: bool
) -> Paper:
    """A line for each case; `told` says by what the list was narrowed."""
    rows: list[list[Cell]] = [
        [
            str(case.id),
            KINDS[case.kind],
            _STATUS[case.status],
            case.campaign,
            case.institution_id,
            case.institution,
            case.terminal_id or "",
            "" if case.score is None else case.score,
            _decision(case.suggested),
            _days(case),
            case.count,
            _moment(case.opened_at),
            _decision(case.decision),
            _moment(case.decided_at),
            _name(case.decided_by, names),
            case.note or "",
        ]
        for case in cases
    ]
    widths = (36, 18, 8, 18, 20, 28, 20, 8, 10, 24, 10, 18, 10, 18, 14, 40)
    return Paper(
        name="案件清单",
        title="风险案件清单",
        blocks=(Facts(told), Grid(header=_LIST_HEADER, rows=rows, widths=widths)),
        mark=DEMO_MARK if demo else None,
    )


def _facts(case: Shown, at: datetime) -> list[tuple[str, str]]:
    return [
        ("案件编号", str(case.id)),
        ("活动", case.campaign),
        ("服务机构", f"{case.institution}（{case.institution_id}）"),
        ("终端", case.terminal_id or "不限于一台终端"),
        ("线索类型", KINDS[case.kind]),
        ("时间范围", _days(case)),
        ("评分", "—" if case.score is None else f"{case.score}（0 至 100）"),
        ("建议", _decision(case.suggested) or "—"),
        ("核销笔数", str(case.count)),
        ("发现时间", _moment(case.opened_at)),
        ("状态", _STATUS[case.status]),
        ("处理结论", _decision(case.decision) or "—"),
        ("导出时间", _moment(at)),
    ]


def _reason(code: str) -> str:
    return REASONS[code][0] if code in REASONS else str(code)


def _reasons(case: Shown) -> Grid:
    reasons: Sequence[Mapping[str, Any]] = case.evidence.get("reasons", [])
    rows: list[list[Cell]] = [
        [_reason(one["code"]), str(one["value"]), str(one["threshold"])] for one in reasons
    ]
    return Grid(header=("依据", "观察值", "阈值"), rows=rows, widths=(36, 14, 14), caption="依据")


def _evidence(rows: Sequence[EvidenceRow]) -> Grid:
    holders = _places("持券人", [row.holder for row in rows])
    devices = _places("设备", [row.device for row in rows])
    places = _places("网络", [row.place for row in rows])
    return Grid(
        header=_EVIDENCE_HEADER,
        rows=[
            [
                place,
                _moment(row.redeemed_at),
                _moment(row.issued_at),
                row.voucher_type,
                "" if row.bill_fen is None else Fen(row.bill_fen),
                Fen(row.applied_fen),
                row.terminal or "",
                row.terminal_id,
                _SOURCES.get(row.source, row.source),
                _STATES.get(row.state, row.state),
                _yes(row.settled),
                _yes(row.held),
                holders[row.holder],
                devices.get(row.device, ""),
                places.get(row.place, ""),
            ]
            for place, row in enumerate(rows, start=1)
        ],
        widths=(6, 18, 18, 14, 12, 12, 16, 20, 10, 8, 8, 8, 12, 10, 10),
    )


def _cut(case: Shown, rows: Sequence[EvidenceRow]) -> list[Lines]:
    return [Lines([f"本表只列前 {len(rows)} 笔，共 {case.count} 笔。"])] if len(rows) < case.count else []


def _history(actions: Sequence[Action], names: Mapping[UUID, str]) -> Grid:
    rows: list[list[Cell]] = [
        [
            _moment(action.at),
            _name(action.staff_id, names),
            _ACTIONS[action.action],
            _decision(action.decision),
            action.note or "",
            _effect(action.effect),
        ]
        for action in actions
    ]
    return Grid(
        header=("时间", "处理人", "动作", "结论", "说明", "效果"), rows=rows, widths=(18, 16, 20, 12, 50, 30)
    )


def _places(word: str, numbers: Sequence[int | None]) -> dict[int | None, str]:
    """Each number by the place of its first row: the same person is the same, and nobody is told."""
    found = dict.fromkeys(number for number in numbers if number is not None)
    return {number: f"{word}{place}" for place, number in enumerate(found, start=1)}


def _effect(effect: Mapping[str, Any]) -> str:
    told = [(word, effect.get(key)) for key, word in _EFFECTS.items()]
    return "；".join(f"{word} {_said(value)}" for word, value in told if value not in (None, 0, False))


def _said(value: Any) -> str:  # noqa: ANN401 - a number, a word or true
    return "是" if value is True else str(value)


def _decision(decision: str | None) -> str:
    return "" if decision is None else DECISIONS[decision]


def _days(case: Shown) -> str:
    return "—" if case.first is None or case.last is None else f"{case.first} 至 {case.last}"


def _moment(at: datetime | None) -> str:
    return "" if at is None else at.strftime("%Y-%m-%d %H:%M:%S")


def _yes(fact: bool) -> str:  # noqa: FBT001 - it is what is told
    return "是" if fact else "否"


def _name(staff_id: UUID | None, names: Mapping[UUID, str]) -> str:
    return "" if staff_id is None else names.get(staff_id, str(staff_id))


_NOTES = (
    "本文件不含个人信息：持券人、设备和网络地址只以本案件内的序号区分，与其他案件无关。",
    "线索由系统按汇总数据计算，是否违规须经人工核查；任何处理均由工作人员作出并留有记录。",
)
_EVIDENCE_HEADER = (
    "序号", "核销时间", "领取时间", "券种", "账单（元）", "核销（元）", "终端", "终端编号", "方式", "状态",
    "已结算", "暂缓中", "持券人", "领取设备", "领取网络",
)  # fmt: skip
_LIST_HEADER = (
    "案件编号", "线索类型", "状态", "活动", "机构编号", "服务机构", "终端编号", "评分", "建议", "时间范围",
    "核销笔数", "发现时间", "结论", "处理时间", "处理人", "说明",
)  # fmt: skip

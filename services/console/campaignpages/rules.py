"""What campaigns' pages show, put together from the answers of the calls. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from services.console.changenames.rules import Names
from services.console.changepages.rules import side_by_side

# Of a phase: tone of its badge, Chinese, English.
PHASE_STATES = {
    "upcoming": ("", "未开始", "not begun"),
    "open": ("good", "进行中", "open"),
    "paused": ("paused", "已暂停", "paused"),
    "closed": ("ended", "已结束", "over"),
}
SUBJECTS = (
    ("", "全部", "All"),
    ("budget_and_shares", "预算与出资", "Budget and shares"),
    ("phase", "期次", "Phase"),
    ("odds", "中奖率", "Odds"),
    ("quiz_rule", "答题规则", "Quiz rule"),
    ("stock", "库存", "Stock"),
    ("stock_return", "库存退回", "Stock that came back"),
    ("limits", "个人限额", "Limits per person"),
    ("channel", "参与方式", "Way to take part"),
    ("settlement_hold", "结算观察期", "Days before settlement"),
)
SUBJECT_NAMES = {value: (zh, en) for value, zh, en in SUBJECTS}
VERSION_HEADER = ("生效时间", "项目", "期次", "对象", "内容", "提交人", "审批人", "审批时间", "理由")
VERSION_WIDTHS = (18, 16, 8, 20, 60, 14, 14, 18, 40)
CAMPAIGN_HEADER = ("标识", "名称", "状态", "期次", "期次状态", "开始", "结束", "中奖率", "剩余库存")
CAMPAIGN_WIDTHS = (20, 36, 10, 8, 12, 18, 18, 12, 14)

_QUIZ_NUMBERS = ("questions", "pass_score", "attempts_per_day", "time_limit_seconds")
_QUIZ_MORE = ("min_seconds", "repeat_after_attempts")
_QUIZ_KEPT = ("blueprint", "attempt_token")
_OFFSET = ":00+08:00"
_FEN_DIGITS = 2

# What a form asks for: of one phase, or of the whole campaign.
PHASE_ACTS = ("odds", "stock", "quiz-rule", "carry-over")
LIMITS = (
    ("vouchers_per_phase", "每期领券（张）", "Vouchers a phase"),
    ("draws_per_day", "每日抽奖（次）", "Draws a day"),
    ("draws_per_phase", "每期抽奖（次）", "Draws a phase"),
    ("vouchers_per_type", "每种领券（张）", "Vouchers of a type"),
)
LIMITS_NEEDED = frozenset({"vouchers_per_phase", "draws_per_day"})


def in_force(versions: Sequence[Mapping[str, Any]], subject: str, phase: int | None = None) -> dict[str, Any]:
    """The last version of a thing; the calls give them in their order."""
    found = [item["value"] for item in versions if item["subject"] == subject and item["phase"] == phase]
    return dict(found[-1]) if found else {}


def put_in(versions: Sequence[Mapping[str, Any]]) -> dict[int, dict[str, int]]:
    """What was put into each phase of each type, from its moves; what came back counts as left again."""
    totals: dict[int, dict[str, int]] = {}
    for item in versions:
        if item["subject"] == "stock":
            of_phase = totals.setdefault(item["phase"], {})
            of_phase[item["key"]] = of_phase.get(item["key"], 0) + item["value"]["delta"]
    return totals


def version_text(item: Mapping[str, Any], names: Names) -> tuple[str, str]:
    """The whole value in a line, in both languages."""
    lines = side_by_side({}, item["value"], names)
    return (
        "；".join(f"{line.label[0]} {line.after[0]}" for line in lines),
        "; ".join(f"{line.label[1]} {line.after[1]}" for line in lines),
    )


def version_of(item: Mapping[str, Any], names: Names) -> str:
    """What a version is of, where its subject has several: a channel or a voucher type, by its name."""
    group = "channel" if item["subject"] == "channel" else "voucher_type"
    key = item["key"] or ""
    return names.get(group, {}).get(key, key)


def version_row(item: Mapping[str, Any], names: Names) -> list[str]:
    decision = item["decision"] or {}
    return [
        _moment(item["effective_from"]),
        SUBJECT_NAMES[item["subject"]][0],
        str(item["phase"] or ""),
        version_of(item, names),
        version_text(item, names)[0],
        decision.get("proposed_by") or "",
        decision.get("approved_by") or "",
        _moment(decision.get("approved_at") or ""),
        item["reason"] or "",
    ]


STATUS_NAMES = {"published": "进行中", "paused": "已暂停", "ended": "已结束"}
STATUS_CHOICES = (
    ("", "全部", "All"),
    *zip(STATUS_NAMES, STATUS_NAMES.values(), ("Open", "Paused", "Ended"), strict=True),
)


def holding(entries: Iterable[Mapping[str, Any]], typed: str, *fields: str) -> list[Mapping[str, Any]]:
    """Those of a short list that have in one of these fields what was typed, in whatever case."""
    wanted = typed.strip().casefold()
    return [one for one in entries if any(wanted in str(one[field]).casefold() for field in fields)]


def campaign_rows(campaign: Mapping[str, Any], status: str) -> list[list[str | int]]:
    return [
        [
            campaign["slug"],
            campaign["title"],
            status,
            phase["seq"],
            PHASE_STATES[phase["state"]][1],
            _moment(phase["opens_at"]),
            _moment(phase["closes_at"]),
            phase["odds"],
            sum(phase["stock_remaining"].values()),
        ]
        for phase in campaign["phases"]
    ]


def number_of(typed: str) -> int | str | None:
    """What the call takes; what is no number is sent as it is, for the call to say so."""
    text = typed.strip().replace(",", "")
    if not text:
        return None
    digits = text.removeprefix("-").removeprefix("+")
    return int(text) if digits.isascii() and digits.isdecimal() else text


def fen_of(yuan: str) -> int | str:
    """`1,000.5` (yuan) in fen; what is no such amount is sent as it is, for the call to say so."""
    text = yuan.strip().replace(",", "").replace("，", "").removesuffix("元").strip()
    try:
        fen = Decimal(text).scaleb(_FEN_DIGITS)
        return int(fen) if fen == fen.to_integral_value() else text
    except (InvalidOperation, OverflowError):
        return text


def rate_of(percent: str) -> str:
    """`12.5` (per cent) as `0.125`."""
    text = percent.strip().removesuffix("%").removesuffix("％")
    try:
        return f"{(Decimal(text) / 100).normalize():f}"
    except InvalidOperation:
        return text


def percent_of(rate: str) -> str:
    text = f"{Decimal(rate) * 100:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def sum_of(shares: Iterable[str]) -> str:
    """Of percentages as they stand in the form; what is no number counts nothing."""
    total = Decimal(0)
    for share in shares:
        try:
            total += Decimal(share.strip().removesuffix("%") or "0")
        except InvalidOperation:
            continue
    text = f"{total:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def call_of(
    act: str,
    seq: int,
    form: Mapping[str, str],
    campaign: Mapping[str, Any],
    versions: Sequence[Mapping[str, Any]],
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Where a form is sent, below the campaign, and as what besides its reason."""
    phase = ("phases", str(seq))
    if act == "odds":
        return (*phase, "odds"), {"odds": rate_of(form.get("odds", ""))}
    if act == "stock":
        stock = {"voucher_type": form.get("voucher_type", ""), "delta": number_of(form.get("delta", ""))}
        return (*phase, "stock"), stock
    if act == "carry-over":
        carried = {"to": number_of(form.get("to", "")), "expired": form.get("expired") == "on"}
        return (*phase, "carry-over"), carried
    if act == "quiz-rule":
        return (*phase, "quiz-rule"), quiz_of(form, in_force(versions, "quiz_rule", seq))
    if act == "phase":
        last = max(one["seq"] for one in campaign["phases"])
        types = [one["key"] for one in campaign["voucher_types"]]
        return ("phases",), phase_of(form, last + 1, types, in_force(versions, "quiz_rule", last))
    return _terms_of(act, form, versions)


def _terms_of(
    act: str, form: Mapping[str, str], versions: Sequence[Mapping[str, Any]]
) -> tuple[tuple[str, ...], dict[str, Any]]:
    """What holds for the whole campaign; each is the whole new rule."""
    if act == "budget":
        return ("budget",), {"budget_fen": fen_of(form.get("budget", ""))}
    if act == "funding-shares":
        payers = in_force(versions, "budget_and_shares").get("funding_sources", [])
        shares = [
            {"key": one["key"], "share": rate_of(form.get(f"share_{one['key']}", "") or "0")}
            for one in payers
        ]
        return ("funding-shares",), {"funding_sources": shares}
    if act == "limits":
        return ("limits",), {name: number_of(form.get(name, "")) for name, _, _ in LIMITS}
    if act == "channel":
        rule = {name: number_of(form.get(name, "")) for name in ("chances", "per_day")}
        return ("channels", form.get("channel", "")), {**rule, "review": form.get("review") == "on"}
    if act == "settlement-hold":
        return ("settlement-hold",), {"settlement_hold_days": number_of(form.get("settlement_hold_days", ""))}
    return (act,), {}


def quiz_of(form: Mapping[str, str], current: Mapping[str, Any]) -> dict[str, Any]:
    """The whole rule: what the form has no place for stays as it is."""
    typed = {name: number_of(form.get(name, "")) for name in (*_QUIZ_NUMBERS, *_QUIZ_MORE)}
    return {
        **{name: current[name] for name in _QUIZ_KEPT if current.get(name)},
        **{name: value for name, value in typed.items() if value is not None or name in _QUIZ_NUMBERS},
    }


def phase_of(
    form: Mapping[str, str], seq: int, types: Sequence[str], quiz: Mapping[str, Any]
) -> dict[str, Any]:
    """A further phase with the quiz rule of the last one."""
    kept = (*_QUIZ_NUMBERS, *_QUIZ_MORE, *_QUIZ_KEPT)
    return {
        "seq": seq,
        "opens_at": _sent_moment(form.get("opens_at", "")),
        "closes_at": _sent_moment(form.get("closes_at", "")),
        "odds": rate_of(form.get("odds", "")),
        "quiz": {name: quiz[name] for name in kept if quiz.get(name) is not None},
        "stock": {key: number_of(form.get(f"stock_{key}", "")) or 0 for key in types},
        **_release_of(form, types),
    }


def _release_of(form: Mapping[str, str], types: Sequence[str]) -> dict[str, Any]:
    """Nothing where all of it can be claimed at once."""
    amounts = {key: number_of(form.get(f"release_{key}", "")) for key in types}
    given = {key: amount for key, amount in amounts.items() if amount is not None}
    return {"release_plan": {"every": form["every"], "amounts": given}} if form.get("every") else {}


def _sent_moment(typed: str) -> str:
    """What the browser's field says, in China's time."""
    return f"{typed}{_OFFSET}" if typed else ""


def _moment(written: str) -> str:
    return written[:16].replace("T", " ")

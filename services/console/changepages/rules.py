"""How a proposed change is put side by side with what it replaces. Pure; what it does is the service's."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from shared.money import yuan

# What fits beside each other before it is folded away.
SHOWN_AT_ONCE = 14
_ABSENT = "–"
_YES_NO = (("否", "no"), ("是", "yes"))
_MOMENT_LENGTH = len("2020-11-01T11:00:00+08:00")

Words = tuple[str, str]

# Of the page's filter: (value, Chinese, English).
SERVICES = (
    ("all", "全部", "All"),
    ("issuance", "消费券发放", "Issuance"),
    ("redemption", "核销结算", "Redemption"),
    ("quota", "发卡任务", "Card programmes"),
)
STATES = (
    ("pending", "待审批", "Waiting"),
    ("applied", "已生效", "In force"),
    ("rejected", "已驳回", "Rejected"),
)
EXPORT_HEADER = (
    "提交时间",
    "提交人",
    "服务",
    "变更",
    "对象",
    "项目",
    "变更前",
    "变更后",
    "理由",
    "状态",
    "审批人",
    "审批时间",
    "审批意见",
)
EXPORT_WIDTHS = (18, 14, 12, 18, 20, 24, 24, 24, 40, 10, 14, 18, 30)
# What a change is called. A kind that is not here is shown as the service calls it.
KINDS: Mapping[str, Words] = {
    "campaign": ("发布活动", "Publish a campaign"),
    "odds": ("调整中奖率", "Odds"),
    "quiz_rule": ("调整答题规则", "Quiz rule"),
    "stock": ("调整库存", "Stock"),
    "phase": ("增加一期", "A further phase"),
    "carry_over": ("结转库存", "Carry-over"),
    "budget": ("调整预算", "Budget"),
    "funding_shares": ("调整出资比例", "Funding shares"),
    "limits": ("调整个人限额", "Limits per person"),
    "channel": ("调整参与方式", "Way to take part"),
    "settlement_hold": ("调整结算留存天数", "Days before settlement"),
    "voucher_revoke": ("作废消费券", "Revoke a voucher"),
    "institution.admit": ("准入服务机构", "Admit institutions"),
    "institution.contract_price": ("调整结算单价", "Contract price"),
    "institution.payee_account": ("设定收款账户", "Payee account"),
    "redemption.correct": ("更正核销", "Correct a write-off"),
    "redemption.reverse": ("撤销核销", "Reverse a write-off"),
    "settlement.pay": ("支付结算款", "Pay a settlement"),
    "settlement.uphold_dispute": ("支持结算异议", "Uphold a dispute"),
    "ranking.freeze": ("冻结机构排名", "Freeze a ranking"),
    "allocation": ("分配任务数", "Allocate quotas"),
    "card_assignment": ("认定发卡归属", "Assign a card"),
    "ranking_freeze": ("冻结月度排名", "Freeze a month"),
    "hospital_change": ("医院变更", "Change of a hospital"),
    "hospital_change_withdrawal": ("撤回医院变更", "Withdraw a hospital's change"),
}
# What the values of changes are called; a key that is not here is a name already.
FIELDS: Mapping[str, Words] = {
    "accepts": ("受理券种", "accepts"),
    "account_masked": ("账号", "account"),
    "adjustments": ("调整", "adjustments"),
    "alliance": ("医共体", "alliance"),
    "alliances": ("医共体合计", "alliances"),
    "allocation_version": ("分配版本", "allocation version"),
    "amount_fen": ("金额", "amount"),
    "assumed": ("标注假定", "assumed"),
    "attempt_token": ("答题令牌", "attempt token"),
    "attempts_per_day": ("每日答题次数", "attempts a day"),
    "award_valid_days": ("领取期限（天）", "days to claim"),
    "basis": ("分配依据", "basis"),
    "blueprint": ("组卷方案", "blueprint"),
    "budget_fen": ("预算", "budget"),
    "by_funding_source": ("出资方", "payers"),
    "campaign": ("活动", "campaign"),
    "cards": ("张数", "cards"),
    "chances": ("机会数", "chances"),
    "channel": ("参与方式", "way to take part"),
    "channels": ("参与方式", "ways to take part"),
    "closes_at": ("结束时间", "closes"),
    "covers": ("适用范围", "covers"),
    "day": ("日期", "day"),
    "delta": ("增减", "change"),
    "draws_per_day": ("每日抽奖次数", "draws a day"),
    "draws_per_phase": ("每期抽奖次数", "draws a phase"),
    "edition": ("版次", "edition"),
    "effective_month": ("生效月份", "effective month"),
    "expired": ("过期券", "expired vouchers"),
    "face_value_fen": ("面值", "face value"),
    "from": ("自", "from"),
    "funding_sources": ("出资方", "payers"),
    "hospital": ("医院", "hospital"),
    "in_force": ("生效中", "in force"),
    "institution": ("机构", "institution"),
    "institutions": ("机构", "institutions"),
    "kind": ("类别", "kind"),
    "method": ("分配方法", "method"),
    "min_seconds": ("最短用时（秒）", "least seconds"),
    "month": ("月份", "month"),
    "name": ("名称", "name"),
    "odds": ("中奖率", "odds"),
    "opens_at": ("开始时间", "opens"),
    "pass_score": ("及格分", "pass score"),
    "per_day": ("每日上限", "a day"),
    "per_person_limits": ("个人限额", "limits per person"),
    "phase": ("期次", "phase"),
    "phases": ("期次", "phases"),
    "price_fen": ("结算单价", "price"),
    "put_in": ("已投放", "put in"),
    "questions": ("题数", "questions"),
    "quiz": ("答题", "quiz"),
    "quotas": ("任务数", "quotas"),
    "release_plan": ("放量计划", "release plan"),
    "remaining": ("剩余", "left"),
    "repeat_after_attempts": ("重复间隔（次）", "attempts before a repeat"),
    "review": ("人工审核", "reviewed"),
    "seq": ("期次", "phase"),
    "settlement_hold_days": ("结算留存天数", "days before settlement"),
    "settlement_price_fen": ("结算价", "settlement price"),
    "share": ("比例", "share"),
    "shares": ("出资比例", "shares"),
    "slogan": ("口号", "slogan"),
    "slug": ("标识", "slug"),
    "status": ("状态", "status"),
    "stock": ("库存", "stock"),
    "sum": ("合计", "sum"),
    "time_limit_seconds": ("时限（秒）", "time limit (s)"),
    "timezone": ("时区", "time zone"),
    "title": ("名称", "title"),
    "to": ("至", "to"),
    "total": ("总数", "total"),
    "total_cap": ("总量上限", "cap"),
    "unspent": ("未用库存", "unspent"),
    "validity_days": ("有效期（天）", "days of validity"),
    "version": ("版本", "version"),
    "voucher_type": ("券种", "type"),
    "voucher_types": ("券种", "types"),
    "vouchers_per_phase": ("每期领券张数", "vouchers a phase"),
    "vouchers_per_type": ("每种领券张数", "vouchers of a type"),
}
# The reason stands above the values; the fingerprint is the service's own.
HIDDEN = frozenset({"reason", "fingerprint"})
RATES = frozenset({"odds", "share", "shares"})


@dataclass(frozen=True, slots=True)
class Line:
    """A value before and after, in Chinese and English; empty where the change says nothing of it."""

    label: Words
    before: Words
    after: Words

    @property
    def differs(self) -> bool:
        return self.before != self.after


def side_by_side(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Line]:
    """What changes first, then what is new, then what else the proposer saw."""
    old, new = dict(_flat(before)), dict(_flat(after))
    both = [path for path in new if path in old]
    both.sort(key=lambda path: old[path] == new[path])
    paths = [*both, *(path for path in new if path not in old), *(path for path in old if path not in new)]
    return [
        Line(
            _label(path),
            _said(path, old[path]) if path in old else ("", ""),
            _said(path, new[path]) if path in new else ("", ""),
        )
        for path in paths
    ]


def _flat(value: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every single value with the keys that lead to it; plain lists stay whole."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if key not in HIDDEN:
                yield from _flat(entry, (*path, str(key)))
    elif isinstance(value, list) and any(isinstance(entry, Mapping) for entry in value):
        for place, entry in enumerate(value, start=1):
            yield from _flat(entry, (*path, _name(entry, place)))
    else:
        yield path, value


def _name(entry: object, place: int) -> str:
    """What an entry of a list is called: by its key or number, else by its place."""
    if isinstance(entry, Mapping):
        for key in ("key", "seq", "hospital", "institution"):
            if key in entry:
                return str(entry[key])
    return str(place)


def _label(path: Sequence[str]) -> Words:
    words = [FIELDS.get(key, (key, key)) for key in path]
    return " · ".join(zh for zh, _ in words), " · ".join(en for _, en in words)


def _said(path: Sequence[str], value: object) -> Words:
    """A value for people: money in yuan, rates in per cent, lists as words."""
    if isinstance(value, bool):
        return _YES_NO[value]
    if isinstance(value, list):
        parts = [_said(path, entry) for entry in value]
        return "、".join(zh for zh, _ in parts) or _ABSENT, ", ".join(en for _, en in parts) or _ABSENT
    text = _text(path, value)
    if isinstance(value, int) and any(key.endswith("_fen") for key in path):
        return f"{text} 元", f"¥{text}"
    return text, text


def _text(path: Sequence[str], value: object) -> str:
    if value is None or value == {}:
        return _ABSENT
    if isinstance(value, int):
        return _number(path, value)
    if isinstance(value, str) and len(value) == _MOMENT_LENGTH and value[10] == "T":
        return _moment(value)
    if any(key in RATES for key in path):
        return percent_text(str(value))
    return str(value)


def _number(path: Sequence[str], value: int) -> str:
    if any(key.endswith("_fen") for key in path):
        return yuan(value)
    return f"{value:+,}" if path[-1:] == ("delta",) else f"{value:,}"


def percent_text(rate: str) -> str:
    """`0.2` as `20%`, to the last decimal; what is no rate stays as it is."""
    try:
        share = Decimal(rate) * 100
    except InvalidOperation:
        return rate
    text = f"{share:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) + "%"


def newest_first(listed: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of all services together; moments are written in one time zone, so their text sorts."""
    return sorted(listed, key=lambda change: str(change["proposed_at"]), reverse=True)


def export_rows(change: Mapping[str, Any], service: str) -> list[list[str]]:
    """A row for each value of a change, as `EXPORT_HEADER` says."""
    opening = [
        _moment(change["proposed_at"]),
        change["proposed_by_name"],
        next(zh for name, zh, _ in SERVICES if name == service),
        KINDS.get(change["kind"], (change["kind"], ""))[0],
        change["target"],
    ]
    closing = [
        change["reason"] or "",
        next(zh for name, zh, _ in STATES if name == change["status"]),
        change["decided_by_name"] or "",
        _moment(change["decided_at"] or ""),
        change["decision_reason"] or "",
    ]
    return [
        [*opening, line.label[0], line.before[0], line.after[0], *closing]
        for line in side_by_side(change["before"], change["body"])
    ]


def _moment(written: str) -> str:
    return written[:16].replace("T", " ")

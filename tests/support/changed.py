"""A change of each kind, as the services write it. A test over the wirings says when a kind is missing."""

from collections.abc import Mapping
from typing import Any

NAMES: Mapping[str, Mapping[str, str]] = {
    "campaign": {"honghe-2020": "红河州全民健康消费券发放活动", "yueqing-2020": "乐清市电子健康卡发卡任务"},
    "voucher_type": {"checkup": "健康体检", "fitness": "全民健身"},
    "channel": {"quiz": "知识问答", "fitness": "全民健身活动"},
    "payer": {"treasury": "州财政", "fund": "健康基金"},
    "institution": {"i-0001": "红河州第一人民医院"},
}
_PROGRAMME = "yueqing-2020"


def _change(
    kind: str,
    body: dict[str, Any],
    before: dict[str, Any] | None = None,
    *,
    service: str = "issuance",
    target: str = "honghe-2020",
) -> dict[str, Any]:
    return {
        "kind": kind,
        "service": service,
        "target": target,
        "body": body,
        "before": before or {},
        "reason": "节前放量",
        "status": "pending",
        "proposed_at": "2020-11-01T09:00:00+08:00",
        "proposed_by_name": "王一",
        "decided_at": None,
        "decided_by_name": None,
        "decision_reason": None,
    }


_QUIZ = {
    "questions": 10,
    "pass_score": 80,
    "attempts_per_day": 3,
    "time_limit_seconds": 300,
    "min_seconds": 9,
    "repeat_after_attempts": 5,
    "attempt_token": False,
    "blueprint": {"1": 4, "2": {"健康素养": 2}},
}
_DEFINITION = {
    "slug": "honghe-2020",
    "title": "红河州全民健康消费券发放活动",
    "slogan": "健康红河",
    "timezone": "Asia/Shanghai",
    "budget_fen": 10_000_000_00,
    "funding_sources": [{"key": "state", "name": "省级财政", "share": "1"}],
    "channels": [{"key": "quiz", "name": "知识问答", "chances": 1, "per_day": None, "review": False}],
    "voucher_types": [
        {
            "key": "counselling",
            "kind": "directed",
            "name": "心理咨询",
            "covers": "一次咨询",
            "settlement_price_fen": 100_00,
            "validity_days": 30,
            "total_cap": 50,
            "reports_result_to_health_code": True,
            "reversal": "staff",
            "reversal_window_hours": 24,
        }
    ],
    "phases": [
        {
            "seq": 1,
            "opens_at": "2020-11-01T11:00:00+08:00",
            "closes_at": "2020-11-11T00:00:00+08:00",
            "odds": "0.3",
            "quiz": _QUIZ,
            "stock": {"counselling": 5},
            "release_plan": {"every": "hour", "amounts": {"counselling": 2}},
        }
    ],
    "per_person_limits": {"vouchers_per_phase": 1, "draws_per_day": 5, "draws_per_phase": 9},
    "award_valid_days": 3,
    "risk": {
        "hold_when": {
            "persons_per_device": 3,
            "persons_per_address_per_day": 3000,
            "seconds_per_question_below": 2,
            "wins_per_device": 2,
        },
        "note_claims": True,
    },
    "manual_write_off": True,
    "offline_limits": {"count_per_day": 100, "fen_per_day": 100_000_00},
    "institution_approval": True,
    "settlement_hold_days": 3,
    "retention_days": 365,
    "assumed": ["phases.1.odds", "voucher_types.counselling.settlement_price_fen"],
}
_RULE_BEFORE = {**_QUIZ, "pass_score": 60, "blueprint": None}
_REDEMPTION = {"redemption_id": "r-0001", "institution_id": "i-0001", "voucher_type": "checkup"}
_LIFE = {
    "kind": "move",
    "hospital_id": "h-0001",
    "hospital": "乐清市人民医院",
    "on": "2020-09-01",
    "successor_id": None,
    "successor": None,
    "alliance": "第一医共体",
    "reason": "调整",
}
_STUFFING = {
    "case_id": "c-0001",
    "kind": "burst",
    "hospital": "乐清市人民医院",
    "day": "2020-08-03",
    "cards": 400,
    "reason": "核实",
}


def _of_redemption(kind: str, target: str, body: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    return _change(kind, body, before, service="redemption", target=target)


def _of_quota(kind: str, body: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    return _change(kind, body, before, service="quota", target=_PROGRAMME)


_ALL = [
    _change("campaign", _DEFINITION),
    _change("odds", {"phase": 1, "odds": "0.125"}, {"odds": "0.2"}),
    _change("quiz_rule", {"phase": 1, **_QUIZ}, _RULE_BEFORE),
    _change(
        "stock",
        {"phase": 1, "voucher_type": "checkup", "delta": 500},
        {"put_in": 100, "remaining": 7},
    ),
    _change(
        "phase",
        {
            "seq": 3,
            "opens_at": "2020-12-01T11:00:00+08:00",
            "closes_at": "2020-12-11T00:00:00+08:00",
            "odds": "0.3",
            "quiz": _QUIZ,
            "stock": {"checkup": 5},
            "release_plan": {"every": "day", "amounts": {"checkup": 2}},
        },
        {"phases": 2},
    ),
    _change(
        "carry_over",
        {"phase": 1, "to": 2, "voucher_types": None, "expired": True},
        {"unspent": {"checkup": 30}, "expired": {"fitness": 2}},
    ),
    _change("budget", {"budget_fen": 11_000_000_00}, {"budget_fen": 10_000_000_00}),
    _change(
        "funding_shares",
        {"shares": {"treasury": "0.5", "fund": "0.5"}},
        {"shares": {"treasury": "0.4", "fund": "0.6"}},
    ),
    _change(
        "limits",
        {"vouchers_per_phase": 1, "draws_per_day": 3, "draws_per_phase": None, "vouchers_per_type": None},
        {"vouchers_per_phase": 1, "draws_per_day": 5, "draws_per_phase": None, "vouchers_per_type": 2},
    ),
    _change(
        "channel",
        {"channel": "quiz", "chances": 2, "per_day": None, "review": True},
        {"chances": 1, "per_day": 3, "review": False},
    ),
    _change("settlement_hold", {"settlement_hold_days": 7}, {"settlement_hold_days": None}),
    _change(
        "voucher_revoke",
        {"voucher_id": "v-0001", "campaign": "honghe-2020", "phase": 1, "voucher_type": "checkup"},
        {"status": "issued", "amount_fen": 100_00},
        target="v-0001",
    ),
    _of_redemption(
        "institution.admit",
        "campaign:honghe-2020",
        {
            "campaign": "honghe-2020",
            "institutions": [{"institution_id": "i-0001", "voucher_types": ["checkup"]}],
            "reason": "导入",
        },
        {},
    ),
    _of_redemption(
        "institution.contract_price",
        "institution:i-0001",
        {
            "institution_id": "i-0001",
            "campaign": "honghe-2020",
            "voucher_type": "checkup",
            "price_fen": None,
            "effective_from": "2020-12-01",
            "reason": "议价",
        },
        {"price_fen": 90_00, "settlement_price_fen": 100_00},
    ),
    _of_redemption(
        "institution.payee_account",
        "institution:i-0001",
        {
            "institution_id": "i-0001",
            "institution": "红河州第一人民医院",
            "account_id": "a-0002",
            "account_name": "红河**医院",
            "bank_name": "工商**支行",
            "account_number": "****1234",
            "reason": "换行",
        },
        {
            "id": "a-0001",
            "version": 1,
            "account_name": "红河**医院",
            "bank_name": "农业**支行",
            "account_number": "****4321",
        },
    ),
    _of_redemption(
        "redemption.correct",
        "redemption:r-0001",
        {**_REDEMPTION, "request_no": "POS-0001", "amount_fen": -100_00, "reason": "误核"},
        {"settlement_id": "s-0001", "amount_fen": 100_00},
    ),
    _of_redemption(
        "redemption.reverse",
        "redemption:r-0001",
        {**_REDEMPTION, "original_request_no": "POS-0001", "applied_fen": 100_00, "reason": "误核"},
        {"status": "live"},
    ),
    _of_redemption(
        "settlement.pay",
        "settlement:s-0001",
        {
            "settlement_id": "s-0001",
            "campaign": "honghe-2020",
            "institution_id": "i-0001",
            "institution": "红河州第一人民医院",
            "amount_fen": 500_00,
            "by_funding_source": {"treasury": 200_00, "fund": 300_00},
            "payee": {
                "id": "a-0001",
                "version": 1,
                "account_name": "红河**医院",
                "account_number": "****1234",
            },
        },
        {"status": "confirmed"},
    ),
    _of_redemption(
        "settlement.uphold_dispute",
        "settlement:s-0001",
        {
            "settlement_id": "s-0001",
            "dispute_id": "d-0001",
            "institution_id": "i-0001",
            "withdraw": ["r-0001", "r-0002"],
            "amount_fen": -200_00,
            "reason": "属实",
        },
        {"amount_fen": 500_00, "note": "两笔不是我院核销"},
    ),
    _of_redemption(
        "ranking.freeze",
        "honghe-2020",
        {"month": "2020-11", "reason": None, "edition": 2, "count": 900, "flagged": 3},
        {"edition": 1},
    ),
    _of_quota(
        "allocation",
        {
            "total": 165_000,
            "method": "largest_remainder",
            "basis": "visits",
            "effective_month": "2020-09",
            "adjustments": [{"from": "h-0001", "to": "h-0002", "cards": 100, "reason": "新院区"}],
            "bounds": [{"hospital": "h-0002", "min": 10, "max": None, "reason": "保底"}],
            "reason": "重新分配",
            "hospitals": {"h-0001": "乐清市人民医院", "h-0002": "乐清市中医院"},
            "sum": 165_000,
            "difference": 0,
            "remaining_exact": 165_000,
            "allocation_total": None,
            "alliances": {"第一医共体": 165_000},
            "quotas": {"乐清市人民医院": 100_000},
            "fingerprint": "0f",
        },
        {
            "version": 1,
            "total": 165_000,
            "method": "round_each",
            "basis": "visits",
            "effective_month": None,
            "sum": 165_003,
            "alliances": {"第一医共体": 165_003},
            "quotas": {"乐清市人民医院": 100_003},
        },
    ),
    _of_quota(
        "card_assignment",
        {"event_id": "E-0001", "hospital_id": "h-0001", "hospital": "乐清市人民医院", "reason": "补录"},
        {"hospital_id": None},
    ),
    _of_quota(
        "ranking_freeze",
        {
            "month": "2020-08",
            "reason": None,
            "edition": 1,
            "allocation_version": 2,
            "flagged": ["乐清市中医院"],
        },
        {},
    ),
    _of_quota("hospital_change", _LIFE, {"alliance": ""}),
    _of_quota("hospital_change_withdrawal", {"event_id": "E-0001", **_LIFE}, {"in_force": True}),
    _of_quota("programme_end", {"ends_on": "2020-12-31", "reason": "延期"}, {"ends_on": None}),
    _of_quota("stuffing_confirmation", _STUFFING, {"status": "open", "not_effective": 0}),
    _of_quota("stuffing_withdrawal", _STUFFING, {"status": "confirmed", "not_effective": 400}),
]
CHANGES: Mapping[str, dict[str, Any]] = {change["kind"]: change for change in _ALL}

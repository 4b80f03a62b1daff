"""How stock is put in a table: columns, sums, what runs short. Pure; the figures are the service's."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from shared.documents.papers import Cell

# Of a phase: tone of its badge, Chinese, English.
PHASE_STATES = {
    "upcoming": ("", "未开始", "not begun"),
    "open": ("good", "进行中", "open"),
    "paused": ("paused", "已暂停", "paused"),
    "closed": ("ended", "已结束", "over"),
}
# What is counted and can be added up: (key, Chinese, English).
COUNTS = (
    ("put_in", "投放", "Put in"),
    ("released", "已放量", "Released"),
    ("remaining", "剩余", "Left"),
    ("claimed", "已领取", "Claimed"),
    ("redeemed", "已核销", "Written off"),
    ("expired", "已过期", "Expired"),
)
HEADER = (
    "期次",
    "期次状态",
    "券种",
    "投放",
    "已放量",
    "剩余",
    "现可领取",
    "已领取",
    "待使用",
    "已核销",
    "已过期",
    "已作废",
    "退回与结转",
    "下次放量时间",
    "下次放量",
    "近七日日均领取",
    "预计可用天数",
    "预计用完时间",
)
WIDTHS = (8, 12, 26, 10, 10, 10, 12, 10, 10, 10, 10, 10, 12, 18, 12, 16, 14, 18)
# A clerk, another one and a decree need a few days to put more in.
SHORT_DAYS = Decimal(3)


def chosen(items: Sequence[Mapping[str, Any]], phase: str, voucher_type: str) -> list[Mapping[str, Any]]:
    return [
        item
        for item in items
        if phase in {"", str(item["phase"])} and voucher_type in {"", item["voucher_type"]}
    ]


def sums(items: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {key: sum(item[key] for item in items) for key, _, _ in COUNTS}


def runs_short(item: Mapping[str, Any]) -> bool:
    """It will be used up within days, and before the phase is over."""
    days = item["days_left"]
    return item["state"] == "open" and item["lasts"] is False and Decimal(days) <= SHORT_DAYS


def row(item: Mapping[str, Any]) -> list[Cell]:
    return [
        item["phase"],
        PHASE_STATES[item["state"]][1],
        item["name"],
        item["put_in"],
        item["released"],
        item["remaining"],
        item["claimable"],
        item["claimed"],
        item["outstanding"],
        item["redeemed"],
        item["expired"],
        item["revoked"],
        item["returned"],
        _moment(item["next_release_at"]),
        "" if item["next_release"] is None else item["next_release"],
        item["per_day"] or "",
        item["days_left"] or "",
        _moment(item["used_up_at"]),
    ]


def _moment(written: str | None) -> str:
    return (written or "")[:16].replace("T", " ")

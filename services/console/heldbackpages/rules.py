"""The list of what settlements left out, as a sheet. Pure."""

from collections.abc import Mapping
from typing import Any

from services.console.settlementpages.rules import CAUSES
from shared.documents.papers import Cell, Fen

EXPORT_HEADER = (
    "使用时间",
    "机构",
    "券种",
    "请求号",
    "抵扣金额（元）",
    "原因",
    "说明",
    "可结算",
    "核销编号",
)
EXPORT_WIDTHS = (18, 36, 24, 28, 16, 14, 40, 18, 38)


def export_row(one: Mapping[str, Any], names: Mapping[str, str]) -> list[Cell]:
    """`names` are those of the voucher types."""
    settled = "已结算" if one["settlement_id"] else ""
    return [
        one["redeemed_at"][:16].replace("T", " "),
        one["institution"],
        names.get(one["voucher_type"], one["voucher_type"]),
        one["request_no"],
        Fen(one["applied_fen"]),
        CAUSES[one["cause"]][0],
        "；".join(one["reasons"]),
        settled or (one["due_from"] or "")[:16].replace("T", " "),
        one["redemption_id"],
    ]

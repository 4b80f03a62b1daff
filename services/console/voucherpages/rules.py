"""Words of vouchers and of what moved their money. Pure."""

from collections.abc import Mapping
from typing import Any

from services.console.changenames.rules import Names
from shared.documents.papers import Cell, Fen

STATES = {
    "issued": ("", "未使用", "open"),
    "redeemed": ("good", "已核销", "redeemed"),
    "expired": ("ended", "已过期", "expired"),
    "revoked": ("bad", "已作废", "revoked"),
}
STATE_CHOICES = (("", "全部", "All"), *((key, zh, en) for key, (_, zh, en) in STATES.items()))
MOVES = {
    "issue": ("发放", "issued"),
    "redeem": ("核销", "redeemed"),
    "release": ("余额退回", "rest given back"),
    "reverse": ("撤销核销", "reversed"),
    "recommit": ("重新占用", "set aside again"),
    "expire": ("过期", "expired"),
    "revoke": ("作废", "revoked"),
}
HEADER = (
    "券编号",
    "活动",
    "期次",
    "券种",
    "状态",
    "金额",
    "持有人",
    "发放时间",
    "有效期至",
    "核销时间",
    "核销机构",
)
WIDTHS = (38, 20, 8, 24, 10, 12, 12, 18, 18, 18, 38)


def row(voucher: Mapping[str, Any], names: Names) -> list[Cell]:
    """Persons stay masked; campaign and institution by their names."""
    institution = voucher["institution_id"] or ""
    return [
        voucher["id"],
        names.get("campaign", {}).get(voucher["campaign"], voucher["campaign"]),
        voucher["phase"],
        voucher["name"],
        STATES[voucher["status"]][1],
        Fen(voucher["amount_fen"]),
        voucher["holder"]["name_masked"] or "",
        _moment(voucher["issued_at"]),
        _moment(voucher["valid_until"]),
        _moment(voucher["redeemed_at"] or ""),
        names.get("institution", {}).get(institution, institution),
    ]


def _moment(written: str) -> str:
    return written[:16].replace("T", " ")

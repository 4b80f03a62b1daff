"""How a voucher looks to its holder."""

from datetime import datetime


def status_shown(state: str, valid_until: datetime, now: datetime) -> str:
    """A voucher past its time is expired, also before the job has come to it."""
    return "expired" if state == "issued" and valid_until <= now else state


def face_value(kind: str, amount_fen: int) -> int | None:
    """Only general vouchers have one: what a directed voucher costs is between payer and institution."""
    return amount_fen if kind == "general" else None

"""A till: a terminal of an institution that signs its calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from bench.simulator.platform import Platform, request_no
from bench.simulator.signing import Signer


@dataclass(frozen=True, slots=True)
class Till:
    signer: Signer
    institution_id: str
    # The write-offs that still stand, oldest first.
    done: list[dict[str, Any]] = field(default_factory=list)

    async def verify(self, voucher: str, bill_fen: int | None = None) -> dict[str, Any]:
        body = {"voucher": voucher, **({} if bill_fen is None else {"bill_fen": bill_fen})}
        answer: dict[str, Any] = (await self.signer.post("/redemption/v1/redemptions/verify", body)).body
        return answer

    async def redeem(self, voucher: str, bill_fen: int | None = None) -> dict[str, Any]:
        body: dict[str, Any] = {"request_no": request_no(), "voucher": voucher}
        if bill_fen is not None:
            body["bill_fen"] = bill_fen
        answer: dict[str, Any] = (await self.signer.post("/redemption/v1/redemptions", body)).body
        return answer

    async def reverse(self, original_request_no: str, reason: str) -> dict[str, Any]:
        body = {"request_no": request_no(), "original_request_no": original_request_no, "reason": reason}
        answer: dict[str, Any] = (await self.signer.post("/redemption/v1/reversals", body)).body
        return answer


async def activated(
    platform: Platform, activation_code: str, *, device_id: str, now: Callable[[], datetime]
) -> Till:
    """Activates a terminal with the code that staff made for it."""
    body = {"activation_code": activation_code, "device_id": device_id}
    made = (await platform.post("/redemption/v1/terminals/activate", body)).body
    signer = Signer(platform, made["terminal_id"], made["terminal_key"], now)
    return Till(signer, str(made["institution_id"]))

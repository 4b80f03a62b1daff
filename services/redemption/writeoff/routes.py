"""The tills' hot calls."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.redemption.terminals.operations import SignedTerminal
from services.redemption.terminals.routes import SIGNED, signed_post, signed_terminal, wiring_of
from services.redemption.writeoff.operations import Asked, Redeemed
from services.redemption.writeoff.schemas import (
    FoundRedemption,
    Redeem,
    RedeemBody,
    Redemption,
    RedemptionReply,
    Verified,
    VerifiedReply,
    Verify,
    VerifyBody,
)
from shared.clock import rfc3339
from shared.http.hot import answer
from shared.idempotency import RequestNo
from shared.ids import HotId

router = APIRouter(prefix="/redemption/v1/redemptions", tags=["write-off"])


@signed_post(
    router,
    "/verify",
    struct=VerifyBody,
    body=Verify,
    reply=Verified,
    status_code=200,
    operation_id="redemption_verify_voucher",
)
async def verify(request: Request, terminal: SignedTerminal, body: VerifyBody) -> Response:
    """Whether and for how much a voucher could be written off now; every refusal is a 200 with its reason."""
    seen = await wiring_of(request).writeoffs.verify(terminal, body.voucher, body.bill_fen)
    reply = VerifiedReply(
        redeemable=seen.reason is None,
        reason=seen.reason,
        voucher_type=seen.voucher_type,
        kind=seen.kind,
        applied_fen=seen.applied_fen,
        holder_masked=seen.holder_masked,
        valid_until=None if seen.valid_until is None else rfc3339(seen.valid_until),
    )
    return answer(reply, first_status=200)


@signed_post(
    router,
    "",
    struct=RedeemBody,
    body=Redeem,
    reply=Redemption,
    operation_id="redemption_redeem_voucher",
)
async def redeem(request: Request, terminal: SignedTerminal, body: RedeemBody) -> Response:
    """Writes a voucher off: once per request number, however often it is sent."""
    asked = Asked(body.request_no, body.voucher, body.bill_fen, body.used_at, body.operator)
    return replied(await wiring_of(request).writeoffs.redeem(terminal, asked))


def replied(done: Redeemed) -> Response:
    """The answer to a write-off, whichever way its voucher was named."""
    reply = RedemptionReply(
        id=str(done.id),
        request_no=done.request_no,
        voucher_type=done.voucher_type,
        applied_fen=done.applied_fen,
        payable_fen=done.payable_fen,
        redeemed_at=rfc3339(done.redeemed_at),
    )
    return answer(reply, replayed=done.replayed)


@router.get("", dependencies=[SIGNED], operation_id="redemption_find_redemption")
async def find(
    request: Request,
    terminal: Annotated[SignedTerminal, Depends(signed_terminal)],
    request_no: Annotated[RequestNo, Query()],
) -> FoundRedemption:
    """What became of a write-off whose answer got lost, with its present status."""
    found = await wiring_of(request).writeoffs.status_of(terminal, request_no)
    redemption = found.redemption
    if redemption is None:
        return FoundRedemption(
            id=None,
            request_no=request_no,
            status="blocked",
            voucher_type=None,
            applied_fen=None,
            payable_fen=None,
            redeemed_at=None,
        )
    return FoundRedemption.model_validate(
        {
            "id": str(HotId(redemption.bucket, redemption.id)),
            "request_no": request_no,
            "status": found.status,
            "voucher_type": redemption.voucher_type,
            "applied_fen": redemption.applied_fen,
            "payable_fen": redemption.payable_fen,
            "redeemed_at": rfc3339(redemption.redeemed_at),
            "operator": redemption.operator,
        }
    )

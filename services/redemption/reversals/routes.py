from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from services.redemption.reversals.operations import Asked
from services.redemption.reversals.schemas import (
    Reversal,
    ReversalProposed,
    ReversalReply,
    Reverse,
    ReverseBody,
    ReverseByStaff,
)
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.terminals.routes import signed_post, wiring_of
from shared.clock import rfc3339
from shared.http.auth import Writer
from shared.http.hot import answer
from shared.http.replies import replayable, staff_key
from shared.ids import parse_hot_id

router = APIRouter(prefix="/redemption/v1", tags=["write-off"])


@signed_post(
    router,
    "/reversals",
    struct=ReverseBody,
    body=Reverse,
    reply=Reversal,
    operation_id="redemption_reverse_redemption",
)
async def reverse(request: Request, terminal: SignedTerminal, body: ReverseBody) -> Response:
    """Undoes a write-off by its request number, or blocks one that never arrived."""
    asked = Asked(
        body.request_no, body.original_request_no, body.reason, body.original_terminal_id, body.operator
    )
    done = await wiring_of(request).reversals.reverse(terminal, asked)
    reply = ReversalReply(
        id=str(done.id),
        request_no=body.request_no,
        original_request_no=body.original_request_no,
        status=done.status,
        redemption_id=None if done.redemption is None else str(done.redemption),
        reversed_at=rfc3339(done.at),
    )
    return answer(reply, replayed=done.replayed)


@router.post(
    "/redemptions/{redemption_id}/reversals",
    status_code=202,
    response_model=ReversalProposed,
    operation_id="redemption_reverse_by_staff",
)
async def reverse_by_staff(
    request: Request, redemption_id: str, staff: Writer, body: ReverseByStaff
) -> JSONResponse:
    """Proposes to undo a write-off that is not settled; somebody else approves it.

    For what a till may not undo: its type leaves that to staff, its time is over, or its result was reported.
    """
    key = staff_key(staff, "redemption.reverse", body, redemption_id)
    proposed = await wiring_of(request).staff_reversals.propose(
        staff, parse_hot_id(redemption_id), body.reason, key
    )
    return replayable(proposed, first_status=202)

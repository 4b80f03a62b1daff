import msgspec
from fastapi import APIRouter, Request, Response

from services.redemption.reversals.operations import Asked
from services.redemption.reversals.schemas import Reversal, ReversalReply, Reverse, ReverseBody
from services.redemption.terminals.routes import SIGNED, signed_terminal, wiring_of
from shared.clock import rfc3339
from shared.http.hot import answer, decode, hot_post

router = APIRouter(prefix="/redemption/v1/reversals", tags=["write-off"])

_REVERSE = msgspec.json.Decoder(ReverseBody)


@hot_post(
    router,
    "",
    body=Reverse,
    reply=Reversal,
    dependencies=[SIGNED],
    operation_id="redemption_reverse_redemption",
)
async def reverse(request: Request) -> Response:
    """Undoes a write-off by its request number, or blocks one that never arrived."""
    terminal = await signed_terminal(request)
    body = await decode(request, _REVERSE)
    asked = Asked(body.request_no, body.original_request_no, body.reason, body.original_terminal_id)
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

import binascii

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.console.sessions.schemas import SessionsReply, session_item
from services.console.staff.schemas import SessionsEndedReply
from services.console.standings.operations import Standings
from services.console.standings.schemas import ReasonBody, UnlockedReply
from shared.errors import NotFound
from shared.http.auth import Admin
from shared.http.replies import replayable, staff_key
from shared.ids import parse_uuid

router = APIRouter(prefix="/console/v1/staff/{staff_id}", tags=["staff"])


def _standings(request: Request) -> Standings:
    standings: Standings = request.app.state.wiring.standings
    return standings


@router.get("/sessions", operation_id="console_list_staff_sessions")
async def list_sessions(request: Request, staff_id: str, staff: Admin) -> SessionsReply:  # noqa: ARG001 - only administrators get here
    """Live sessions of an account, the one last seen first."""
    found = await _standings(request).sessions_of(parse_uuid(staff_id))
    return SessionsReply(items=[session_item(one, current=False) for one in found])


@router.post(
    "/sessions/{session_id}/end",
    operation_id="console_end_staff_session",
    response_model=SessionsEndedReply,
)
async def end_session(
    request: Request, staff_id: str, session_id: str, staff: Admin, body: ReasonBody
) -> JSONResponse:
    """End one session of an account; 0 when it had ended."""
    try:
        token_hash = binascii.unhexlify(session_id)
    except (binascii.Error, ValueError):
        raise NotFound from None
    key = staff_key(staff, "staff.end_session", body, staff_id, session_id)
    answer = await _standings(request).end_session(
        staff, parse_uuid(staff_id), token_hash, reason=body.reason, key=key
    )
    return replayable(answer, first_status=200)


@router.post("/unlock", operation_id="console_unlock_staff", response_model=UnlockedReply)
async def unlock(request: Request, staff_id: str, staff: Admin, body: ReasonBody) -> JSONResponse:
    """Let somebody sign in again at once who mistyped the password too often."""
    key = staff_key(staff, "staff.unlock", body, staff_id)
    answer = await _standings(request).unlock(staff, parse_uuid(staff_id), reason=body.reason, key=key)
    return replayable(answer, first_status=200)

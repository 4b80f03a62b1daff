import binascii
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from services.console.sessions.operations import Sessions
from services.console.sessions.schemas import EndedReply, SessionsReply, session_item
from shared.errors import NotFound
from shared.http.auth import CurrentStaff, bearer_token

router = APIRouter(prefix="/console/v1", tags=["staff"])

Token = Annotated[str, Depends(bearer_token)]


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.wiring.sessions
    return sessions


@router.get("/me/sessions", operation_id="console_list_own_sessions")
async def own(request: Request, staff: CurrentStaff, token: Token) -> SessionsReply:
    """One's own live sessions, the one last seen first."""
    found = await _sessions(request).own(staff, token)
    return SessionsReply(items=[session_item(one.session, current=one.current) for one in found])


@router.post("/me/sessions/{session_id}/end", operation_id="console_end_own_session")
async def end(request: Request, staff: CurrentStaff, session_id: str) -> EndedReply:
    """End one of one's own sessions; 0 when it had ended."""
    try:
        token_hash = binascii.unhexlify(session_id)
    except (binascii.Error, ValueError):
        raise NotFound from None
    return EndedReply(sessions_ended=int(await _sessions(request).end(staff, token_hash)))


@router.post("/me/sessions/end-others", operation_id="console_end_other_sessions")
async def end_others(request: Request, staff: CurrentStaff, token: Token) -> EndedReply:
    """End all one's own sessions but this one."""
    return EndedReply(sessions_ended=await _sessions(request).end_others(staff, token))

"""Locked terminals: what happened, and letting one in again."""

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.redemption.lockouts.schemas import LockoutItem, Unlock, Unlocked
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)

router = APIRouter(prefix="/redemption/v1", tags=["terminals"])


@router.post(
    "/terminals/{terminal_id}/unlock", response_model=Unlocked, operation_id="redemption_unlock_terminal"
)
async def unlock(request: Request, terminal_id: str, staff: Writer, body: Unlock) -> JSONResponse:
    """Lets a terminal in again that too many wrong codes have locked; within two seconds everywhere."""
    key = staff_key(staff, "terminal.unlock", body, terminal_id)
    done = await wiring_of(request).lockouts.unlock(staff, terminal_id, body.reason, key)
    return replayable(done, first_status=200)


@router.get("/lockouts", operation_id="redemption_list_lockouts")
async def lockouts(
    request: Request, _staff: Reader, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Page[LockoutItem]:
    """Which terminals were locked after too many wrong codes, and let in again, the newest first."""
    found = await wiring_of(request).lockouts.page(limit=limit, after=position_of_moment(cursor))
    page = found[:limit]
    more = len(found) > limit
    return Page(
        items=[
            LockoutItem.model_validate(
                {
                    "terminal_id": one.terminal_id,
                    "institution_id": one.institution_id,
                    "kind": one.kind,
                    "wrong_codes": one.misses,
                    "locked_until": None if one.locked_until is None else rfc3339(one.locked_until),
                    "reason": one.reason,
                    "at": rfc3339(one.at),
                }
            )
            for one in page
        ],
        next_cursor=encode_cursor([page[-1].at.isoformat(), page[-1].id]) if more else None,
    )

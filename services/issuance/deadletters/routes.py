from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.issuance.deadletters.operations import DeadLetters
from services.issuance.deadletters.schemas import DeadLetter, Retried
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    StaffBody,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import parse_hot_id

router = APIRouter(prefix="/issuance/v1", tags=["notices"])


def _letters(request: Request) -> DeadLetters:
    letters: DeadLetters = request.app.state.wiring.dead_letters
    return letters


@router.get("/notices/dead-letters", operation_id="issuance_list_dead_letters")
async def list_dead_letters(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[DeadLetter]:
    """Notices that failed too often and wait for staff, newest first."""
    items, last = await _letters(request).page(limit=limit, after=position_of_moment(cursor))
    return Page(items=items, next_cursor=encode_cursor([last[0].isoformat(), last[1]]) if last else None)


@router.post(
    "/notices/dead-letters/{letter_id}/retry",
    operation_id="issuance_retry_dead_letter",
    response_model=Retried,
)
async def retry_dead_letter(
    request: Request, staff: Writer, letter_id: str, body: StaffBody | None = None
) -> JSONResponse:
    """Has a dead letter tried again, with all its attempts."""
    key = staff_key(staff, "notice.retry", body or StaffBody(), letter_id)
    answer = await _letters(request).retry(staff, parse_hot_id(letter_id), key)
    return replayable(answer, first_status=200)

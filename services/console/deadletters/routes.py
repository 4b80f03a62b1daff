from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.console.deadletters.operations import Letters
from services.console.deadletters.schemas import (
    DeadLetterItem,
    DeadLetterPutAside,
    DeadLetterRetried,
    PutAsideBody,
    dead_letter_item,
)
from shared.http.auth import Admin, Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    StaffBody,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import parse_hot_id
from shared.jobs.kinds import Kind

router = APIRouter(prefix="/console/v1/dead-letters", tags=["jobs"])


def _letters(request: Request) -> Letters:
    letters: Letters = request.app.state.wiring.letters
    return letters


@router.get("", operation_id="console_list_dead_letters")
async def list_dead_letters(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    kind: Annotated[Kind | None, Query()] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[DeadLetterItem]:
    """What failed too often and waits for staff, of every service, newest first."""
    found, total = await _letters(request).page(kind, limit=limit, after=position_of_moment(cursor))
    last = found[limit - 1] if len(found) > limit else None
    return CountedPage(
        items=[dead_letter_item(row) for row in found[:limit]],
        next_cursor=encode_cursor([last.created_at.isoformat(), last.id]) if last else None,
        total=total,
    )


@router.post("/{letter_id}/retry", operation_id="console_retry_dead_letter", response_model=DeadLetterRetried)
async def retry_dead_letter(
    request: Request, letter_id: str, staff: Writer, body: StaffBody | None = None
) -> JSONResponse:
    """Has a dead letter tried again, with all its attempts; what it does takes effect once."""
    key = staff_key(staff, "dead_letter.retry", body or StaffBody(), letter_id)
    answer = await _letters(request).retry(staff, parse_hot_id(letter_id), key)
    return replayable(answer, first_status=200)


@router.post(
    "/{letter_id}/put-aside", operation_id="console_put_dead_letter_aside", response_model=DeadLetterPutAside
)
async def put_dead_letter_aside(
    request: Request, letter_id: str, staff: Admin, body: PutAsideBody
) -> JSONResponse:
    """Gives a dead letter up for a reason; the audit log keeps what it was.

    What keeps figures right or forgets a photo cannot be given up (`dead_letter_needed`).
    """
    key = staff_key(staff, "dead_letter.put_aside", body, letter_id)
    answer = await _letters(request).put_aside(staff, parse_hot_id(letter_id), body.reason, key)
    return replayable(answer, first_status=200)

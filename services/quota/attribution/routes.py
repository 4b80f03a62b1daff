from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.quota.attribution.operations import Attribution, unattributed_item
from services.quota.attribution.schemas import Assignment, ChangeProposed, Trace, UnattributedItem
from services.quota.programmes.routes import ProgrammeReader
from shared.errors import Fault, InvalidRequest
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    decode_cursor,
    encode_cursor,
    parse_moment,
    replayable,
    staff_key,
)

router = APIRouter(prefix="/quota/v1/programmes/{slug}", tags=["attribution"])

_SEARCH_LENGTH_MAX = 128


def _attribution(request: Request) -> Attribution:
    attribution: Attribution = request.app.state.wiring.attribution
    return attribution


@router.post(
    "/card-events/{event_id:path}/assign",
    operation_id="quota_assign_card",
    status_code=202,
    response_model=ChangeProposed,
)
async def assign_card(
    request: Request, slug: str, event_id: str, staff: Writer, body: Assignment
) -> JSONResponse:
    """Proposes a hospital for an unattributed card; it counts there when somebody else approves."""
    key = staff_key(staff, "card.assign", body, slug, event_id)
    answer = await _attribution(request).propose(staff, slug, event_id, body, key)
    return replayable(answer, first_status=202)


@router.get("/cards/unattributed", operation_id="quota_list_unattributed_cards")
async def list_unattributed_cards(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    q: Annotated[
        str | None, Query(max_length=_SEARCH_LENGTH_MAX, description="part of the event's number or scene")
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[UnattributedItem]:
    """Cards that count for no hospital, oldest first, by the event that issued them."""
    found, total = await _attribution(request).unattributed(
        slug, search=q or None, limit=limit, after=_position(cursor)
    )
    last = found[limit - 1] if len(found) > limit else None
    return CountedPage(
        total=total,
        items=[unattributed_item(card) for card in found[:limit]],
        next_cursor=encode_cursor([last.opened_at.isoformat(), last.event_id]) if last else None,
    )


@router.get("/events/{event_id:path}/trace", operation_id="quota_trace_card_event")
async def trace_card_event(request: Request, slug: str, event_id: str, staff: ProgrammeReader) -> Trace:
    """Why an event was counted where it was: its code, what it did, and every line of the count."""
    return await _attribution(request).trace(staff, slug, event_id)


def _position(cursor: str | None) -> tuple[datetime, str] | None:
    """Raises InvalidRequest for a made-up cursor."""
    position = decode_cursor(cursor)
    if position is None:
        return None
    try:
        at, event_id = position
        return parse_moment(at), str(event_id)
    except ValueError:
        fault = Fault("query.cursor", "is not a cursor of this list", "cursor")
        raise InvalidRequest(faults=(fault,)) from None

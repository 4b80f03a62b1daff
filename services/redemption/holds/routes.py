from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.redemption.holds.operations import shown
from services.redemption.holds.schemas import HoldItem, PlaceHold, ReleaseHold
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.terminals.routes import wiring_of
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
from shared.ids import parse_hot_id, parse_uuid

router = APIRouter(prefix="/redemption/v1/settlement-holds", tags=["settlement"])


@router.post("", status_code=201, response_model=HoldItem, operation_id="redemption_place_hold")
async def place(request: Request, staff: Writer, body: PlaceHold) -> JSONResponse:
    """Leaves a write-off, or all of an institution's, out of settlements until it is released."""
    redemption = None if body.redemption_id is None else parse_hot_id(body.redemption_id)
    key = staff_key(staff, "settlement.hold", body)
    return replayable(
        await wiring_of(request).holds.place(staff, body.institution_id, redemption, body.reason, key)
    )


@router.get("", operation_id="redemption_list_holds")
async def list_holds(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    institution_id: Annotated[str | None, Query(max_length=SHORT_MAX)] = None,
    open_only: Annotated[bool, Query(alias="open")] = False,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[HoldItem]:
    """Holds, newest first; `open=true` leaves out those that were released."""
    found = await wiring_of(request).holds.page(
        institution_id, open_only=open_only, limit=limit, after=position_of_moment(cursor)
    )
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[HoldItem.model_validate(shown(hold)) for hold in found[:limit]],
        next_cursor=encode_cursor([last.placed_at.isoformat(), last.id]) if last else None,
    )


@router.post("/{hold_id}/release", response_model=HoldItem, operation_id="redemption_release_hold")
async def release(request: Request, hold_id: str, staff: Writer, body: ReleaseHold) -> JSONResponse:
    """Ends a hold: what was held is settled with the next period."""
    key = staff_key(staff, "settlement.release", body, hold_id)
    done = await wiring_of(request).holds.release(staff, parse_uuid(hold_id), body.reason, key)
    return replayable(done, first_status=200)

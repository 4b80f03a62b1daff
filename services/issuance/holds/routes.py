from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.issuance.holds.operations import Holds, Sightings
from services.issuance.holds.schemas import DecisionBody, HoldDecided, HoldView, Status
from shared.http.auth import Reader, Writer
from shared.http.client import address_of, device_of
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
from shared.identity.citizens import Citizen
from shared.ids import parse_hot_id

router = APIRouter(prefix="/issuance/v1/holds", tags=["holds"])


def _holds(request: Request) -> Holds:
    holds: Holds = request.app.state.wiring.holds
    return holds


@router.get("", operation_id="issuance_list_holds")
async def list_holds(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only staff get here
    *,
    status: Status = "open",
    campaign: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[HoldView]:
    """Wins that somebody has to look at, with what was noticed; the one that waits longest first."""
    items, following = await _holds(request).page(
        status, campaign, after=position_of_moment(cursor), limit=limit
    )
    return Page(
        items=items,
        next_cursor=None if following is None else encode_cursor([following[0].isoformat(), following[1]]),
    )


@router.post("/{award_id}/decide", operation_id="issuance_decide_hold", response_model=HoldDecided)
async def decide_hold(request: Request, award_id: str, staff: Writer, body: DecisionBody) -> JSONResponse:
    """Releases a held win to its winner, or rejects it, with a note for the record.

    A released one can be claimed for as long as was left when it was held; a rejected one goes back to its
    phase, for others to win.
    """
    key = staff_key(staff, "award_hold.decide", body, award_id)
    answer = await _holds(request).decide(staff, parse_hot_id(award_id), body, key)
    return replayable(answer, first_status=200)


async def note_sighting(request: Request, citizen: Citizen, slug: str) -> None:
    """From where somebody takes part, for the campaign's risk rule; before what it may make suspicious."""
    sightings: Sightings = request.app.state.wiring.sightings
    await sightings.note(citizen, slug, device=device_of(request), address=address_of(request))

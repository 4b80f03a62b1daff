from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.issuance.activities.operations import Activities, own_view
from services.issuance.activities.schemas import ActivityBody, ActivityTaken, Figures, OwnActivityView
from services.issuance.holds.routes import note_sighting
from shared.http.auth import CurrentCitizen, Reader
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    encode_cursor,
    position_of_moment,
    replayable,
)
from shared.ratelimit import ACTIVITY_PER_PERSON, RateLimiter

router = APIRouter(prefix="/issuance/v1", tags=["activities"])


def _activities(request: Request) -> Activities:
    activities: Activities = request.app.state.wiring.activities
    return activities


@router.post(
    "/campaigns/{slug}/activities",
    operation_id="issuance_take_part",
    status_code=201,
    response_model=ActivityTaken,
)
async def take_part(request: Request, slug: str, citizen: CurrentCitizen, body: ActivityBody) -> JSONResponse:
    """Takes part by a share, a lead, or a check-in at an event or a fitness activity.

    What is `accepted` has earned its chances; what is `pending` earns them when somebody accepts it.
    """
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(ACTIVITY_PER_PERSON, citizen.person_id.hex)
    await note_sighting(request, citizen, slug)
    return replayable(await _activities(request).take_part(citizen, slug, body))


@router.get("/me/activities", operation_id="issuance_list_own_activities")
async def list_own_activities(
    request: Request,
    citizen: CurrentCitizen,
    campaign: Annotated[str | None, Query(max_length=64)] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[OwnActivityView]:
    """What the citizen did to take part, newest first, and what became of it."""
    found = await _activities(request).mine(citizen, campaign, limit=limit, after=position_of_moment(cursor))
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[own_view(activity) for activity in found[:limit]],
        next_cursor=encode_cursor([last.submitted_at.isoformat(), last.id]) if last else None,
    )


@router.get("/campaigns/{slug}/activities/figures", operation_id="issuance_count_activities")
async def count_activities(request: Request, slug: str, staff: Reader) -> Figures:  # noqa: ARG001 - only staff get here
    """How many took part each way, in all and by day; accepted leads are the verified ones."""
    return await _activities(request).figures(slug)

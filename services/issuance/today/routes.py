from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.issuance.today.operations import Days, draw_item
from services.issuance.today.schemas import DrawItem, Today
from shared.http.auth import CurrentCitizen
from shared.http.replies import LIMIT_DEFAULT, Cursor, Limit, Page, encode_cursor, position_of_moment

router = APIRouter(prefix="/issuance/v1", tags=["citizens"])

Slug = Annotated[str, Query(max_length=64)]


def _days(request: Request) -> Days:
    days: Days = request.app.state.wiring.days
    return days


@router.get("/me/today", operation_id="issuance_get_today")
async def get_today(request: Request, citizen: CurrentCitizen, campaign: Slug) -> Today:
    """What the citizen can do in a campaign today: ways to take part, chances, draws and awards left."""
    return await _days(request).today(citizen, campaign)


@router.get("/me/draws", operation_id="issuance_list_draws")
async def list_draws(
    request: Request,
    citizen: CurrentCitizen,
    campaign: Slug,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[DrawItem]:
    """The citizen's draws in a campaign, newest first, each with what it takes to check it."""
    before = position_of_moment(cursor)
    found = await _days(request).draws(citizen, campaign, before=before, limit=limit + 1)
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[draw_item(draw) for draw in found[:limit]],
        next_cursor=encode_cursor([last.drawn_at.isoformat(), last.address.uuid]) if last else None,
    )

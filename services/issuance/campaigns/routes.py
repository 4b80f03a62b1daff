from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse

from services.issuance.campaigns.operations import Campaigns
from services.issuance.campaigns.schemas import (
    CampaignStatus,
    CampaignView,
    ChangeProposed,
    Definition,
    StatusChange,
)
from shared.http.auth import Writer
from shared.http.caching import etagged
from shared.http.client import stop_floods_of_anybody
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    decode_cursor,
    encode_cursor,
    replayable,
    staff_key,
)

router = APIRouter(
    prefix="/issuance/v1/campaigns", tags=["campaigns"], dependencies=[Depends(stop_floods_of_anybody)]
)

# Stock and state change by the second; a cache in front still takes an opening rush off the database.
_PUBLIC = "public, max-age=2"


def _campaigns(request: Request) -> Campaigns:
    campaigns: Campaigns = request.app.state.wiring.campaigns
    return campaigns


@router.get("", operation_id="issuance_list_campaigns", response_model=Page[CampaignView])
async def list_campaigns(request: Request, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None) -> Response:
    """All published campaigns, newest first. Public."""
    position = decode_cursor(cursor)
    found = await _campaigns(request).page(limit=limit, after=str(position[0]) if position else None)
    page = Page[CampaignView](
        items=found[:limit],
        next_cursor=encode_cursor([found[limit - 1].slug]) if len(found) > limit else None,
    )
    return etagged(request, page.model_dump(), cache_control=_PUBLIC)


@router.get("/{slug}", operation_id="issuance_get_campaign", response_model=CampaignView)
async def get_campaign(request: Request, slug: str) -> Response:
    """A campaign with its phases, the odds in force and what is left in stock. Public."""
    view = await _campaigns(request).view(slug)
    return etagged(request, view.model_dump(), cache_control=_PUBLIC)


@router.post("", operation_id="issuance_propose_campaign", status_code=202, response_model=ChangeProposed)
async def propose_campaign(request: Request, staff: Writer, body: Definition) -> JSONResponse:
    """Proposes a campaign; it is published when somebody else approves the change."""
    answer = await _campaigns(request).propose(staff, body, staff_key(staff, "campaign.propose", body))
    return replayable(answer, first_status=202)


@router.post("/{slug}/pause", operation_id="issuance_pause_campaign", response_model=CampaignStatus)
async def pause_campaign(request: Request, slug: str, staff: Writer, body: StatusChange) -> JSONResponse:
    """Stops quiz and draws of a campaign at once; what was won before can still be claimed."""
    key = staff_key(staff, "campaign.pause", body, slug)
    answer = await _campaigns(request).set_status(staff, slug, "paused", body.reason, key)
    return replayable(answer, first_status=200)


@router.post("/{slug}/resume", operation_id="issuance_resume_campaign", response_model=CampaignStatus)
async def resume_campaign(request: Request, slug: str, staff: Writer, body: StatusChange) -> JSONResponse:
    """Lets a paused campaign go on at once."""
    key = staff_key(staff, "campaign.resume", body, slug)
    answer = await _campaigns(request).set_status(staff, slug, "published", body.reason, key)
    return replayable(answer, first_status=200)

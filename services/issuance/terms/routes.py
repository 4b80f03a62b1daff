from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from services.issuance.campaigns.schemas import ChangeProposed
from services.issuance.terms.operations import CampaignTerms
from services.issuance.terms.schemas import (
    BudgetChange,
    ChannelChange,
    LimitsChange,
    SettlementHoldChange,
    SharesChange,
)
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}", tags=["campaigns"])

ChannelKey = Annotated[str, Path(max_length=64)]


def _terms(request: Request) -> CampaignTerms:
    terms: CampaignTerms = request.app.state.wiring.terms
    return terms


@router.post(
    "/budget", operation_id="issuance_propose_budget", status_code=202, response_model=ChangeProposed
)
async def propose_budget(request: Request, slug: str, staff: Writer, body: BudgetChange) -> JSONResponse:
    """Proposes another budget; the payers put up the difference, or get it back, by their shares."""
    key = staff_key(staff, "budget.propose", body, slug)
    return replayable(await _terms(request).propose_budget(staff, slug, body, key), first_status=202)


@router.post(
    "/funding-shares",
    operation_id="issuance_propose_funding_shares",
    status_code=202,
    response_model=ChangeProposed,
)
async def propose_funding_shares(
    request: Request, slug: str, staff: Writer, body: SharesChange
) -> JSONResponse:
    """Proposes other shares of the payers; vouchers that were issued keep theirs."""
    key = staff_key(staff, "funding_shares.propose", body, slug)
    return replayable(await _terms(request).propose_shares(staff, slug, body, key), first_status=202)


@router.post(
    "/limits", operation_id="issuance_propose_limits", status_code=202, response_model=ChangeProposed
)
async def propose_limits(request: Request, slug: str, staff: Writer, body: LimitsChange) -> JSONResponse:
    """Proposes other limits per person; what people have already stays."""
    key = staff_key(staff, "limits.propose", body, slug)
    return replayable(await _terms(request).propose_limits(staff, slug, body, key), first_status=202)


@router.post(
    "/channels/{channel}",
    operation_id="issuance_propose_channel",
    status_code=202,
    response_model=ChangeProposed,
)
async def propose_channel(
    request: Request, slug: str, channel: ChannelKey, staff: Writer, body: ChannelChange
) -> JSONResponse:
    """Proposes what a way to take part earns, how often a day, and whether staff review it."""
    key = staff_key(staff, "channel.propose", body, slug, channel)
    answer = await _terms(request).propose_channel(staff, slug, channel, body, key)
    return replayable(answer, first_status=202)


@router.post(
    "/settlement-hold",
    operation_id="issuance_propose_settlement_hold",
    status_code=202,
    response_model=ChangeProposed,
)
async def propose_settlement_hold(
    request: Request, slug: str, staff: Writer, body: SettlementHoldChange
) -> JSONResponse:
    """Proposes for how many days write-offs wait before a settlement takes them."""
    key = staff_key(staff, "settlement_hold.propose", body, slug)
    return replayable(await _terms(request).propose_settlement_hold(staff, slug, body, key), first_status=202)

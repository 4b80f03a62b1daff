from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from services.issuance.origins.operations import Origins
from services.issuance.wallet.operations import Wallet
from services.issuance.wallet.schemas import (
    ClaimBody,
    HotClaim,
    HotVouchers,
    TokenView,
    VoucherView,
)
from shared.http.auth import CurrentCitizen, current_citizen
from shared.http.client import address_of, device_of
from shared.http.hot import answer, citizen_of, decode, hot_post
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    encode_cursor,
    position_of_moment,
)

router = APIRouter(prefix="/issuance/v1", tags=["wallet"])

_CLAIM = msgspec.json.Decoder(HotClaim)

Slug = Annotated[str | None, Query(max_length=64, description="only of this campaign")]


def _wallet(request: Request) -> Wallet:
    wallet: Wallet = request.app.state.wiring.wallet
    return wallet


@hot_post(
    router,
    "/awards/{award_id}/claim",
    body=ClaimBody,
    reply=VoucherView,
    operation_id="issuance_claim_award",
    summary="Claim: turns an award into a voucher of the chosen type",
    dependencies=[Depends(current_citizen)],
)
async def claim_award(request: Request) -> Response:
    citizen = citizen_of(request)
    body = await decode(request, _CLAIM)
    origins: Origins = request.app.state.wiring.origins
    await origins.note(
        citizen, request.path_params["award_id"], device=device_of(request), address=address_of(request)
    )
    claim = await _wallet(request).claim(
        citizen, request.path_params["award_id"], body.request_no, body.voucher_type
    )
    return answer(claim.reply, replayed=claim.replayed)


@router.get("/me/vouchers", operation_id="issuance_list_vouchers", response_model=Page[VoucherView])
async def list_vouchers(
    request: Request,
    citizen: CurrentCitizen,
    campaign: Slug = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """The citizen's vouchers, newest first."""
    before = position_of_moment(cursor)
    found = await _wallet(request).vouchers(citizen, campaign, before=before, limit=limit + 1)
    behind = found[limit - 1] if len(found) > limit else None
    page = HotVouchers(
        items=[held.view for held in found[:limit]],
        next_cursor=encode_cursor([behind.issued_at.isoformat(), behind.id]) if behind else None,
    )
    return answer(page, first_status=200)


@router.get("/me/vouchers/{voucher_id}", operation_id="issuance_get_voucher", response_model=VoucherView)
async def get_voucher(request: Request, citizen: CurrentCitizen, voucher_id: str) -> Response:
    """A voucher of the citizen; somebody else's is not found."""
    return answer(await _wallet(request).voucher(citizen, voucher_id), first_status=200)


@router.get(
    "/me/vouchers/{voucher_id}/token", operation_id="issuance_get_voucher_token", response_model=TokenView
)
async def get_voucher_token(request: Request, citizen: CurrentCitizen, voucher_id: str) -> Response:
    """The rotating text behind the QR code, good for 30 to 60 seconds."""
    return answer(await _wallet(request).token(citizen, voucher_id), first_status=200)


@router.get(
    "/me/vouchers/{voucher_id}/qr.svg",
    operation_id="issuance_get_voucher_qr",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}, "description": "the token as a QR code"}},
)
async def get_voucher_qr(request: Request, citizen: CurrentCitizen, voucher_id: str) -> Response:
    """The QR code of the rotating text."""
    picture = await _wallet(request).qr_svg(citizen, voucher_id)
    return Response(picture, media_type="image/svg+xml")

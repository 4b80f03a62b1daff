from fastapi import APIRouter, Depends, Request, Response

from services.issuance.openings.operations import Openings
from shared.http.client import address_of, device_of, stop_floods_of_anybody
from shared.ratelimit import OPENING_PER_ADDRESS, RateLimiter

router = APIRouter(prefix="/issuance/v1", tags=["citizens"])


@router.post(
    "/campaigns/{slug}/opens",
    operation_id="issuance_report_opening",
    status_code=204,
    dependencies=[Depends(stop_floods_of_anybody)],
)
async def report_opening(request: Request, slug: str) -> Response:
    """An app shows the campaign: each device counts once a day, signed in or not, and is not remembered."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    openings: Openings = request.app.state.wiring.openings
    address = address_of(request)
    limiter.stop_flood(OPENING_PER_ADDRESS, address)
    # Apps that name no device are told apart by what they say of themselves.
    device = device_of(request) or f"{address} {request.headers.get('User-Agent', '')[:200]}"
    await openings.note(slug, device)
    return Response(status_code=204)

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from services.issuance.privacy.operations import Privacy
from services.issuance.privacy.schemas import Erased, Export, Format
from shared.http.auth import CurrentCitizen, TokenHolder
from shared.http.replies import replayable
from shared.ratelimit import EXPORT_PER_PERSON, RateLimiter

router = APIRouter(prefix="/issuance/v1", tags=["privacy"])

_NEVER_KEPT = {"Cache-Control": "no-store"}


def _privacy(request: Request) -> Privacy:
    privacy: Privacy = request.app.state.wiring.privacy
    return privacy


@router.get(
    "/me/export",
    operation_id="issuance_export_own_data",
    response_model=Export,
    responses={200: {"content": {"application/zip": {}}, "description": "`format=zip`: with pictures"}},
)
async def export_own_data(
    request: Request,
    citizen: CurrentCitizen,
    form: Annotated[
        Format, Query(alias="format", description="zip: with a page to read, and photos")
    ] = "json",
) -> Response:
    """Everything that the platform holds about the citizen, in clear."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(EXPORT_PER_PERSON, citizen.person_id.hex)
    if form == "json":
        export = await _privacy(request).export(citizen)
        return JSONResponse(export.model_dump(mode="json"), headers=_NEVER_KEPT)
    archive = await _privacy(request).archive(citizen)
    headers = {"Content-Disposition": f'attachment; filename="{archive.filename}"', **_NEVER_KEPT}
    return Response(archive.content, media_type="application/zip", headers=headers)


@router.delete("/me", operation_id="issuance_erase_me", response_model=Erased)
async def erase_me(request: Request, citizen: TokenHolder) -> JSONResponse:
    """Forgets the citizen at once and for good. Vouchers, awards and chances that are left are given up.

    The account's tokens end with it; only this call still takes them, and answers the same again. Limits
    count on until the person's campaigns have ended, so that they are not reset by coming back.
    """
    return replayable(await _privacy(request).erase(citizen), first_status=200)

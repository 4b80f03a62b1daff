from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.redemption.reporting.schemas import Metrics, Statistics
from services.redemption.terminals.routes import wiring_of
from shared.errors import Unauthenticated
from shared.http.auth import CurrentStaff, current_staff, metrics_reader
from shared.http.caching import etagged
from shared.identity.staff import READERS, Role

router = APIRouter(prefix="/redemption/v1", tags=["figures"])

# Figures change by the second; a poller asks whether they did.
_CACHE = "private, no-cache"
_SLUG_MAX = 100

_bearer = HTTPBearer(auto_error=False, scheme_name="metrics", description="HV_METRICS_TOKEN")


async def own_institution(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> str | None:
    """None for whoever may see all figures; an institution's staff see their own.

    Raises:
        Unauthenticated, Forbidden.
    """
    if credentials is not None:
        try:
            staff = await current_staff(request, credentials)
        except Unauthenticated:
            # Not a staff session: it may be the metrics token.
            await metrics_reader(request, credentials)
            return None
        if staff.has(Role.INSTITUTION) and not staff.has(*READERS):
            return staff.institution_id
    await metrics_reader(request, credentials)
    return None


@router.get("/metrics", response_model=Metrics, operation_id="redemption_get_metrics")
async def metrics(
    request: Request,
    institution_id: Annotated[str | None, Depends(own_institution)],
    campaign: Annotated[str | None, Query(max_length=_SLUG_MAX)] = None,
) -> Response:
    """Live write-offs of a campaign (of all without one), exact as of now; an institution sees its own."""
    found = await wiring_of(request).reporting.metrics(campaign, institution_id)
    return etagged(request, found.model_dump(), cache_control=_CACHE, apart_from=frozenset({"as_of"}))


@router.get("/institutions/{institution_id}/statistics", operation_id="redemption_institution_statistics")
async def statistics(
    request: Request,
    institution_id: str,
    staff: CurrentStaff,
    campaign: Annotated[str, Query(max_length=_SLUG_MAX)],
) -> Statistics:
    """An institution's write-offs by day and type, for the bureau and the institution itself."""
    return await wiring_of(request).reporting.statistics(staff, institution_id, campaign)

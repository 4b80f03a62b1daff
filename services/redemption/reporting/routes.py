from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.redemption.reporting.schemas import Metrics, Statistics
from services.redemption.terminals.routes import wiring_of
from shared.errors import Forbidden
from shared.http.auth import CurrentStaff, current_staff, metrics_reader
from shared.http.caching import Tagged, tagged, told
from shared.identity.staff import Role

router = APIRouter(prefix="/redemption/v1", tags=["figures"])

# Figures change by the second; a poller asks whether they did.
_CACHE = "private, no-cache"
_APART = frozenset({"as_of"})
_SLUG_MAX = 100

_bearer = HTTPBearer(auto_error=False, scheme_name="metrics", description="HV_METRICS_TOKEN")


async def own_institution(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> str | None:
    """None for whoever may see all figures; an institution's staff see their own.

    Raises:
        Unauthenticated, Forbidden.
    """
    try:
        await metrics_reader(request, credentials)
    except Forbidden:
        staff = await current_staff(request, credentials)
        if not staff.has(Role.INSTITUTION):
            raise
        return staff.institution_id
    return None


@router.get("/metrics", response_model=Metrics, operation_id="redemption_get_metrics")
async def metrics(
    request: Request,
    institution_id: Annotated[str | None, Depends(own_institution)],
    campaign: Annotated[str | None, Query(max_length=_SLUG_MAX)] = None,
) -> Response:
    """Live write-offs of a campaign (of all without one), exact as of `as_of`; an institution sees its own.

    That is now; where a crowd polls, at most some seconds ago.
    """
    reporting = wiring_of(request).reporting

    async def look() -> Tagged:
        found = await reporting.metrics(campaign, institution_id)
        return tagged(found.model_dump(), apart_from=_APART)

    shown = await reporting.looks.get((campaign, institution_id), look)
    return told(request, shown, cache_control=_CACHE)


@router.get("/institutions/{institution_id}/statistics", operation_id="redemption_institution_statistics")
async def statistics(
    request: Request,
    institution_id: str,
    staff: CurrentStaff,
    campaign: Annotated[str, Query(max_length=_SLUG_MAX)],
) -> Statistics:
    """An institution's write-offs by day and type, for the bureau and the institution itself."""
    return await wiring_of(request).reporting.statistics(staff, institution_id, campaign)

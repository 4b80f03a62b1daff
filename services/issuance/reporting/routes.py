from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.issuance.reporting.operations import Reporting
from services.issuance.reporting.schemas import Metrics
from shared.http.auth import metrics_reader
from shared.http.caching import Tagged, tagged, told

router = APIRouter(prefix="/issuance/v1", tags=["figures"])

# Figures change by the second; a poller asks whether they did.
_CACHE = "private, no-cache"
_APART = frozenset({"as_of"})
_SLUG_MAX = 64


@router.get(
    "/metrics",
    operation_id="issuance_get_metrics",
    response_model=Metrics,
    dependencies=[Depends(metrics_reader)],
)
async def metrics(
    request: Request, campaign: Annotated[str | None, Query(max_length=_SLUG_MAX)] = None
) -> Response:
    """Attempts, draws, vouchers and stock of a campaign (of all without one), exact as of `as_of`.

    That is now; where a crowd polls, at most some seconds ago.
    """
    reporting: Reporting = request.app.state.wiring.reporting

    async def look() -> Tagged:
        found = await reporting.metrics(campaign)
        return tagged(found.model_dump(), apart_from=_APART)

    return told(request, await reporting.looks.get(campaign, look), cache_control=_CACHE)

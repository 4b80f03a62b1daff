from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.quota.monitoring.operations import Monitoring
from services.quota.monitoring.schemas import QuotaMetrics
from shared.http.auth import metrics_reader
from shared.http.caching import Tagged, tagged, told

router = APIRouter(prefix="/quota/v1", tags=["progress"])

# Dashboards poll; each look asks, and gets 304 while nothing was counted.
_REVALIDATE = "private, no-cache"
_APART = frozenset({"as_of"})


@router.get(
    "/metrics",
    operation_id="quota_metrics",
    response_model=QuotaMetrics,
    dependencies=[Depends(metrics_reader)],
)
async def get_metrics(
    request: Request, programme: Annotated[str, Query(min_length=1, max_length=64)]
) -> Response:
    """Totals, hospitals and the daily series of a programme, with scans, exact as of `as_of`; for dashboards.

    That is now; where a crowd polls, at most some seconds ago.
    """
    monitoring: Monitoring = request.app.state.wiring.monitoring

    async def look() -> Tagged:
        view = await monitoring.metrics(programme)
        return tagged(view.model_dump(), apart_from=_APART)

    return told(request, await monitoring.looks.get(programme, look), cache_control=_REVALIDATE)

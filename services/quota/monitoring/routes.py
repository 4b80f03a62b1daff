from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.quota.monitoring.operations import Monitoring
from services.quota.monitoring.schemas import QuotaMetrics
from shared.http.auth import metrics_reader
from shared.http.caching import etagged

router = APIRouter(prefix="/quota/v1", tags=["progress"])

# Dashboards poll; each look asks, and gets 304 while nothing was counted.
_REVALIDATE = "private, no-cache"


@router.get(
    "/metrics",
    operation_id="quota_metrics",
    response_model=QuotaMetrics,
    dependencies=[Depends(metrics_reader)],
)
async def get_metrics(
    request: Request, programme: Annotated[str, Query(min_length=1, max_length=64)]
) -> Response:
    """Totals, hospitals and the daily series of a programme, with scans; for dashboards."""
    monitoring: Monitoring = request.app.state.wiring.monitoring
    view = await monitoring.metrics(programme)
    return etagged(request, view.model_dump(), cache_control=_REVALIDATE, apart_from=frozenset({"as_of"}))

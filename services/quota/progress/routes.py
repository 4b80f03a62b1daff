from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.quota.programmes.routes import ProgrammeReader
from services.quota.progress.operations import Progress
from services.quota.progress.schemas import ProgressView, QuotaMetrics
from shared.http.auth import metrics_reader
from shared.http.caching import etagged

router = APIRouter(prefix="/quota/v1", tags=["progress"])

# Dashboards poll; each look asks, and gets 304 while nothing was counted.
_REVALIDATE = "private, no-cache"


def _progress(request: Request) -> Progress:
    progress: Progress = request.app.state.wiring.progress
    return progress


@router.get("/programmes/{slug}/progress", operation_id="quota_get_progress")
async def get_progress(request: Request, slug: str, staff: ProgrammeReader) -> ProgressView:
    """Cards counted against the quotas, by hospital and alliance; a hospital sees its own row."""
    return await _progress(request).progress(staff, slug)


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
    view = await _progress(request).metrics(programme)
    return etagged(request, view.model_dump(), cache_control=_REVALIDATE, apart_from=frozenset({"as_of"}))

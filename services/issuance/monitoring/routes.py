from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.issuance.monitoring.operations import Monitoring
from services.issuance.monitoring.schemas import DrawMonitor, Funnel
from shared.http.auth import Reader

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}", tags=["planning"])

_Phase = Annotated[int | None, Query(ge=1, le=1000, description="one phase; default: all of them")]


def _monitoring(request: Request) -> Monitoring:
    monitoring: Monitoring = request.app.state.wiring.monitoring
    return monitoring


@router.get("/draw-monitor", operation_id="issuance_draw_monitor")
async def draw_monitor(request: Request, slug: str, _staff: Reader, phase: _Phase = None) -> DrawMonitor:
    """Whether the draws keep the announced odds: by day, by way to earn a chance, and both.

    Each comparison is an exact two-sided binomial test, over all versions of the odds.
    """
    return await _monitoring(request).draws(slug, phase)


@router.get("/funnel", operation_id="issuance_funnel")
async def funnel(request: Request, slug: str, _staff: Reader) -> Funnel:
    """How many came how far on the way to a voucher, in each way to take part."""
    return await _monitoring(request).funnel(slug)

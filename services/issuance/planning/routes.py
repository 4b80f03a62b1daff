from fastapi import APIRouter, Request

from services.issuance.planning.operations import Planning
from services.issuance.planning.schemas import Forecast, ForecastBody
from shared.http.auth import Reader

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}", tags=["planning"])


@router.post("/forecast", operation_id="issuance_forecast")
async def forecast(request: Request, slug: str, _staff: Reader, body: ForecastBody) -> Forecast:
    """What the next days of a phase will bring, with the band that nine of ten simulated runs lie in.

    From the data so far, or from what is entered. Changes nothing; the same seed gives the same answer.
    """
    planning: Planning = request.app.state.wiring.planning
    return await planning.forecast(slug, body)

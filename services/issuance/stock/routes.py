from fastapi import APIRouter, Request

from services.issuance.stock.operations import StockTaking
from services.issuance.stock.schemas import StockView
from shared.http.auth import Reader

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/stock", tags=["campaigns"])


def _stock(request: Request) -> StockTaking:
    stock: StockTaking = request.app.state.wiring.stock
    return stock


@router.get("", operation_id="issuance_take_stock")
async def take_stock(request: Request, slug: str, _staff: Reader) -> StockView:
    """Each phase and type: put in, let go, left, claimed and what became of it, and how long it lasts."""
    return await _stock(request).of_campaign(slug)

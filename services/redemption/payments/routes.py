from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.redemption.payments.schemas import Pay, Proposed
from services.redemption.terminals.routes import wiring_of
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key
from shared.ids import parse_uuid

router = APIRouter(prefix="/redemption/v1/settlements", tags=["settlement"])


@router.post(
    "/{settlement_id}/pay",
    status_code=202,
    response_model=Proposed,
    operation_id="redemption_pay_settlement",
)
async def pay(request: Request, settlement_id: str, staff: Writer, body: Pay | None = None) -> JSONResponse:
    """Proposes to pay a confirmed settlement; somebody else approves it."""
    asked = body or Pay()
    key = staff_key(staff, "settlement.pay", asked, settlement_id)
    proposed = await wiring_of(request).payments.propose(staff, parse_uuid(settlement_id), asked.reason, key)
    return replayable(proposed, first_status=202)

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.redemption.corrections.schemas import Correct, CorrectionProposed
from services.redemption.terminals.routes import wiring_of
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key
from shared.ids import parse_hot_id

router = APIRouter(prefix="/redemption/v1/redemptions", tags=["settlement"])


@router.post(
    "/{redemption_id}/corrections",
    status_code=202,
    response_model=CorrectionProposed,
    operation_id="redemption_correct_redemption",
)
async def correct(request: Request, redemption_id: str, staff: Writer, body: Correct) -> JSONResponse:
    """Proposes to take a settled write-off back; somebody else approves it.

    It becomes a negative line in the institution's next settlement; the voucher stays redeemed.
    """
    key = staff_key(staff, "redemption.correct", body, redemption_id)
    proposed = await wiring_of(request).corrections.propose(
        staff, parse_hot_id(redemption_id), body.reason, key
    )
    return replayable(proposed, first_status=202)

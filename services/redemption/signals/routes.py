from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.redemption.signals.schemas import Capacity, Declare
from services.redemption.terminals.routes import wiring_of
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/redemption/v1/institutions", tags=["risk"])


@router.post(
    "/{institution_id}/capacity", response_model=Capacity, operation_id="redemption_declare_capacity"
)
async def declare(request: Request, institution_id: str, staff: Writer, body: Declare) -> JSONResponse:
    """How many write-offs an hour an institution can do: for rankings, and for the signal `capacity`."""
    key = staff_key(staff, "institution.capacity", body, institution_id)
    done = await wiring_of(request).signals.declare(staff, institution_id, body.hourly, key)
    return replayable(done, first_status=200)

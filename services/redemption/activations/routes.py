from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.redemption.activations.schemas import (
    Activate,
    Activated,
    MadeTerminal,
    NewTerminal,
    ReissueCode,
)
from services.redemption.terminals.routes import wiring_of
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key
from shared.ratelimit import Limit

router = APIRouter(prefix="/redemption/v1", tags=["terminals"])

# A chain's installer sets up many tills behind one address; guessing a code would take for ever anyway.
ACTIVATION_PER_ADDRESS = Limit("redemption-activation/address", amount=60, seconds=60)


@router.post("/terminals/activate", status_code=201, operation_id="redemption_activate_terminal")
async def activate(request: Request, body: Activate) -> Activated:
    """Turns a device into a terminal, with the code that staff made for it; unsigned, once."""
    address = request.client.host if request.client else "-"
    await wiring_of(request).limiter.hit(ACTIVATION_PER_ADDRESS, address)
    made = await wiring_of(request).activations.activate(body.activation_code, body.device_id)
    return Activated(
        terminal_id=made.terminal_id, terminal_key=made.terminal_key, institution_id=made.institution_id
    )


@router.post(
    "/institutions/{institution_id}/terminals",
    status_code=201,
    response_model=MadeTerminal,
    operation_id="redemption_make_terminal",
)
async def make(request: Request, institution_id: str, staff: Writer, body: NewTerminal) -> JSONResponse:
    """A terminal that waits for its device; the activation code is shown this once."""
    made = await wiring_of(request).activations.make(
        staff, institution_id, body.label, staff_key(staff, "terminal.make", body, institution_id)
    )
    return replayable(made)


@router.post(
    "/terminals/{terminal_id}/activation-code",
    status_code=201,
    response_model=MadeTerminal,
    operation_id="redemption_reissue_activation_code",
)
async def reissue(request: Request, terminal_id: str, staff: Writer, body: ReissueCode) -> JSONResponse:
    """Another code: for one that was lost or has expired, or for the device that takes a broken one's place.

    The code before it dies at once, and so does the key of a terminal that was active.
    """
    made = await wiring_of(request).activations.reissue(
        staff, terminal_id, body.reason, staff_key(staff, "terminal.reissue", body, terminal_id)
    )
    return replayable(made)

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services.console.clock.operations import DemoClock
from services.console.clock.schemas import ClockBody, ClockReply
from shared.clock import rfc3339
from shared.errors import NotFound
from shared.http.auth import Admin, CurrentStaff, kit_of
from shared.http.replies import replayable, staff_key


async def _in_a_demonstration(request: Request) -> None:
    """Outside one the address does not exist, whoever asks: production's clock is the machine's."""
    if not kit_of(request).settings.demo:
        raise NotFound


router = APIRouter(
    prefix="/console/v1/demo/clock", tags=["demo"], dependencies=[Depends(_in_a_demonstration)]
)


def _clock(request: Request) -> DemoClock:
    clock: DemoClock = request.app.state.wiring.clock
    return clock


@router.get("", operation_id="console_demo_clock")
async def shown(request: Request, staff: CurrentStaff) -> ClockReply:  # noqa: ARG001 - any staff may look
    """What the demonstration's clock shows."""
    return ClockReply(now=rfc3339(_clock(request).now()))


@router.post("", operation_id="console_move_demo_clock", response_model=ClockReply)
async def move(request: Request, staff: Admin, body: ClockBody) -> JSONResponse:
    """Move the demonstration's clock forward, never back; every process follows within a second."""
    answer = await _clock(request).move(staff, body.now, staff_key(staff, "clock.move", body))
    return replayable(answer, first_status=200)

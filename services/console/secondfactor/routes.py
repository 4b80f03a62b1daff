from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from services.console.secondfactor.operations import SecondFactors
from services.console.secondfactor.schemas import (
    BeginBody,
    ConfirmBody,
    ConfirmedReply,
    EnrolmentReply,
    ResetBody,
    ResetReply,
    StandingReply,
    TurnOffBody,
)
from services.console.sessions.operations import Sessions
from shared.clock import rfc3339
from shared.http.auth import Admin, CurrentStaff
from shared.http.replies import replayable, staff_key
from shared.ids import parse_uuid

router = APIRouter(prefix="/console/v1", tags=["staff"])


def _factors(request: Request) -> SecondFactors:
    factors: SecondFactors = request.app.state.wiring.factors
    return factors


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.wiring.sessions
    return sessions


@router.get("/me/second-factor", operation_id="console_get_second_factor")
async def standing(request: Request, staff: CurrentStaff) -> StandingReply:
    """Whether one's own second factor is on, and how many recovery codes are left."""
    found = await _factors(request).standing(staff)
    return StandingReply(
        enabled=found.confirmed_at is not None,
        enabled_at=None if found.confirmed_at is None else rfc3339(found.confirmed_at),
        recovery_codes_left=found.recovery_codes_left,
    )


@router.post(
    "/me/second-factor",
    operation_id="console_begin_second_factor",
    status_code=201,
    response_model=EnrolmentReply,
)
async def begin(request: Request, staff: CurrentStaff, body: BeginBody) -> JSONResponse:
    """Begin to enrol: a new secret for an authenticator app (RFC 6238). Counts once it is confirmed."""
    answer = await _factors(request).enrol(staff, staff_key(staff, "second_factor.begin", body))
    return replayable(answer)


@router.post(
    "/me/second-factor/confirm", operation_id="console_confirm_second_factor", response_model=ConfirmedReply
)
async def confirm(request: Request, staff: CurrentStaff, body: ConfirmBody) -> JSONResponse:
    """Turn it on with a code of the app: from now on signing in asks for one. Answers the recovery codes."""
    key = staff_key(staff, "second_factor.confirm", body)
    return replayable(await _factors(request).confirm(staff, body.code, key), first_status=200)


@router.post("/me/second-factor/off", operation_id="console_turn_off_second_factor", status_code=204)
async def turn_off(request: Request, staff: CurrentStaff, body: TurnOffBody) -> Response:
    """Turn it off, with the password and a code. Failures count towards the lock of the name."""
    await _sessions(request).turn_second_factor_off(staff, password=body.password, code=body.code)
    return Response(status_code=204)


@router.post(
    "/staff/{staff_id}/second-factor/reset",
    operation_id="console_reset_second_factor",
    response_model=ResetReply,
)
async def reset(request: Request, staff_id: str, staff: Admin, body: ResetBody) -> JSONResponse:
    """Turn it off for somebody who lost the device; the reason goes into the audit log."""
    key = staff_key(staff, "second_factor.reset", body, staff_id)
    factors = _factors(request)
    answer = await factors.reset(staff, parse_uuid(staff_id), reason=body.reason, key=key)
    return replayable(answer, first_status=200)

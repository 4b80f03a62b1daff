from uuid import UUID

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.quota.hospitallife.operations import HospitalLife
from services.quota.hospitallife.schemas import (
    AllianceMove,
    ChangeProposed,
    Closure,
    HospitalHistory,
    Merger,
    Opening,
    Withdrawal,
)
from services.quota.programmes.routes import ProgrammeReader
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key
from shared.identity.staff import Staff

router = APIRouter(prefix="/quota/v1/hospitals/{hospital_id}", tags=["hospitals"])


def _life(request: Request) -> HospitalLife:
    life: HospitalLife = request.app.state.wiring.hospital_life
    return life


@router.get("/history", operation_id="quota_get_hospital_history")
async def get_history(request: Request, hospital_id: str, staff: ProgrammeReader) -> HospitalHistory:
    """Names and dated changes of a hospital with their reasons; a hospital sees its own."""
    return await _life(request).history(staff, hospital_id)


@router.post(
    "/opening",
    operation_id="quota_propose_hospital_opening",
    status_code=202,
    response_model=ChangeProposed,
)
async def propose_opening(request: Request, hospital_id: str, staff: Writer, body: Opening) -> JSONResponse:
    """Proposes from which day on a hospital takes part; before it gets no quota."""
    return await _propose(request, hospital_id, staff, body)


@router.post(
    "/closure",
    operation_id="quota_propose_hospital_closure",
    status_code=202,
    response_model=ChangeProposed,
)
async def propose_closure(request: Request, hospital_id: str, staff: Writer, body: Closure) -> JSONResponse:
    """Proposes that a hospital closes; its codes go on counting for it, or for an heir."""
    return await _propose(request, hospital_id, staff, body)


@router.post(
    "/merger", operation_id="quota_propose_hospital_merger", status_code=202, response_model=ChangeProposed
)
async def propose_merger(request: Request, hospital_id: str, staff: Writer, body: Merger) -> JSONResponse:
    """Proposes that a hospital becomes part of another one, with its cards, codes, visits and quota."""
    return await _propose(request, hospital_id, staff, body)


@router.post(
    "/move", operation_id="quota_propose_hospital_move", status_code=202, response_model=ChangeProposed
)
async def propose_move(request: Request, hospital_id: str, staff: Writer, body: AllianceMove) -> JSONResponse:
    """Proposes another alliance, or none, from a day on."""
    return await _propose(request, hospital_id, staff, body)


@router.post(
    "/history/{event_id}/withdraw",
    operation_id="quota_propose_hospital_event_withdrawal",
    status_code=202,
    response_model=ChangeProposed,
)
async def propose_withdrawal(
    request: Request, hospital_id: str, event_id: UUID, staff: Writer, body: Withdrawal
) -> JSONResponse:
    """Proposes to take an approved event back, while no frozen month rests on it."""
    key = staff_key(staff, "hospital.withdraw", body, hospital_id, str(event_id))
    answer = await _life(request).propose_withdrawal(staff, hospital_id, event_id, body, key)
    return replayable(answer, first_status=202)


async def _propose(
    request: Request, hospital_id: str, staff: Staff, body: Opening | Closure | Merger | AllianceMove
) -> JSONResponse:
    proposed = body.proposed(hospital_id)
    key = staff_key(staff, f"hospital.{proposed.kind}", body, hospital_id)
    answer = await _life(request).propose(staff, proposed, body.reason, key)
    return replayable(answer, first_status=202)

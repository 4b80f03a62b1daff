from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from services.issuance.campaigns.schemas import ChangeProposed
from services.issuance.phases.operations import Phases
from services.issuance.phases.schemas import CarryOver, PhaseProposal
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/phases", tags=["campaigns"])

Seq = Annotated[int, Path(ge=1, le=1000)]


def _phases(request: Request) -> Phases:
    phases: Phases = request.app.state.wiring.phases
    return phases


@router.post("", operation_id="issuance_propose_phase", status_code=202, response_model=ChangeProposed)
async def propose_phase(request: Request, slug: str, staff: Writer, body: PhaseProposal) -> JSONResponse:
    """Proposes a further phase; its seed is made and committed when it is approved."""
    key = staff_key(staff, "phase.propose", body, slug)
    return replayable(await _phases(request).propose_phase(staff, slug, body, key), first_status=202)


@router.post(
    "/{seq}/carry-over",
    operation_id="issuance_propose_carry_over",
    status_code=202,
    response_model=ChangeProposed,
)
async def propose_carry_over(
    request: Request, slug: str, seq: Seq, staff: Writer, body: CarryOver
) -> JSONResponse:
    """Proposes to move what a phase that is over did not spend to a later one."""
    key = staff_key(staff, "carry_over.propose", body, slug, str(seq))
    answer = await _phases(request).propose_carry_over(staff, slug, seq, body, key)
    return replayable(answer, first_status=202)

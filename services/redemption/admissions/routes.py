from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.redemption.admissions.operations import Applicant
from services.redemption.admissions.schemas import AdmissionProposed, Admit
from services.redemption.terminals.routes import wiring_of
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/redemption/v1/institutions", tags=["institutions"])


@router.post(
    "/admissions",
    status_code=202,
    response_model=AdmissionProposed,
    operation_id="redemption_admit_institutions",
)
async def admit(request: Request, staff: Writer, body: Admit) -> JSONResponse:
    """Proposes to let institutions accept types that wait for it; somebody else approves.

    Entering, editing or importing proposes this by itself where the campaign asks for approval; this call
    is for a part of it, or for what was rejected.
    """
    applicants = [Applicant(one.institution_id, one.voucher_types) for one in body.institutions]
    key = staff_key(staff, "institution.admit", body)
    proposed = await wiring_of(request).admissions.propose(staff, body.campaign, applicants, body.reason, key)
    return replayable(proposed, first_status=202)

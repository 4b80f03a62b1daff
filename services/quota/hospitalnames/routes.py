from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.quota.hospitalnames.operations import HospitalNaming
from services.quota.hospitalnames.schemas import HospitalNames, Matches, NameGone, NamesToMatch, NewName
from services.quota.programmes.routes import ProgrammeReader
from shared.http.auth import Reader, Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/quota/v1", tags=["hospitals"])


def _naming(request: Request) -> HospitalNaming:
    naming: HospitalNaming = request.app.state.wiring.hospital_naming
    return naming


@router.get("/hospitals/{hospital_id}/names", operation_id="quota_list_hospital_names")
async def list_names(request: Request, hospital_id: str, staff: ProgrammeReader) -> HospitalNames:
    """The name, former names and aliases by which files find the hospital, and those taken back."""
    return await _naming(request).names(staff, hospital_id)


@router.post(
    "/hospitals/{hospital_id}/names",
    operation_id="quota_add_hospital_name",
    status_code=201,
    response_model=HospitalNames,
)
async def add_name(request: Request, hospital_id: str, staff: Writer, body: NewName) -> JSONResponse:
    """Adds an alias or a former name, or (`current`) renames the hospital."""
    key = staff_key(staff, "hospital_name.add", body, hospital_id)
    return replayable(await _naming(request).add(staff, hospital_id, body, key))


@router.post(
    "/hospitals/{hospital_id}/names/withdraw",
    operation_id="quota_withdraw_hospital_name",
    response_model=HospitalNames,
)
async def withdraw_name(request: Request, hospital_id: str, staff: Writer, body: NameGone) -> JSONResponse:
    """Takes an alias or a former name back, with a reason."""
    key = staff_key(staff, "hospital_name.withdraw", body, hospital_id)
    answer = await _naming(request).withdraw(staff, hospital_id, body, key)
    return replayable(answer, first_status=200)


@router.post("/programmes/{slug}/hospitals/match", operation_id="quota_match_hospital_names")
async def match_names(request: Request, slug: str, staff: Reader, body: NamesToMatch) -> Matches:  # noqa: ARG001 - only readers get here
    """Says of each name whose it is, or who might be meant; writes nothing."""
    return await _naming(request).match(slug, body)

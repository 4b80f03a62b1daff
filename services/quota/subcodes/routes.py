from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.quota.programmes.routes import ProgrammeReader
from services.quota.qrcodes.routes import CodeWriter
from services.quota.subcodes.operations import SubCodes
from services.quota.subcodes.schemas import (
    NewSubCode,
    Retirement,
    SubCodeMade,
    SubCodeRetired,
    SubCodeTable,
)
from shared.http.origin import public_origin
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/quota/v1/hospitals/{hospital_id}", tags=["subcodes"])


def _sub_codes(request: Request) -> SubCodes:
    sub_codes: SubCodes = request.app.state.wiring.sub_codes
    return sub_codes


@router.post("/codes", operation_id="quota_create_sub_code", status_code=201, response_model=SubCodeMade)
async def create_sub_code(
    request: Request, hospital_id: str, staff: CodeWriter, body: NewSubCode
) -> JSONResponse:
    """Makes a code of a department, channel or member of staff; its cards count for the hospital."""
    key = staff_key(staff, "sub_code.create", body, hospital_id)
    return replayable(await _sub_codes(request).make(staff, hospital_id, body, key))


@router.post("/codes/{scene}/retire", operation_id="quota_retire_sub_code", response_model=SubCodeRetired)
async def retire_sub_code(
    request: Request, hospital_id: str, scene: str, staff: CodeWriter, body: Retirement
) -> JSONResponse:
    """Takes a sub-code out of use; posters that still hang go on counting."""
    key = staff_key(staff, "sub_code.retire", body, hospital_id, scene)
    answer = await _sub_codes(request).retire(staff, hospital_id, scene, body.reason, key)
    return replayable(answer, first_status=200)


@router.get("/sub-codes", operation_id="quota_list_sub_codes")
async def list_sub_codes(request: Request, hospital_id: str, staff: ProgrammeReader) -> SubCodeTable:
    """Every sub-code with its scans, cards and uses; with the hospital's own they add up to its total."""
    return await _sub_codes(request).table(staff, hospital_id, origin=public_origin(request))

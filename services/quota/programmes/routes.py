from typing import Annotated

from fastapi import APIRouter, Depends, Request, UploadFile
from fastapi.responses import JSONResponse

from services.quota.programmes.operations import Programmes, hospital_item
from services.quota.programmes.schemas import HospitalItem, ProgrammeDefinition, ProgrammeView
from shared.documents.reports import ImportReport
from shared.errors import Fault, InvalidRequest
from shared.http.auth import Reader, Writer, staff_with
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    decode_cursor,
    encode_cursor,
    replayable,
    staff_key,
)
from shared.identity.staff import READERS, Role, Staff

router = APIRouter(prefix="/quota/v1/programmes", tags=["programmes"])

# The database's bigint.
_PLACE_MAX = 2**63 - 1
# Who may read a programme; a hospital gets its own rows only.
ProgrammeReader = Annotated[Staff, Depends(staff_with(*READERS, Role.HOSPITAL))]


def _programmes(request: Request) -> Programmes:
    programmes: Programmes = request.app.state.wiring.programmes
    return programmes


@router.post("", operation_id="quota_create_programme", status_code=201, response_model=ProgrammeView)
async def create_programme(request: Request, staff: Writer, body: ProgrammeDefinition) -> JSONResponse:
    """Makes a programme: what a city must issue, until when, and where a scan leads."""
    answer = await _programmes(request).create(staff, body, staff_key(staff, "programme.create", body))
    return replayable(answer)


@router.get("", operation_id="quota_list_programmes")
async def list_programmes(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[ProgrammeView]:
    """All programmes, newest first."""
    position = decode_cursor(cursor)
    found = await _programmes(request).page(limit=limit, after=str(position[0]) if position else None)
    return Page(
        items=found[:limit],
        next_cursor=encode_cursor([found[limit - 1].slug]) if len(found) > limit else None,
    )


@router.get("/{slug}", operation_id="quota_get_programme")
async def get_programme(request: Request, slug: str, staff: ProgrammeReader) -> ProgrammeView:  # noqa: ARG001 - only readers get here
    """A programme as it was defined."""
    return await _programmes(request).view(slug)


@router.post("/{slug}/hospitals/import", operation_id="quota_import_hospitals")
async def import_hospitals(
    request: Request, slug: str, staff: Writer, file: UploadFile, *, dry_run: bool = False
) -> ImportReport:
    """Takes hospitals from a list (.xlsx, .csv): 医共体, 医院, 诊疗人次 in any order.

    A hospital is known by its name; its alliance and visits are updated. `dry_run` only says what would
    happen.
    """
    return await _programmes(request).import_hospitals(staff, slug, await file.read(), dry_run=dry_run)


@router.get("/{slug}/hospitals", operation_id="quota_list_hospitals")
async def list_hospitals(
    request: Request, slug: str, staff: ProgrammeReader, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Page[HospitalItem]:
    """The hospitals of a programme in the order of their list, each with the code in use."""
    found = await _programmes(request).hospitals(staff, slug, limit=limit, after=_place(cursor))
    return Page(
        items=[hospital_item(hospital) for hospital in found[:limit]],
        next_cursor=encode_cursor([found[limit - 1].position]) if len(found) > limit else None,
    )


def _place(cursor: str | None) -> int:
    """The place in the list behind which the page begins. Raises InvalidRequest for a made-up cursor."""
    match decode_cursor(cursor):
        case None:
            return 0
        case [int(place)] if 0 <= place <= _PLACE_MAX:
            return place
        case _:
            raise InvalidRequest(faults=(Fault("query.cursor", "is not a cursor of this list", "cursor"),))

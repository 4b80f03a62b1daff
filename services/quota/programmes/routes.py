from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services.quota.programmes.operations import Programmes
from services.quota.programmes.schemas import (
    ChangeProposed,
    ProgrammeDefinition,
    ProgrammeEnd,
    ProgrammeView,
)
from shared.http.auth import Writer, staff_with
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
    staff: ProgrammeReader,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[ProgrammeView]:
    """All programmes, newest first; to a hospital's staff the one of their hospital."""
    position = decode_cursor(cursor)
    found = await _programmes(request).page(staff, limit=limit, after=str(position[0]) if position else None)
    return Page(
        items=found[:limit],
        next_cursor=encode_cursor([found[limit - 1].slug]) if len(found) > limit else None,
    )


@router.get("/{slug}", operation_id="quota_get_programme")
async def get_programme(request: Request, slug: str, staff: ProgrammeReader) -> ProgrammeView:  # noqa: ARG001 - only readers get here
    """A programme as it was defined."""
    return await _programmes(request).view(slug)


@router.post(
    "/{slug}/end",
    operation_id="quota_propose_programme_end",
    status_code=202,
    response_model=ChangeProposed,
)
async def propose_programme_end(
    request: Request, slug: str, staff: Writer, body: ProgrammeEnd
) -> JSONResponse:
    """Proposes another last day, or none; time shares and forecasts go by it once somebody else approves."""
    key = staff_key(staff, "programme.end", body, slug)
    return replayable(await _programmes(request).propose_end(staff, slug, body, key), first_status=202)

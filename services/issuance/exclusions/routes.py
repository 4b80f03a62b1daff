from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from services.issuance.exclusions.operations import Exclusions
from services.issuance.exclusions.rules import List
from services.issuance.exclusions.schemas import ExclusionBody, ExclusionView, LiftBody, Status
from services.issuance.exclusions.store import Filter
from shared.documents.reports import ImportReport
from shared.http.auth import Reader, Writer
from shared.http.jobs import JobRequested
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/exclusions", tags=["exclusions"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_IN_FORCE: dict[Status, bool | None] = {"in_force": True, "ended": False, "all": None}


def _exclusions(request: Request) -> Exclusions:
    exclusions: Exclusions = request.app.state.wiring.exclusions
    return exclusions


@router.post("", operation_id="issuance_add_exclusion", status_code=201, response_model=ExclusionView)
async def add_exclusion(request: Request, slug: str, staff: Writer, body: ExclusionBody) -> JSONResponse:
    """Puts somebody on a campaign's list of staff or of blocked persons, at once.

    The person neither starts the quiz, nor takes part otherwise, nor draws; what it won before stays.
    """
    key = staff_key(staff, "exclusion.add", body, slug)
    return replayable(await _exclusions(request).add(staff, slug, body, key))


@router.get("", operation_id="issuance_list_exclusions")
async def list_exclusions(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only staff get here
    *,
    listed: Annotated[List | None, Query(alias="list")] = None,
    status: Status = "in_force",
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[ExclusionView]:
    """Entries of a campaign's lists, newest first; id numbers are masked."""
    wanted = Filter(listed, _IN_FORCE[status])
    items, following = await _exclusions(request).page(
        slug, wanted, before=position_of_moment(cursor), limit=limit
    )
    return Page(
        items=items,
        next_cursor=None if following is None else encode_cursor([following[0].isoformat(), following[1]]),
    )


@router.post("/{exclusion_id}/lift", operation_id="issuance_lift_exclusion", response_model=ExclusionView)
async def lift_exclusion(
    request: Request, slug: str, exclusion_id: str, staff: Writer, body: LiftBody
) -> JSONResponse:
    """Ends an entry, with the reason; it stays in the history."""
    key = staff_key(staff, "exclusion.lift", body, slug, exclusion_id)
    answer = await _exclusions(request).lift(staff, slug, exclusion_id, body.reason, key)
    return replayable(answer, first_status=200)


@router.post(
    "/import",
    operation_id="issuance_import_exclusions",
    response_model=ImportReport,
    responses={202: {"model": JobRequested, "description": "More than 2,000 rows: a job has the report"}},
)
async def import_exclusions(
    request: Request,
    slug: str,
    staff: Writer,
    file: Annotated[UploadFile, File(description=".xlsx or .csv")],
    dry_run: Annotated[bool, Query()] = False,  # noqa: FBT002 - a query parameter
) -> Response:
    """Imports a list from a workbook or CSV; `dry_run=true` says what would happen."""
    content = await file.read()
    done = await _exclusions(request).import_file(staff, slug, content, dry_run=dry_run)
    if isinstance(done, ImportReport):
        return JSONResponse(done.model_dump())
    return JSONResponse(done, status_code=202)


@router.get(
    "/template.xlsx",
    operation_id="issuance_exclusion_template",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "An .xlsx to fill in"}},
)
async def exclusion_template(request: Request, slug: str, staff: Writer) -> Response:  # noqa: ARG001 - staff only
    """The workbook that the import understands, with an example and instructions."""
    content = await _exclusions(request).template(slug)
    name = f"attachment; filename=\"exclusions.xlsx\"; filename*=UTF-8''{quote('名单导入模板.xlsx')}"
    return Response(content, media_type=_XLSX, headers={"Content-Disposition": name})

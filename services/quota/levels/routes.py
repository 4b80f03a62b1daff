from fastapi import APIRouter, Request, Response, UploadFile

from services.quota.levels.operations import Levels
from services.quota.levels.schemas import HospitalLevels
from shared.documents.reports import ImportReport
from shared.http.auth import Reader, Writer

router = APIRouter(prefix="/quota/v1/programmes/{slug}/hospital-levels", tags=["rankings"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _levels(request: Request) -> Levels:
    levels: Levels = request.app.state.wiring.levels
    return levels


@router.get("", operation_id="quota_list_hospital_levels")
async def list_hospital_levels(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> HospitalLevels:
    """Every hospital's level, in the order of their list."""
    return await _levels(request).levels(slug)


@router.get(
    "/template.xlsx",
    operation_id="quota_get_hospital_level_template",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "An .xlsx to fill in"}},
)
async def get_hospital_level_template(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> Response:
    """The workbook that the import understands, with every hospital and its level so far."""
    content = await _levels(request).template(slug)
    headers = {"Content-Disposition": 'attachment; filename="levels.xlsx"'}
    return Response(content, media_type=_XLSX, headers=headers)


@router.post("/import", operation_id="quota_import_hospital_levels")
async def import_hospital_levels(
    request: Request, slug: str, staff: Writer, file: UploadFile, *, dry_run: bool = False
) -> ImportReport:
    """Takes levels from a list (.xlsx, .csv): 医院, 级别; an empty level takes the hospital's away.

    `dry_run` only says what would happen.
    """
    return await _levels(request).import_levels(staff, slug, await file.read(), dry_run=dry_run)

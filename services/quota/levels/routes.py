from fastapi import APIRouter, Request, UploadFile

from services.quota.levels.operations import Levels
from services.quota.levels.schemas import HospitalLevels
from shared.documents.reports import ImportReport
from shared.http.auth import Reader, Writer

router = APIRouter(prefix="/quota/v1/programmes/{slug}/hospital-levels", tags=["rankings"])


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


@router.post("/import", operation_id="quota_import_hospital_levels")
async def import_hospital_levels(
    request: Request, slug: str, staff: Writer, file: UploadFile, *, dry_run: bool = False
) -> ImportReport:
    """Takes levels from a list (.xlsx, .csv): 医院, 级别; an empty level takes the hospital's away.

    `dry_run` only says what would happen.
    """
    return await _levels(request).import_levels(staff, slug, await file.read(), dry_run=dry_run)

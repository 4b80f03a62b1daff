from urllib.parse import quote

from fastapi import APIRouter, Request, Response, UploadFile

from services.quota.bases.operations import AllocationBases
from services.quota.bases.schemas import Bases, BasisFigure, BasisInPath
from shared.documents.reports import ImportReport
from shared.http.auth import Reader, Writer
from shared.http.replies import LIMIT_DEFAULT, Cursor, Limit, Page, encode_cursor, position_of_number

router = APIRouter(prefix="/quota/v1/programmes/{slug}/bases", tags=["allocation"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _bases(request: Request) -> AllocationBases:
    bases: AllocationBases = request.app.state.wiring.bases
    return bases


@router.get("", operation_id="quota_list_bases")
async def list_bases(request: Request, slug: str, staff: Reader) -> Bases:  # noqa: ARG001 - only readers get here
    """What quotas can be shared by: the visits, and every imported basis."""
    return await _bases(request).bases(slug)


@router.get("/{basis}", operation_id="quota_list_basis_figures")
async def list_basis_figures(
    request: Request,
    slug: str,
    basis: BasisInPath,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[BasisFigure]:
    """The figures of a basis in the order of the list; null where a hospital has none yet."""
    after = position_of_number(cursor) or 0
    items, following = await _bases(request).figures(slug, basis, limit=limit, after=after)
    return Page(items=items, next_cursor=None if following is None else encode_cursor([following]))


@router.get(
    "/{basis}/template.xlsx",
    operation_id="quota_get_basis_template",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "An .xlsx to fill in"}},
)
async def get_basis_template(request: Request, slug: str, basis: BasisInPath, staff: Reader) -> Response:  # noqa: ARG001 - only readers get here
    """The workbook that the import understands, with every hospital and the figures so far."""
    content = await _bases(request).template(slug, basis)
    name = quote(f"basis-{basis}.xlsx")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(content, media_type=_XLSX, headers=headers)


@router.post("/{basis}/import", operation_id="quota_import_basis")
async def import_basis(
    request: Request,
    slug: str,
    basis: BasisInPath,
    staff: Writer,
    file: UploadFile,
    *,
    dry_run: bool = False,
) -> ImportReport:
    """Takes figures of a basis from a table (.xlsx, .csv): 医院, and 数值 or the basis' name, in any order.

    The basis is made by its first import; known figures are updated. `dry_run` only says what would happen.
    """
    return await _bases(request).take(staff, slug, basis, await file.read(), dry_run=dry_run)

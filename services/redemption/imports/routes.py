from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from services.redemption.imports.operations import template
from services.redemption.imports.schemas import DirectoryImportReport, ImportItem, ImportUndone, UndoImport
from services.redemption.imports.store import Import
from services.redemption.institutions.routes import XLSX
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import Reader, Writer
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
from shared.ids import parse_uuid

router = APIRouter(prefix="/redemption/v1/institutions", tags=["institutions"])


@router.post("/import", operation_id="redemption_import_institutions")
async def import_file(
    request: Request,
    staff: Writer,
    file: UploadFile,
    campaign: Annotated[str, Query(max_length=SHORT_MAX)],
    *,
    dry_run: bool = False,
) -> DirectoryImportReport:
    """Takes institutions from a list (.xlsx, .csv): 名称, 类别, 受理券种 and more, in any order.

    An institution is known by its credit code, else by its name; what the list says of it is updated.
    """
    content = await file.read()
    return await wiring_of(request).imports.take_in(staff, campaign, content, dry_run=dry_run)


@router.get(
    "/template.xlsx",
    operation_id="redemption_institutions_template",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The sheet that the import understands"}},
)
async def import_template(staff: Writer) -> Response:  # noqa: ARG001 - only those who may import get here
    """The sheet that the import understands, to be filled in."""
    headers = {"Content-Disposition": 'attachment; filename="institutions.xlsx"'}
    return Response(template(), media_type=XLSX, headers=headers)


@router.get("/imports", operation_id="redemption_list_institution_imports")
async def list_imports(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    campaign: Annotated[str | None, Query(max_length=SHORT_MAX)] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[ImportItem]:
    """The lists that were imported, newest first."""
    found = await wiring_of(request).imports.page(campaign, limit=limit, after=position_of_moment(cursor))
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[_item(one) for one in found[:limit]],
        next_cursor=None if last is None else encode_cursor([last.imported_at.isoformat(), str(last.id)]),
    )


@router.post(
    "/imports/{import_id}/undo",
    response_model=ImportUndone,
    operation_id="redemption_undo_institution_import",
)
async def undo(request: Request, import_id: str, staff: Writer, body: UndoImport) -> JSONResponse:
    """Takes back what a list brought, as far as nobody has used it since; says what stays, and why."""
    key = staff_key(staff, "institution.import.undo", body, import_id)
    done = await wiring_of(request).imports.undo(staff, parse_uuid(import_id), body.reason, key)
    return replayable(done, first_status=200)


def _item(found: Import) -> ImportItem:
    return ImportItem(
        id=str(found.id),
        campaign=found.campaign,
        file_sha256=found.file_sha256.hex(),
        rows=found.rows,
        accepted=found.accepted,
        updated=found.updated,
        imported_by=str(found.imported_by),
        imported_at=rfc3339(found.imported_at),
        undone_at=None if found.undone_at is None else rfc3339(found.undone_at),
    )

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from services.redemption.institutions.operations import template
from services.redemption.institutions.rules import NAME_MAX, SHORT_MAX, DirectoryEntry
from services.redemption.institutions.schemas import (
    InstitutionItem,
    InstitutionState,
    MadeInstitution,
    NewInstitution,
    Reason,
)
from services.redemption.institutions.store import Filters, Listed
from services.redemption.terminals.routes import wiring_of
from shared.documents.reports import ImportReport
from shared.errors import Fault, InvalidRequest
from shared.http.auth import Writer
from shared.http.client import stop_floods_of_anybody
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

router = APIRouter(
    prefix="/redemption/v1/institutions",
    tags=["institutions"],
    dependencies=[Depends(stop_floods_of_anybody)],
)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CURSOR_PARTS = 2

Word = Annotated[str | None, Query(max_length=SHORT_MAX)]


@router.post(
    "", status_code=201, response_model=MadeInstitution, operation_id="redemption_create_institution"
)
async def create(request: Request, staff: Writer, body: NewInstitution) -> JSONResponse:
    """Enters an institution into a campaign's directory; a wrong credit code is a warning."""
    entry = DirectoryEntry(
        name=body.name,
        category=body.category,
        county=body.county,
        public=body.public,
        address=body.address,
        credit_code=body.credit_code,
        accepts=tuple(dict.fromkeys(body.accepts)),
    )
    key = staff_key(staff, "institution.create", body)
    return replayable(await wiring_of(request).directory.create(staff, entry, body.campaign, key))


@router.post("/import", operation_id="redemption_import_institutions")
async def import_file(
    request: Request,
    staff: Writer,
    file: UploadFile,
    campaign: Annotated[str, Query(max_length=SHORT_MAX)],
    *,
    dry_run: bool = False,
) -> ImportReport:
    """Takes institutions from a list (.xlsx, .csv): 名称, 类别, 受理券种 and more, in any order.

    An institution is known by its credit code, else by its name; what the list says of it is updated.
    """
    content = await file.read()
    return await wiring_of(request).directory.import_file(staff, campaign, content, dry_run=dry_run)


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


@router.get("", operation_id="redemption_list_institutions")
async def directory(
    request: Request,
    *,
    campaign: Word = None,
    voucher_type: Word = None,
    county: Word = None,
    q: Annotated[str | None, Query(max_length=NAME_MAX)] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[InstitutionItem]:
    """Where a voucher can be used, in the order of names. Public."""
    filters = Filters(campaign=campaign, voucher_type=voucher_type, county=county, q=q or None)
    found = await wiring_of(request).directory.page(filters, limit=limit, after=_position(cursor))
    more = len(found) > limit
    last = found[limit - 1] if more else None
    return Page(
        items=[_item(one) for one in found[:limit]],
        next_cursor=None if last is None else encode_cursor([last.name, last.id]),
    )


@router.post(
    "/{institution_id}/pause", response_model=InstitutionState, operation_id="redemption_pause_institution"
)
async def pause(request: Request, institution_id: str, staff: Writer, body: Reason) -> JSONResponse:
    """None of its terminals may redeem until it is resumed; bites at once."""
    key = staff_key(staff, "institution.pause", body, institution_id)
    done = await wiring_of(request).directory.set_status(staff, institution_id, "paused", body.reason, key)
    return replayable(done, first_status=200)


@router.post(
    "/{institution_id}/resume", response_model=InstitutionState, operation_id="redemption_resume_institution"
)
async def resume(request: Request, institution_id: str, staff: Writer, body: Reason) -> JSONResponse:
    """Ends a pause."""
    key = staff_key(staff, "institution.resume", body, institution_id)
    done = await wiring_of(request).directory.set_status(staff, institution_id, "active", body.reason, key)
    return replayable(done, first_status=200)


def _position(cursor: str | None) -> tuple[str, str] | None:
    position = decode_cursor(cursor)
    if position is None:
        return None
    if len(position) != _CURSOR_PARTS or not all(isinstance(part, str) for part in position):
        raise InvalidRequest(faults=(Fault("query.cursor", "is not a cursor of this list", "cursor"),))
    return position[0], position[1]


def _item(listed: Listed) -> InstitutionItem:
    return InstitutionItem(
        id=listed.id,
        name=listed.name,
        category=listed.category,
        county=listed.county,
        public=listed.public,
        address=listed.address,
        accepts=listed.accepts,
        status=listed.status,
    )

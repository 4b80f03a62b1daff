from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from services.redemption.institutions.operations import Edit
from services.redemption.institutions.rules import (
    NAME_MAX,
    SHORT_MAX,
    DirectoryEntry,
    credit_code_warnings,
)
from services.redemption.institutions.schemas import (
    EditedInstitution,
    EditInstitution,
    HistoryItem,
    InstitutionItem,
    InstitutionRecord,
    InstitutionState,
    MadeInstitution,
    Membership,
    NewInstitution,
    Reason,
    Status,
)
from services.redemption.institutions.store import Filters, Listed, Version
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.errors import Fault, InvalidRequest
from shared.http.auth import CurrentStaff, Writer
from shared.http.caching import etagged
from shared.http.client import stop_floods_of_anybody
from shared.http.problems import FaultModel
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    Page,
    decode_cursor,
    encode_cursor,
    position_of_number,
    replayable,
    staff_key,
)
from shared.vouchers.categories import category_key

router = APIRouter(
    prefix="/redemption/v1/institutions",
    tags=["institutions"],
    dependencies=[Depends(stop_floods_of_anybody)],
)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A directory that is a minute old sends nobody astray; what is paused is refused at the till.
CACHE_CONTROL = "public, max-age=60"
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
        hours=None if body.hours is None else dict(body.hours.items()),
    )
    key = staff_key(staff, "institution.create", body)
    return replayable(await wiring_of(request).directory.create(staff, entry, body.campaign, key))


@router.get("", response_model=CountedPage[InstitutionItem], operation_id="redemption_list_institutions")
async def directory(
    request: Request,
    *,
    campaign: Word = None,
    voucher_type: Word = None,
    county: Word = None,
    q: Annotated[str | None, Query(max_length=NAME_MAX)] = None,
    category: Annotated[str | None, Query(max_length=SHORT_MAX, description="its key or its name")] = None,
    public: bool | None = None,
    status: Annotated[
        Status | None, Query(description="those that closed for good only if asked for")
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Response:
    """Where a voucher can be used, in the order of names. Public, and may be kept for a minute."""
    chosen = None if category is None else category_key(category)
    filters = Filters(campaign, voucher_type, county, q or None, chosen, public, status)
    found, total = await wiring_of(request).directory.page(filters, limit=limit, after=_position(cursor))
    last = found[limit - 1] if len(found) > limit else None
    page: CountedPage[InstitutionItem] = CountedPage(
        total=total,
        items=[_item(one) for one in found[:limit]],
        next_cursor=None if last is None else encode_cursor([last.name, last.id]),
    )
    return etagged(request, page.model_dump(mode="json"), cache_control=CACHE_CONTROL)


@router.get("/{institution_id}", operation_id="redemption_get_institution")
async def view(request: Request, institution_id: str, staff: CurrentStaff) -> InstitutionRecord:
    """All that is kept of it, for the bureau's staff and for its own."""
    found = await wiring_of(request).directory.view(staff, institution_id)
    entry = found.kept.entry.told()
    del entry["accepts"]
    members = [
        Membership(
            campaign=one.campaign, accepts=list(one.admission.accepts), awaiting=list(one.admission.awaiting)
        )
        for one in found.memberships
    ]
    warnings = [FaultModel(**asdict(one)) for one in credit_code_warnings(found.kept.entry.credit_code)]
    return InstitutionRecord(
        id=institution_id, status=found.kept.status, memberships=members, warnings=warnings, **entry
    )


@router.patch(
    "/{institution_id}", response_model=EditedInstitution, operation_id="redemption_edit_institution"
)
async def edit(request: Request, institution_id: str, staff: Writer, body: EditInstitution) -> JSONResponse:
    """Changes what is named; a type that has to be approved waits for the change that is proposed at once."""
    accepts = None if body.accepts is None else tuple(dict.fromkeys(body.accepts))
    wanted = Edit(body.fields(), body.campaign, accepts, body.reason)
    key = staff_key(staff, "institution.edit", body, institution_id)
    done = await wiring_of(request).directory.edit(staff, institution_id, wanted, key)
    return replayable(done, first_status=200)


@router.get("/{institution_id}/history", operation_id="redemption_list_institution_history")
async def history(
    request: Request,
    institution_id: str,
    staff: CurrentStaff,
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[HistoryItem]:
    """Who entered, edited, imported, approved or closed it, newest first."""
    found = await wiring_of(request).directory.history(
        staff, institution_id, limit=limit, before=position_of_number(cursor)
    )
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[_told(one) for one in found[:limit]],
        next_cursor=None if last is None else encode_cursor([last.version]),
    )


@router.post(
    "/{institution_id}/close", response_model=InstitutionState, operation_id="redemption_close_institution"
)
async def close(request: Request, institution_id: str, staff: Writer, body: Reason) -> JSONResponse:
    """For good: it accepts nothing any more. What it wrote off stays due, and may still be reversed."""
    key = staff_key(staff, "institution.close", body, institution_id)
    return replayable(
        await wiring_of(request).directory.close(staff, institution_id, body.reason, key), first_status=200
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
        hours=listed.hours,
        accepts=listed.accepts,
        status=listed.status,
    )


def _told(version: Version) -> HistoryItem:
    return HistoryItem.model_validate(
        {
            "version": version.version,
            "cause": version.cause,
            "before": version.before,
            "entry": version.entry,
            "import_id": None if version.import_id is None else str(version.import_id),
            "actor": version.actor,
            "reason": version.reason,
            "at": rfc3339(version.at),
        }
    )

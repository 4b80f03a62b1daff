from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response, UploadFile

from services.redemption.institutions.routes import XLSX
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.reconciliation.operations import Result, template
from services.redemption.reconciliation.rules import TITLES, Hint, Ours, ReadList, Theirs
from services.redemption.reconciliation.schemas import (
    Counts,
    Different,
    OnlyTheirs,
    OurEntry,
    Reconciled,
    ReconciliationItem,
    TheirEntry,
    Totals,
)
from services.redemption.reconciliation.store import Filters, Reconciliation
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.documents.reports import ERRORS_MAX, ImportFault, ImportReport
from shared.http.auth import CurrentStaff
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Day,
    Limit,
    encode_cursor,
    position_of_moment,
)
from shared.ids import parse_uuid

router = APIRouter(prefix="/redemption/v1/reconciliations", tags=["settlement"])

# More than this is for the workbook.
SHOWN_MAX = 1_000


@router.post("", operation_id="redemption_reconcile")
async def reconcile(
    request: Request,
    staff: CurrentStaff,
    *,
    file: UploadFile,
    institution_id: Annotated[str, Form(max_length=SHORT_MAX)],
    first: Annotated[Day, Form(alias="from")],
    last: Annotated[Day, Form(alias="to")],
) -> Reconciled:
    """Compares a list (.xlsx, .csv) with an institution's live write-offs of a period, by request number.

    Columns `request_no, voucher_type, applied_fen, redeemed_at`, or 请求号, 券种, 抵扣金额（元）, 核销时间.
    Type and time may be left out; times may differ by five minutes.
    """
    content = await file.read()
    result = await wiring_of(request).reconciliations.reconcile(staff, institution_id, first, last, content)
    return _reconciled(result)


@router.post("/check", operation_id="redemption_check_reconciliation")
async def check(
    request: Request,
    staff: CurrentStaff,
    *,
    file: UploadFile,
    institution_id: Annotated[str, Form(max_length=SHORT_MAX)],
) -> ImportReport:
    """What is wrong in the rows of a list, by row and column; compares and keeps nothing."""
    content = await file.read()
    read = await wiring_of(request).reconciliations.check(staff, institution_id, content)
    rejected = len({fault.row for fault in read.faults})
    return ImportReport(
        rows=len(read.entries) + rejected,
        accepted=len(read.entries),
        rejected=rejected,
        duplicates=0,
        errors=_faults(read),
        dry_run=True,
    )


@router.get(
    "/template.xlsx",
    operation_id="redemption_reconciliation_template",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The sheet that a reconciliation understands"}},
)
async def get_template(staff: CurrentStaff) -> Response:  # noqa: ARG001 - only staff get here
    """The sheet that a reconciliation understands, to be filled in."""
    headers = {"Content-Disposition": 'attachment; filename="reconciliation.xlsx"'}
    return Response(template(), media_type=XLSX, headers=headers)


@router.get("", operation_id="redemption_list_reconciliations")
async def list_reconciliations(
    request: Request,
    staff: CurrentStaff,
    *,
    institution_id: Annotated[str | None, Query(max_length=SHORT_MAX)] = None,
    day: Annotated[Day | None, Query(description="one of those that were reconciled")] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[ReconciliationItem]:
    """Reconciliations that were made, newest first; an institution sees its own."""
    found, total = await wiring_of(request).reconciliations.page(
        staff, Filters(institution_id, day), limit=limit, after=position_of_moment(cursor)
    )
    last, _ = found[limit - 1] if len(found) > limit else (None, "")
    return CountedPage(
        total=total,
        items=[_item(one, institution) for one, institution in found[:limit]],
        next_cursor=encode_cursor([last.at.isoformat(), last.id]) if last else None,
    )


@router.get(
    "/{reconciliation_id}/workbook.xlsx",
    operation_id="redemption_reconciliation_workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "A sheet for each of the lists"}},
)
async def workbook(request: Request, reconciliation_id: str, staff: CurrentStaff) -> Response:
    """All rows of a reconciliation, a sheet for each list."""
    content = await wiring_of(request).reconciliations.workbook(staff, parse_uuid(reconciliation_id))
    headers = {"Content-Disposition": f'attachment; filename="reconciliation-{reconciliation_id}.xlsx"'}
    return Response(content, media_type=XLSX, headers=headers)


def _faults(read: ReadList) -> list[ImportFault]:
    return [
        ImportFault(row=fault.row, column=TITLES[fault.column], message=fault.message)
        for fault in read.faults[:ERRORS_MAX]
    ]


def _reconciled(result: Result) -> Reconciled:
    made, compared, read = result.reconciliation, result.compared, result.read
    ours = [*(pair.ours for pair in (*compared.matched, *compared.different)), *compared.only_ours]
    lists = (compared.matched, compared.only_ours, compared.only_theirs, compared.different, read.faults)
    return Reconciled(
        id=str(made.id),
        institution_id=made.institution_id,
        first=made.period_from.isoformat(),
        last=made.period_to.isoformat(),
        amount_unit=read.unit,
        counts=_counts(made),
        totals={
            "ours": Totals(count=len(ours), applied_fen=sum(one.applied_fen for one in ours)),
            "theirs": Totals(
                count=len(read.entries), applied_fen=sum(one.applied_fen for one in read.entries)
            ),
        },
        matched=[_our(pair.ours) for pair in compared.matched[:SHOWN_MAX]],
        only_ours=[_our(one) for one in compared.only_ours[:SHOWN_MAX]],
        only_theirs=[
            _only_theirs(entry, hint)
            for entry, hint in zip(compared.only_theirs[:SHOWN_MAX], result.hints, strict=False)
        ],
        different=[
            Different.model_validate(
                {
                    "request_no": pair.ours.request_no,
                    "fields": list(pair.fields),
                    "ours": _our(pair.ours),
                    "theirs": _their(pair.theirs),
                }
            )
            for pair in compared.different[:SHOWN_MAX]
        ],
        rejected=_faults(read),
        truncated=any(len(one) > SHOWN_MAX for one in lists),
        workbook=_workbook(made),
    )


def _item(made: Reconciliation, institution: str) -> ReconciliationItem:
    return ReconciliationItem(
        id=str(made.id),
        institution_id=made.institution_id,
        institution=institution,
        first=made.period_from.isoformat(),
        last=made.period_to.isoformat(),
        counts=_counts(made),
        file_sha256=made.file_sha256.hex(),
        at=rfc3339(made.at),
        workbook=_workbook(made),
    )


def _workbook(made: Reconciliation) -> str:
    return f"{router.prefix}/{made.id}/workbook.xlsx"


def _counts(made: Reconciliation) -> Counts:
    return Counts(
        matched=made.matched,
        only_ours=made.only_ours,
        only_theirs=made.only_theirs,
        different=made.different,
        rejected=made.rejected,
    )


def _our(one: Ours) -> OurEntry:
    return OurEntry(
        redemption_id=one.id,
        request_no=one.request_no,
        voucher_type=one.voucher_type,
        applied_fen=one.applied_fen,
        redeemed_at=rfc3339(one.redeemed_at),
    )


def _their(entry: Theirs) -> TheirEntry:
    return TheirEntry(
        row=entry.row,
        request_no=entry.request_no,
        voucher_type=entry.voucher_type,
        applied_fen=entry.applied_fen,
        redeemed_at=None if entry.redeemed_at is None else rfc3339(entry.redeemed_at),
    )


def _only_theirs(entry: Theirs, hint: Hint) -> OnlyTheirs:
    return OnlyTheirs(**_their(entry).model_dump(), hint=hint)

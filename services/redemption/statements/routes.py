from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from services.redemption.institutions.routes import XLSX
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.settlement.rules import Status
from services.redemption.settlement.store import Filters
from services.redemption.terminals.routes import wiring_of
from shared.http.auth import CurrentStaff, Reader, Writer
from shared.http.replies import Day
from shared.ids import parse_uuid

# Before the settlements' own routes: `payment-file` is no id.
router = APIRouter(prefix="/redemption/v1/settlements", tags=["settlement"])

PDF, CSV = "application/pdf", "text/csv; charset=utf-8"

Campaign = Annotated[str, Query(max_length=SHORT_MAX)]
Institution = Annotated[str | None, Query(max_length=SHORT_MAX)]
First = Annotated[Day | None, Query(alias="from")]
Last = Annotated[Day | None, Query(alias="to")]


@router.get(
    "/payment-file",
    operation_id="redemption_payment_file",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "UTF-8 with BOM, for the bank's program"}},
)
async def payment_file(
    request: Request,
    staff: Writer,
    campaign: Campaign,
    *,
    institution_id: Institution = None,
    status: Status = "confirmed",
    first: First = None,
    last: Last = None,
) -> Response:
    """Who pays what to whom: a line per settlement and payer, totals, and the SHA-256 of the lines above.

    Confirmed settlements, unless `status` asks for those that were paid. It alone has the payees' accounts in
    full, so it is for those who may pay, and every download is in the audit log. What has no account is
    listed below the totals as an exception.
    """
    filters = Filters(institution_id=institution_id, status=status, first=first, last=last)
    content = await wiring_of(request).statements.payment_file(staff, campaign, filters)
    return _file(content, CSV, f"payments-{campaign}.csv")


@router.get(
    "/summary.xlsx",
    operation_id="redemption_settlement_summary",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "A line per settlement, a column per payer"}},
)
async def summary(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    campaign: Campaign,
    *,
    status: Status | None = None,
    first: First = None,
    last: Last = None,
) -> Response:
    """All institutions' settlements of a campaign, with what each payer owes."""
    filters = Filters(status=status, first=first, last=last)
    content = await wiring_of(request).statements.summary(campaign, filters)
    return _file(content, XLSX, f"settlements-{campaign}.xlsx")


@router.get(
    "/{settlement_id}/statement.xlsx",
    operation_id="redemption_statement_workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The statement, and every write-off"}},
)
async def statement_workbook(request: Request, settlement_id: str, staff: CurrentStaff) -> Response:
    """The statement as a workbook; the second sheet lists every write-off and correction."""
    content = await wiring_of(request).statements.workbook(staff, parse_uuid(settlement_id))
    return _file(content, XLSX, f"statement-{settlement_id}.xlsx")


@router.get(
    "/{settlement_id}/statement.pdf",
    operation_id="redemption_statement_pdf",
    response_class=Response,
    responses={200: {"content": {PDF: {}}, "description": "The statement, to be signed"}},
)
async def statement_pdf(request: Request, settlement_id: str, staff: CurrentStaff) -> Response:
    """The statement for signature and stamp."""
    content = await wiring_of(request).statements.pdf(staff, parse_uuid(settlement_id))
    return _file(content, PDF, f"statement-{settlement_id}.pdf")


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=media_type, headers=headers)

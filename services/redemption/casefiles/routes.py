from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from services.redemption.institutions.routes import XLSX
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.risk.rules import CaseKind, CaseStatus, Decision, Filters
from services.redemption.terminals.routes import wiring_of
from shared.http.auth import Reader
from shared.ids import parse_uuid

router = APIRouter(prefix="/redemption/v1/risk", tags=["risk"])

Word = Annotated[str | None, Query(max_length=SHORT_MAX)]


@router.get(
    "/cases.xlsx",
    operation_id="redemption_export_cases",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "A line per case"}},
)
async def export_cases(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    campaign: Word = None,
    institution_id: Word = None,
    status: CaseStatus | None = None,
    kind: CaseKind | None = None,
    decision: Decision | None = None,
) -> Response:
    """The list of cases as a workbook, narrowed as `GET …/risk/cases` is; no person is told."""
    filters = Filters(institution_id=institution_id, status=status, kind=kind, decision=decision)
    content = await wiring_of(request).case_files.cases(campaign, filters)
    return _workbook(content, f"cases-{campaign or 'all'}.xlsx")


@router.get(
    "/cases/{case_id}/case.xlsx",
    operation_id="redemption_export_case",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The case, its write-offs, what was done"}},
)
async def export_case(
    request: Request,
    case_id: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> Response:
    """A case file to be handed on: reasons, write-offs and history with names of staff; no person is told."""
    content = await wiring_of(request).case_files.case(parse_uuid(case_id))
    return _workbook(content, f"case-{case_id}.xlsx")


def _workbook(content: bytes, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=XLSX, headers={"Content-Disposition": disposition})

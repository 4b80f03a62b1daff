from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response

from services.issuance.reports.operations import Reports
from services.issuance.reports.schemas import ReportQuery
from services.issuance.templates.routes import DOCX
from shared.http.auth import Reader

router = APIRouter(prefix="/issuance/v1", tags=["figures"])

_SLUG_MAX = 64


@router.get(
    "/campaigns/{slug}/report.docx",
    operation_id="issuance_get_report",
    response_class=Response,
    responses={200: {"content": {DOCX: {}}, "description": "The report, in the form of GB/T 9704"}},
)
async def get_report(
    request: Request,
    slug: Annotated[str, Path(max_length=_SLUG_MAX)],
    staff: Reader,  # noqa: ARG001 - only readers get here
    asked: ReportQuery,
) -> Response:
    """The official report (工作情况报告) as Word, every figure from one snapshot.

    In the template and with the words that the bureau keeps; what is asked here goes before them.
    """
    reports: Reports = request.app.state.wiring.reports
    name, content = await reports.report(slug, asked)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=DOCX, headers=headers)

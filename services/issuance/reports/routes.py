from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Request, Response

from services.issuance.reports.operations import Reports
from shared.http.auth import Reader

router = APIRouter(prefix="/issuance/v1", tags=["figures"])

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
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
) -> Response:
    """The official report (工作情况报告) as Word, every figure from one snapshot."""
    reports: Reports = request.app.state.wiring.reports
    name, content = await reports.report(slug)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name, safe='')}",
        "Cache-Control": "private, no-store",
    }
    return Response(content, media_type=DOCX, headers=headers)

from datetime import date
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request, Response

from services.quota.funnel.operations import Asked, FunnelView
from services.quota.funnel.rules import By
from services.quota.funnel.schemas import Funnel
from services.quota.programmes.routes import ProgrammeReader

router = APIRouter(prefix="/quota/v1/programmes/{slug}", tags=["progress"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _asked(
    by: By = "hospital",
    first: Annotated[date | None, Query(alias="from", description="a day, included")] = None,
    last: Annotated[date | None, Query(alias="to", description="a day, included")] = None,
    hospital_id: Annotated[str | None, Query(max_length=64)] = None,
) -> Asked:
    return Asked(by, first, last, hospital_id)


Wanted = Annotated[Asked, Depends(_asked)]


def _funnel(request: Request) -> FunnelView:
    funnel: FunnelView = request.app.state.wiring.funnel
    return funnel


@router.get("/funnel", operation_id="quota_view_funnel")
async def view_funnel(request: Request, slug: str, staff: ProgrammeReader, asked: Wanted) -> Funnel:
    """Scan, landing, application, issue and use by hospital, code or day; a hospital sees its own."""
    return await _funnel(request).view(staff, slug, asked)


@router.get(
    "/funnel.xlsx",
    operation_id="quota_download_funnel",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "A sheet each by hospital, code and day"}},
)
async def download_funnel(request: Request, slug: str, staff: ProgrammeReader, asked: Wanted) -> Response:
    """The funnel as a workbook, with the effective cards beside the issued ones."""
    content = await _funnel(request).book(staff, slug, asked)
    name = quote(f"funnel-{slug}.xlsx")
    return Response(
        content,
        media_type=_XLSX,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )

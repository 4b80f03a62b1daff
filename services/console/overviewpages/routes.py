"""The first page after signing in, by role, and the integrity check."""

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.console.integrity.operations import IntegrityDesk
from services.console.overviewpages.operations import Overview
from services.console.pages.routes import AnyVisitor, BureauReader, page_router
from services.console.pages.schemas import shown_time
from shared.identity.staff import READERS, Role

router = page_router("/console")


@router.get("")
async def console(request: Request, visitor: AnyVisitor) -> Response:
    if visitor.staff.has(*READERS):
        overview: Overview = request.app.state.wiring.overview
        boards = await overview.boards()
        return visitor.page(
            "overviewpages/overview.html", here="overview", boards=boards, as_of=shown_time(boards.as_of)
        )
    if visitor.staff.has(Role.HOSPITAL):
        return RedirectResponse("/console/hospital", status_code=303)
    return RedirectResponse("/console/own", status_code=303)


@router.get("/integrity")
async def integrity(request: Request, visitor: BureauReader) -> Response:
    desk: IntegrityDesk = request.app.state.wiring.integrity
    report = await desk.report()
    return visitor.page(
        "overviewpages/integrity.html", here="integrity", report=report, as_of=shown_time(report.as_of)
    )

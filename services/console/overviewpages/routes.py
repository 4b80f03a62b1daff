"""The first page after signing in, by role."""

import asyncio

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from services.console.integrity.operations import IntegrityDesk
from services.console.overviewpages.operations import Boards, Overview
from services.console.overviewwords.rules import Warned, shortcuts_of, waits_of, warnings_of
from services.console.pages.routes import AnyVisitor, Visitor, page_router
from services.console.pages.schemas import shown_time
from shared.clients.errors import ServicesNotConnected
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import Busy
from shared.identity.staff import READERS, Role

router = page_router("/console")


async def _odds_alarm(visitor: Visitor, slug: str) -> bool:
    """Whether a campaign's draws stray from the announced odds; no alarm while nobody can say."""
    try:
        monitor = await visitor.calls.get(at("issuance", "campaigns", slug, "draw-monitor"))
    except (Refused, Busy, ServicesNotConnected):
        return False
    return bool(monitor["alarm"])


async def _warned(visitor: Visitor, boards: Boards) -> list[Warned]:
    desk: IntegrityDesk = visitor.request.app.state.wiring.integrity
    running = [board for board in boards.campaigns if board.status != "ended"]
    kept = await desk.kept()
    alarms = await asyncio.gather(*(_odds_alarm(visitor, board.slug) for board in running))
    strayed = [board.title for board, alarm in zip(running, alarms, strict=True) if alarm]
    whole = kept is None or kept.report.ok
    return warnings_of(whole=whole, failed=visitor.waiting.jobs, strayed=strayed, running=running)


@router.get("")
async def console(request: Request, visitor: AnyVisitor) -> Response:
    if visitor.staff.has(*READERS):
        overview: Overview = request.app.state.wiring.overview
        boards = await overview.boards()
        return visitor.page(
            "overviewpages/overview.html",
            here="overview",
            boards=boards,
            warned=await _warned(visitor, boards),
            todo=waits_of(
                changes=visitor.waiting.changes,
                reviews=visitor.waiting.reviews,
                jobs=visitor.waiting.jobs,
            ),
            shortcuts=shortcuts_of(visitor.staff.roles),
            as_of=shown_time(boards.as_of),
        )
    if visitor.staff.has(Role.HOSPITAL):
        return RedirectResponse("/console/hospital", status_code=303)
    return RedirectResponse("/console/own", status_code=303)

"""Programmes: what a city must issue and how that adds up, a new one from a file, its end; working days."""

import asyncio
from datetime import date
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import RedirectResponse

from services.console.campaignpages.errors import DefinitionUnreadable
from services.console.campaignpages.rules import holding
from services.console.campaignpages.schemas import definition_in
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import language_for, listed_file
from services.console.programmepages.rules import (
    DAY_HEADER,
    DAY_WIDTHS,
    ORIGINS,
    PROGRAMME_HEADER,
    PROGRAMME_WIDTHS,
    WEEKDAYS,
    WHAT_CHOICES,
    days_of,
    programme_row,
)
from services.console.quotapages.operations import programmes_of
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.identity.staff import WRITERS

_PATH = "/console/quota/programmes"

router = page_router("/console/quota")

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Word = Annotated[str, Query(max_length=64)]
Text = Annotated[str, Form(max_length=500)]
What = Annotated[Literal["", "works", "off"], Query()]
Year = Annotated[int | None, Query(ge=1900, le=2199)]


@router.get("/programmes")
async def programmes(visitor: BureauReader, q: Word = "") -> Response:
    found = await programmes_of(visitor.calls)
    return visitor.page(
        "programmepages/programmes.html",
        here="programmes",
        programmes=holding(found.items, q, "title", "slug"),
        q=q,
        query=urlencode({"q": q}),
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("/programmes.xlsx")
async def programmes_file(visitor: BureauReader, q: Word = "") -> Response:
    found = holding((await programmes_of(visitor.calls)).items, q, "title", "slug")
    return await listed_file("发卡任务", PROGRAMME_HEADER, [*map(programme_row, found)], PROGRAMME_WIDTHS)


def _new(visitor: Visitor, *, status: int = 200, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    values = {"refused": None, "file_name": "", **shown}
    return visitor.page("programmepages/new.html", here="programmes", status=status, **values)


@router.get("/programmes/new")
async def new(visitor: Writer) -> Response:
    return _new(visitor)


@router.post("/programmes/new", dependencies=[OUR_FORM])
async def create(visitor: Writer, file: Annotated[UploadFile | None, File()] = None) -> Response:
    """Every fault of the file with its place; or the programme, which begins without hospitals."""
    sent = file if file is not None and file.filename else None
    name = (sent.filename or "") if sent else ""
    try:
        made = await visitor.calls.post(at("quota", "programmes"), await definition_in(sent))
    except Refused as refused:
        return _new(visitor, refused=refused, file_name=name, status=refused.status)
    except DefinitionUnreadable as unreadable:
        problem = {"code": unreadable.code, "detail": unreadable.detail(language_for(visitor.request))}
        return _new(visitor, refused=Refused(422, problem), file_name=name, status=422)
    return RedirectResponse(f"{_PATH}/{made['slug']}?done=made", status_code=303)


async def _programme(
    visitor: Visitor,
    slug: str,
    *,
    refused: Refused | None = None,
    done: str = "",
    ends_on: str = "",
    reason: str = "",
) -> Response:
    base = at("quota", "programmes", slug)
    shown, versions, progress = await asyncio.gather(
        visitor.calls.get(base),
        visitor.calls.get(f"{base}/allocations"),
        visitor.calls.get(f"{base}/progress", {"limit": 1}),
    )
    return visitor.page(
        "programmepages/programme.html",
        here="programmes",
        status=refused.status if refused else 200,
        programme=shown,
        versions=versions["items"],
        progress=progress,
        refused=refused,
        done=done,
        ends_on=ends_on or shown["ends_on"] or "",
        reason=reason,
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("/programmes/{slug}")
async def programme(visitor: BureauReader, slug: str, done: Word = "") -> Response:
    return await _programme(visitor, slug, done=done)


@router.post("/programmes/{slug}/end", dependencies=[OUR_FORM])
async def propose_end(
    visitor: Writer, slug: str, ends_on: Text = "", reason: Text = "", request_no: RequestNo = ""
) -> Response:
    """Another last day, for a second person to approve; left empty: none."""
    body = {"ends_on": ends_on.strip() or None, "reason": reason, "request_no": request_no or None}
    try:
        await visitor.calls.post(at("quota", "programmes", slug, "end"), body)
    except Refused as refused:
        return await _programme(visitor, slug, refused=refused, ends_on=ends_on, reason=reason)
    return RedirectResponse(f"{_PATH}/{slug}?done=end", status_code=303)


async def _year(visitor: Visitor, year: int | None) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The years that have a calendar, and the days of the one asked for, else of the newest."""
    years = (await visitor.calls.get(at("quota", "working-days")))["items"]
    wanted = year or (years[-1]["year"] if years else None)
    if wanted is None:
        return years, None
    return years, await visitor.calls.get(at("quota", "working-days", str(wanted)))


@router.get("/working-days")
async def working_days(visitor: BureauReader, year: Year = None, what: What = "") -> Response:
    years, shown = await _year(visitor, year)
    days = [(one, WEEKDAYS[date.fromisoformat(one["date"]).weekday()]) for one in days_of(shown, what)]
    return visitor.page(
        "programmepages/working_days.html",
        here="working-days",
        years=sorted(years, key=lambda one: -int(one["year"])),
        shown=shown,
        days=days,
        what=what,
        what_choices=WHAT_CHOICES,
        origins=ORIGINS,
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("/working-days.xlsx")
async def working_days_file(visitor: BureauReader, year: Year = None, what: What = "") -> Response:
    _, shown = await _year(visitor, year)
    rows = [[one["date"], "上班" if one["works"] else "放假", one["name"]] for one in days_of(shown, what)]
    number = shown["year"] if shown else ""
    return await listed_file(f"{number}年工作日历", DAY_HEADER, rows, DAY_WIDTHS)

"""Card programmes for the bureau: how far they are, and the editor of the quotas."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import XLSX, attached
from services.console.quotapages.operations import Programmes, names_like, programmes_of
from services.console.quotapages.rules import (
    METHODS,
    alliance_choices,
    basis_choices,
    behind,
    permille,
    points,
    progress_papers,
)
from services.console.quotapages.schemas import (
    Adjustment,
    Bound,
    Text,
    Typed,
    adjustments_form,
    bounds_form,
    typed_again,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.documents.workbooks import workbook
from shared.identity.staff import WRITERS

_PROGRESS = "/console/quota/progress"
_ALLOCATION = "/console/quota/allocation"
# Rows of a page of figures; sums are of all hospitals whatever is shown.
_ROWS = 100
# Enough words for a preview, which keeps none of them.
_PREVIEW_REASON = "测算"

router = page_router("/console/quota")

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Slug = Annotated[str, Query(max_length=64)]
Word = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=500)]
Number = Annotated[int | None, Query(ge=1, le=1_000_000)]
Adjustments = Annotated[list[Adjustment], Depends(adjustments_form)]
Bounds = Annotated[list[Bound], Depends(bounds_form)]
Part = dict[str, str | int | bool | None]


def _shown(visitor: Visitor, template: str, here: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    return visitor.page(
        f"quotapages/{template}", here=here, permille=permille, points=points, behind=behind, **shown
    )


def _part(alliance: str, q: str, cursor: str | None) -> Part:
    return {"alliance": alliance or None, "q": q.strip() or None, "limit": _ROWS, "cursor": cursor or None}


@router.get("/names")
async def names(request: Request, visitor: BureauReader, programme: Slug) -> Response:
    """Names to choose from while one types into any field; `<option>` elements and nothing else."""
    typed = next((value for name, value in request.query_params.items() if name != "programme"), "")
    return visitor.page(
        "quotapages/names.html",
        here="",
        hospitals=await names_like(visitor.calls, programme, typed[:200]),
    )


@router.get("/progress")
async def progress(
    visitor: BureauReader, programme: Slug = "", alliance: Word = "", q: Word = "", *, cursor: Cursor = None
) -> Response:
    programmes = await programmes_of(visitor.calls)
    slug = programmes.chosen(programme)
    if not slug:
        return _shown(visitor, "progress.html", "progress", programmes=[], slug="", view=None)
    view = await visitor.calls.get(at("quota", "programmes", slug, "progress"), _part(alliance, q, cursor))
    asked = {
        "programme": slug,
        **{name: value for name, value in (("alliance", alliance), ("q", q)) if value},
    }
    query, following = urlencode(asked), view["next_cursor"]
    return _shown(
        visitor,
        "progress.html",
        "progress",
        programmes=programmes.choices,
        slug=slug,
        view=view,
        alliance=alliance,
        q=q,
        alliances=alliance_choices(view["alliances"]),
        query=query,
        first=f"{_PROGRESS}?{query}" if cursor else "",
        further=f"{_PROGRESS}?{query}&{urlencode({'cursor': following})}" if following else "",
    )


@router.get("/progress.xlsx")
async def progress_file(
    visitor: BureauReader, programme: Slug, alliance: Word = "", q: Word = ""
) -> Response:
    """All that fits the filters, however long, with the alliances and who is likely to miss."""
    query = {"alliance": alliance or None, "q": q.strip() or None}
    view = await visitor.calls.get(at("quota", "programmes", programme, "progress"), query)
    content = await asyncio.to_thread(workbook, progress_papers(view))
    return attached(content, XLSX, f"{programme}-任务进度.xlsx")


async def _editor(
    visitor: Visitor,
    programmes: Programmes,
    slug: str,
    typed: Typed,
    *,
    refused: Refused | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    base = at("quota", "programmes", slug)
    values = {"preview": None, "done": "", "alliance": "", "q": "", "first": "", "further": "", **shown}
    if "versions" not in values:
        values["versions"] = (await visitor.calls.get(f"{base}/allocations"))["items"]
    bases = await visitor.calls.get(f"{base}/bases")
    known = values["preview"]["alliances"] if values["preview"] else []
    return _shown(
        visitor,
        "allocation.html",
        "allocation",
        status=refused.status if refused else 200,
        programmes=programmes.choices,
        slug=slug,
        bases=basis_choices(bases["items"]),
        methods=METHODS,
        typed=typed,
        refused=refused,
        alliances=alliance_choices(known),
        may_write=visitor.staff.has(*WRITERS),
        **values,
    )


@router.get("/allocation")
async def allocation(
    visitor: BureauReader,
    programme: Slug = "",
    version: Number = None,
    done: Slug = "",
    *,
    alliance: Word = "",
    q: Word = "",
    cursor: Cursor = None,
) -> Response:
    """The editor; it begins with the version named, else with the one in force."""
    programmes = await programmes_of(visitor.calls)
    slug = programmes.chosen(programme)
    if not slug:
        return _shown(visitor, "allocation.html", "allocation", programmes=[], slug="")
    base = at("quota", "programmes", slug)
    versions = (await visitor.calls.get(f"{base}/allocations"))["items"]
    begin = version or next((one["version"] for one in versions if one["in_force"]), None)
    if begin is None:
        found = programmes.one(slug) or {}
        typed = Typed(total=str(found.get("allocation_total") or ""))
        return await _editor(visitor, programmes, slug, typed, versions=versions, done=done)
    view = await visitor.calls.get(f"{base}/allocations/{begin}", _part(alliance, q, cursor))
    asked = {"programme": slug, "version": str(begin), "alliance": alliance, "q": q}
    query = urlencode({name: value for name, value in asked.items() if value})
    following = view["next_cursor"]
    return await _editor(
        visitor,
        programmes,
        slug,
        typed_again(view),
        versions=versions,
        preview=view,
        done=done,
        alliance=alliance,
        q=q,
        first=f"{_ALLOCATION}?{query}" if cursor else "",
        further=f"{_ALLOCATION}?{query}&{urlencode({'cursor': following})}" if following else "",
    )


@router.post("/allocation", dependencies=[OUR_FORM])
async def edit(
    visitor: Writer,
    adjustments: Adjustments,
    bounds: Bounds,
    *,
    programme: Text = "",
    total: Text = "",
    method: Text = "",
    basis: Text = "",
    effective_month: Text = "",
    reason: Text = "",
    answer: Text = "preview",
    alliance: Text = "",
    q: Text = "",
    cursor: Annotated[str, Form(max_length=500)] = "",
    request_no: RequestNo = "",
) -> Response:
    """Computes what stands in the editor; with `answer=propose` proposes it as a change."""
    typed = Typed(total, method, basis, effective_month.strip(), reason, adjustments, bounds)
    path = at("quota", "programmes", programme, "allocations")
    programmes = await programmes_of(visitor.calls)
    shown: dict[str, Any] = {"alliance": alliance, "q": q}
    try:
        if answer == "propose":
            body = {**typed.body(reason=reason), "request_no": request_no}
            change = await visitor.calls.post(path, body)
            query = urlencode({"programme": programme, "done": change["change_id"]})
            return RedirectResponse(f"{_ALLOCATION}?{query}", status_code=303)
        part = {name: value for name, value in _part(alliance, q, cursor).items() if value is not None}
        preview = await visitor.calls.post(
            f"{path}/preview?{urlencode(part)}", typed.body(reason=reason.strip() or _PREVIEW_REASON)
        )
    except Refused as refused:
        return await _editor(visitor, programmes, programme, typed, refused=refused, **shown)
    return await _editor(visitor, programmes, programme, typed, preview=preview, **shown)


@router.get("/allocation/compare")
async def compare(visitor: BureauReader, programme: Slug, *, earlier: Number, later: Number) -> Response:
    path = at("quota", "programmes", programme, "allocations", "compare")
    found = await visitor.calls.get(path, {"from": earlier, "to": later})
    return _shown(visitor, "compare.html", "allocation", slug=programme, found=found)


@router.get("/allocation/compare.xlsx")
async def comparison(visitor: BureauReader, programme: Slug, *, earlier: Number, later: Number) -> Response:
    path = at("quota", "programmes", programme, "allocations", "compare.xlsx")
    name = f"{programme}-任务数对比-{earlier}-{later}.xlsx"
    return await visitor.file(path, name, {"from": earlier, "to": later})


@router.get("/allocation/{version}.xlsx")
async def version_file(visitor: BureauReader, version: int, programme: Slug) -> Response:
    path = at("quota", "programmes", programme, "allocations", f"{version}.xlsx")
    return await visitor.file(path, f"{programme}-任务数-第{version}版.xlsx")

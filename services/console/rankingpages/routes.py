"""A month's ranking: read, frozen as a change, corrected and compared; the notice and its letters."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.rankingpages.rules import DOCUMENTS, FIELDS, arrow
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_PATH = "/console/quota/rankings"
_EDITION_MAX = 10_000
_ROWS = 100

router = page_router("/console/quota")

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Slug = Annotated[str, Query(max_length=64)]
Month = Annotated[str, Query(max_length=7)]
Word = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=500)]
Edition = Annotated[int | None, Query(ge=1, le=_EDITION_MAX)]
Text = Annotated[str, Form(max_length=500)]


async def _programmes(visitor: Visitor) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await visitor.calls.get(at("quota", "programmes")))["items"]
    return items


def _choices(programmes: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(one["slug"], one["title"], one["title"]) for one in programmes]


async def _ranking(
    visitor: Visitor,
    *,
    programme: str,
    month: str,
    edition: int | None = None,
    alliance: str = "",
    q: str = "",
    cursor: str | None = None,
    refused: Refused | None = None,
    done: str = "",
) -> Response:
    programmes = await _programmes(visitor)
    slug = programme or (programmes[0]["slug"] if programmes else "")
    view, editions = None, []
    if slug:
        base = at("quota", "programmes", slug, "rankings")
        try:
            asked = {"month": month or None, "edition": edition}
            part = {"alliance": alliance or None, "q": q.strip() or None, "limit": _ROWS, "cursor": cursor}
            view = await visitor.calls.get(base, {**asked, **part})
            editions = (await visitor.calls.get(f"{base}/editions"))["items"]
        except Refused as answer:
            refused = refused or answer
    return visitor.page(
        "rankingpages/rankings.html",
        here="rankings",
        status=refused.status if refused else 200,
        programmes=_choices(programmes),
        slug=slug,
        month=view["month"] if view else month,
        view=view,
        editions=editions,
        of_month=[one for one in editions if view and one["month"] == view["month"]],
        alliance=alliance,
        alliances=[("", "全部", "all"), *((name,) * 3 for name in (view["alliances"] if view else []))],
        q=q,
        **_pages(view, slug=slug, edition=edition, alliance=alliance, q=q, cursor=cursor),
        refused=refused,
        done=done,
        arrow=arrow,
        may_write=visitor.staff.has(*WRITERS),
    )


def _pages(
    view: dict[str, Any] | None, *, slug: str, cursor: str | None, **asked: str | int | None
) -> dict[str, str]:
    """Where the first and the next page of the ranks are."""
    if view is None:
        return {"first": "", "further": ""}
    given = {name: value for name, value in asked.items() if value}
    query, following = urlencode({"programme": slug, "month": view["month"], **given}), view["next_cursor"]
    return {
        "first": f"{_PATH}?{query}" if cursor else "",
        "further": f"{_PATH}?{query}&{urlencode({'cursor': following})}" if following else "",
    }


@router.get("/rankings")
async def ranking(
    visitor: BureauReader,
    programme: Slug = "",
    month: Month = "",
    *,
    edition: Edition = None,
    alliance: Word = "",
    q: Word = "",
    cursor: Cursor = None,
    done: Slug = "",
) -> Response:
    return await _ranking(
        visitor,
        programme=programme,
        month=month,
        edition=edition,
        alliance=alliance,
        q=q,
        cursor=cursor,
        done=done,
    )


@router.post("/rankings/freeze", dependencies=[OUR_FORM])
async def freeze(
    visitor: Writer, programme: Text = "", month: Text = "", reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"month": month, "reason": reason.strip() or None, "request_no": request_no}
    try:
        change = await visitor.calls.post(at("quota", "programmes", programme, "rankings", "freeze"), body)
    except Refused as refused:
        return await _ranking(visitor, programme=programme, month=month, refused=refused)
    query = urlencode({"programme": programme, "month": month, "done": change["change_id"]})
    return RedirectResponse(f"{_PATH}?{query}", status_code=303)


@router.get("/rankings/compare")
async def compare(
    visitor: BureauReader, programme: Slug, month: Month, *, before: Edition = None, after: Edition = None
) -> Response:
    path = at("quota", "programmes", programme, "rankings", "compare")
    found = await visitor.calls.get(path, {"month": month, "before": before, "after": after})
    return visitor.page(
        "rankingpages/compare.html", here="rankings", slug=programme, found=found, fields=FIELDS
    )


@router.get("/rankings/{name}")
async def document(
    visitor: BureauReader, name: str, programme: Slug, month: Month = "", *, everybody: bool = False
) -> Response:
    """The notice, its sheets, or the reminders, as of the month."""
    if name not in DOCUMENTS:
        raise NotFound
    kind, _, ending = name.rpartition(".")
    query = {"month": month or None, **({"everybody": everybody} if kind == "reminders" else {})}
    path = at("quota", "programmes", programme, name)
    return await visitor.file(path, f"{DOCUMENTS[name]}-{month or '本月'}.{ending}", query)

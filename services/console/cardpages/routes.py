"""Cards that count for no hospital and their assignment, why a card counts where it does, and appeals."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.cardpages.rules import (
    ANSWERS,
    APPEAL_CHOICES,
    APPEAL_STATES,
    APPEALS_HEADER,
    APPEALS_WIDTHS,
    CARD_STATES,
    EVENT_KINDS,
    UNATTRIBUTED_HEADER,
    UNATTRIBUTED_WIDTHS,
    WHY_EN,
    appeal_row,
    unattributed_row,
)
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import EXPORTED_MAX, language_for, listed_file
from services.console.quotapages.operations import hospital_named, programmes_of
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.identity.staff import WRITERS

_PATH = "/console/quota/cards"
_APPEALS = "/console/quota/appeals"
_ROWS = 50

router = page_router("/console/quota")

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Word = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=500)]
Text = Annotated[str, Form(max_length=500)]


def _base(slug: str, *segments: str) -> str:
    return at("quota", "programmes", slug, *segments)


def _pages(path: str, query: str, cursor: str | None, following: str | None) -> dict[str, Any]:
    return {
        "query": query,
        "first": f"{path}?{query}" if cursor else "",
        "further": f"{path}?{query}&{urlencode({'cursor': following})}" if following else "",
    }


@router.get("/cards")
async def unattributed(
    visitor: BureauReader, programme: Word = "", q: Word = "", *, cursor: Cursor = None, done: Word = ""
) -> Response:
    programmes = await programmes_of(visitor.calls)
    slug = programmes.chosen(programme)
    found: dict[str, Any] = {"items": [], "next_cursor": None, "total": 0}
    if slug:
        asked = {"q": q.strip() or None, "limit": _ROWS, "cursor": cursor}
        found = await visitor.calls.get(_base(slug, "cards", "unattributed"), asked)
    query = urlencode({"programme": slug, **({"q": q} if q else {})})
    return visitor.page(
        "cardpages/unattributed.html",
        here="cards",
        programmes=programmes.choices,
        slug=slug,
        q=q,
        found=found,
        done=done,
        may_write=visitor.staff.has(*WRITERS),
        **_pages(_PATH, query, cursor, found["next_cursor"]),
    )


@router.get("/cards.xlsx")
async def unattributed_file(visitor: BureauReader, programme: Word, q: Word = "") -> Response:
    path = _base(programme, "cards", "unattributed")
    items = await visitor.calls.every(path, {"q": q.strip() or None}, most=EXPORTED_MAX)
    rows = [*map(unattributed_row, items)]
    return await listed_file("未归属的卡", UNATTRIBUTED_HEADER, rows, UNATTRIBUTED_WIDTHS)


async def _trace(
    visitor: Visitor,
    programme: str,
    event_id: str,
    *,
    refused: Refused | None = None,
    hospital: str = "",
    reason: str = "",
    done: str = "",
) -> Response:
    """One card's way; with the form that proposes a hospital while it counts for nobody."""
    programmes = await programmes_of(visitor.calls)
    slug = programmes.chosen(programme)
    told = None
    if slug and event_id:
        try:
            told = await visitor.calls.get(_base(slug, "events", event_id, "trace"))
        except Refused as answer:
            refused = refused or answer
    return visitor.page(
        "cardpages/trace.html",
        here="cards",
        status=refused.status if refused else 200,
        programmes=programmes.choices,
        slug=slug,
        event_id=event_id,
        trace=told,
        why_en=WHY_EN,
        event_kinds=EVENT_KINDS,
        card_states=CARD_STATES,
        refused=refused,
        hospital=hospital,
        reason=reason,
        done=done,
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("/cards/trace")
async def trace(
    visitor: BureauReader, programme: Word = "", event_id: Word = "", done: Word = ""
) -> Response:
    return await _trace(visitor, programme, event_id.strip(), done=done)


@router.post("/cards/assign", dependencies=[OUR_FORM])
async def assign(
    visitor: Writer,
    *,
    programme: Text = "",
    event_id: Text = "",
    hospital: Text = "",
    reason: Text = "",
    request_no: RequestNo = "",
) -> Response:
    """Proposes a hospital for a card; a second person approves."""
    english = language_for(visitor.request) == "en"
    try:
        hospital_id = await hospital_named(visitor.calls, programme, hospital, english=english)
        body = {"hospital_id": hospital_id, "reason": reason, "request_no": request_no or None}
        await visitor.calls.post(_base(programme, "card-events", event_id, "assign"), body)
    except Refused as refused:
        return await _trace(visitor, programme, event_id, refused=refused, hospital=hospital, reason=reason)
    query = urlencode({"programme": programme, "event_id": event_id, "done": "proposed"})
    return RedirectResponse(f"{_PATH}/trace?{query}", status_code=303)


async def _inbox(
    visitor: Visitor,
    *,
    programme: str,
    status: str,
    cursor: str | None = None,
    refused: Refused | None = None,
    typed: dict[str, str] | None = None,
    done: str = "",
) -> Response:
    programmes = await programmes_of(visitor.calls)
    slug = programmes.chosen(programme)
    found: dict[str, Any] = {"items": [], "next_cursor": None, "total": 0}
    if slug:
        asked = {"status": status or None, "limit": _ROWS, "cursor": cursor}
        found = await visitor.calls.get(_base(slug, "appeals"), asked)
    query = urlencode({"programme": slug, **({"status": status} if status else {})})
    return visitor.page(
        "cardpages/appeals.html",
        here="appeals",
        status=refused.status if refused else 200,
        programmes=programmes.choices,
        slug=slug,
        wanted=status,
        found=found,
        states=APPEAL_STATES,
        choices=APPEAL_CHOICES,
        answers=ANSWERS,
        refused=refused,
        typed=typed or {},
        done=done,
        may_write=visitor.staff.has(*WRITERS),
        **_pages(_APPEALS, query, cursor, found["next_cursor"]),
    )


@router.get("/appeals")
async def appeals(
    visitor: BureauReader, programme: Word = "", status: Word = "", *, cursor: Cursor = None, done: Word = ""
) -> Response:
    return await _inbox(visitor, programme=programme, status=status, cursor=cursor, done=done)


@router.get("/appeals.xlsx")
async def appeals_file(visitor: BureauReader, programme: Word, status: Word = "") -> Response:
    path = _base(programme, "appeals")
    items = await visitor.calls.every(path, {"status": status or None}, most=EXPORTED_MAX)
    return await listed_file("医院申诉", APPEALS_HEADER, [*map(appeal_row, items)], APPEALS_WIDTHS)


@router.post("/appeals/{appeal_id}", dependencies=[OUR_FORM])
async def answer(
    visitor: Writer,
    appeal_id: str,
    *,
    programme: Text = "",
    status: Text = "",
    answer: Text = "",
    request_no: RequestNo = "",
) -> Response:
    body = {"status": status, "answer": answer, "request_no": request_no or None}
    try:
        await visitor.calls.post(_base(programme, "appeals", appeal_id, "answer"), body)
    except Refused as refused:
        typed = {"id": appeal_id, "status": status, "answer": answer}
        return await _inbox(visitor, programme=programme, status="", refused=refused, typed=typed)
    query = urlencode({"programme": programme, "done": "answered"})
    return RedirectResponse(f"{_APPEALS}?{query}", status_code=303)

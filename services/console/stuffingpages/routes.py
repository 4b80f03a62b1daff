"""Cases of stuffing: days of codes that look made up, why, and what two people decide about them."""

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
from services.console.pages.schemas import EXPORTED_MAX, language_for, listed_file
from services.console.quotapages.operations import Programmes, hospital_named, programmes_of
from services.console.stuffingpages.rules import (
    DECISIONS,
    DONE,
    HEADER,
    KIND_CHOICES,
    KINDS,
    STATE_CHOICES,
    STATES,
    WIDTHS,
    case_row,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_PATH = "/console/quota/stuffing"
_ROWS = 50

router = page_router(_PATH)

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Word = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str | None, Query(max_length=500)]
Text = Annotated[str, Form(max_length=500)]


async def _chosen(
    *, programme: Word = "", hospital: Word = "", status: Word = "", kind: Word = ""
) -> dict[str, str]:
    return {"programme": programme, "hospital": hospital.strip(), "status": status, "kind": kind}


Chosen = Annotated[dict[str, str], Depends(_chosen)]


def _cases(slug: str, *segments: str) -> str:
    return at("quota", "programmes", slug, "stuffing-cases", *segments)


async def _asked(visitor: Visitor, slug: str, chosen: dict[str, str]) -> dict[str, str]:
    """The filters as the call takes them. Raises Refused: no hospital is called so."""
    asked = {name: chosen[name] for name in ("status", "kind") if chosen[name]}
    if chosen["hospital"]:
        english = language_for(visitor.request) == "en"
        asked["hospital_id"] = await hospital_named(visitor.calls, slug, chosen["hospital"], english=english)
    return asked


@router.get("")
async def cases(visitor: BureauReader, chosen: Chosen, cursor: Cursor = None) -> Response:
    programmes = await programmes_of(visitor.calls)
    slug = programmes.chosen(chosen["programme"])
    found: dict[str, Any] = {"items": [], "next_cursor": None, "total": 0}
    refused = None
    if slug:
        try:
            asked = await _asked(visitor, slug, chosen)
            found = await visitor.calls.get(_cases(slug), {**asked, "limit": _ROWS, "cursor": cursor})
        except Refused as answer:
            refused = answer
    query = urlencode({**{name: value for name, value in chosen.items() if value}, "programme": slug})
    following = found["next_cursor"]
    return visitor.page(
        "stuffingpages/list.html",
        here="stuffing",
        status=refused.status if refused else 200,
        programmes=programmes.choices,
        slug=slug,
        chosen=chosen,
        found=found,
        refused=refused,
        query=query,
        first=f"{_PATH}?{query}" if cursor else "",
        further=f"{_PATH}?{query}&{urlencode({'cursor': following})}" if following else "",
        kinds=KINDS,
        states=STATES,
        kind_choices=KIND_CHOICES,
        state_choices=STATE_CHOICES,
    )


@router.get("/export.xlsx")
async def export(visitor: BureauReader, chosen: Chosen) -> Response:
    slug = chosen["programme"]
    asked = await _asked(visitor, slug, chosen)
    items = await visitor.calls.every(_cases(slug), asked, most=EXPORTED_MAX)
    return await listed_file("刷卡线索", HEADER, [*map(case_row, items)], WIDTHS)


async def _one(
    visitor: Visitor,
    slug: str,
    case_id: str,
    *,
    cursor: str | None = None,
    refused: Refused | None = None,
    done: str = "",
    reason: str = "",
    act: str = "",
) -> Response:
    programmes: Programmes = await programmes_of(visitor.calls)
    case = await visitor.calls.get(_cases(slug, case_id), {"limit": _ROWS, "cursor": cursor})
    base, following = f"{_PATH}/{slug}/{case_id}", case["next_cursor"]
    return visitor.page(
        "stuffingpages/one.html",
        here="stuffing",
        status=refused.status if refused else 200,
        case=case,
        slug=slug,
        programme=programmes.one(slug),
        base=base,
        first=base if cursor else "",
        further=f"{base}?{urlencode({'cursor': following})}" if following else "",
        kinds=KINDS,
        states=STATES,
        decisions=DECISIONS,
        refused=refused,
        done=DONE.get(done),
        proposed=done == "proposed",
        reason=reason,
        act=act,
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("/{slug}/{case_id}")
async def case(
    visitor: BureauReader, slug: str, case_id: str, cursor: Cursor = None, done: Word = ""
) -> Response:
    return await _one(visitor, slug, case_id, cursor=cursor, done=done)


@router.post("/{slug}/{case_id}/{act}", dependencies=[OUR_FORM])
async def decide(
    visitor: Writer,
    slug: str,
    case_id: str,
    act: str,
    *,
    status: Text = "",
    reason: Text = "",
    request_no: RequestNo = "",
) -> Response:
    """Watches on or dismisses at once; a confirmation, or taking one back, is proposed as a change."""
    if act not in {"decide", "confirm", "withdraw"}:
        raise NotFound
    body: dict[str, Any] = {"reason": reason, "request_no": request_no or None}
    if act == "decide":
        body["status"] = status
    try:
        await visitor.calls.post(_cases(slug, case_id, act), body)
    except Refused as refused:
        return await _one(visitor, slug, case_id, refused=refused, reason=reason, act=act)
    done = "decided" if act == "decide" else "proposed"
    return RedirectResponse(f"{_PATH}/{slug}/{case_id}?done={done}", status_code=303)

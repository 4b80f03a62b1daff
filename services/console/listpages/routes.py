"""The hospitals of a programme: who they are, by which names, and their dated changes as proposals."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.listpages.rules import KINDS, NAMES, STATE_CHOICES, STATES, life_body
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_PATH = "/console/quota/hospitals"

router = page_router("/console/quota")

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Word = Annotated[str, Query(max_length=200)]
Text = Annotated[str, Form(max_length=500)]
Cursor = Annotated[str | None, Query(max_length=500)]


@router.get("/hospitals")
async def hospitals(
    visitor: BureauReader, programme: Word = "", q: Word = "", state: Word = "", *, cursor: Cursor = None
) -> Response:
    programmes = (await visitor.calls.get(at("quota", "programmes")))["items"]
    slug = programme or (programmes[0]["slug"] if programmes else "")
    given = {"q": q.strip() or None, "state": state if state in STATES else None}
    found: dict[str, Any] = {"items": [], "next_cursor": None}
    if slug:
        path = at("quota", "programmes", slug, "hospitals")
        found = await visitor.calls.get(path, {**given, "cursor": cursor})
    query = {"programme": slug, **{name: value for name, value in given.items() if value}}
    further = found["next_cursor"]
    return visitor.page(
        "listpages/hospitals.html",
        here="hospitals",
        programmes=[(one["slug"], one["title"], one["title"]) for one in programmes],
        slug=slug,
        items=found["items"],
        q=q,
        state=state,
        states=STATE_CHOICES,
        words=STATES,
        first=f"{_PATH}?{urlencode(query)}" if cursor else "",
        further=f"{_PATH}?{urlencode({**query, 'cursor': further})}" if further else "",
    )


@router.get("/hospitals.xlsx")
async def sheet(visitor: BureauReader, programme: Word) -> Response:
    return await visitor.file(
        at("quota", "programmes", programme, "hospitals.xlsx"), f"{programme}-医院名单.xlsx"
    )


async def _one(
    visitor: Visitor, hospital_id: str, *, refused: Refused | None = None, done: str = ""
) -> Response:
    return visitor.page(
        "listpages/hospital.html",
        here="hospitals",
        status=refused.status if refused else 200,
        hospital=await visitor.calls.get(at("quota", "hospitals", hospital_id, "history")),
        words=STATES,
        names=NAMES,
        kinds=KINDS,
        refused=refused,
        done=done,
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("/hospitals/{hospital_id}")
async def hospital(visitor: BureauReader, hospital_id: str, done: Word = "") -> Response:
    return await _one(visitor, hospital_id, done=done)


async def _acted(visitor: Visitor, hospital_id: str, call: str, body: dict[str, Any], done: str) -> Response:
    try:
        await visitor.calls.post(f"{at('quota', 'hospitals', hospital_id)}/{call}", body)
    except Refused as refused:
        return await _one(visitor, hospital_id, refused=refused)
    return RedirectResponse(f"{_PATH}/{quote(hospital_id, safe='')}?done={done}", status_code=303)


@router.post("/hospitals/{hospital_id}/names", dependencies=[OUR_FORM])
async def add_name(
    visitor: Writer,
    hospital_id: str,
    *,
    name: Text = "",
    kind: Text = "alias",
    reason: Text = "",
    request_no: RequestNo = "",
) -> Response:
    body = {"name": name, "kind": kind, "reason": reason, "request_no": request_no}
    return await _acted(visitor, hospital_id, "names", body, "name")


@router.post("/hospitals/{hospital_id}/names/withdraw", dependencies=[OUR_FORM])
async def withdraw_name(
    visitor: Writer, hospital_id: str, name: Text = "", reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"name": name, "reason": reason, "request_no": request_no}
    return await _acted(visitor, hospital_id, "names/withdraw", body, "name")


@router.post("/hospitals/{hospital_id}/{change}", dependencies=[OUR_FORM])
async def propose(
    visitor: Writer,
    hospital_id: str,
    change: str,
    *,
    on: Text = "",
    other: Text = "",
    alliance: Text = "",
    reason: Text = "",
    request_no: RequestNo = "",
) -> Response:
    """A dated change, for a second person to approve."""
    body = life_body(change, on=on, other=other.strip(), alliance=alliance.strip())
    if body is None:
        raise NotFound
    told = {**body, "reason": reason, "request_no": request_no}
    return await _acted(visitor, hospital_id, change, told, "change")

"""The hospitals of a programme: who they are, by which names, and their dated changes as proposals."""

import asyncio
import io
import json
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from fastapi import Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import RedirectResponse

from services.console.importpages.rules import in_words
from services.console.listpages.rules import (
    KINDS,
    LIFE,
    NAMES,
    STATE_CHOICES,
    STATES,
    life_body,
    near_rows,
)
from services.console.listpages.schemas import confirmed_form
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import XLSX, attached, language_for
from services.console.quotapages.operations import hospital_named, programmes_of
from services.console.tablepages.schemas import no_file, sent_file
from shared.clients.integrity import Refused
from shared.clients.services import Upload, at
from shared.documents.faultsheets import fault_sheet
from shared.documents.reports import ImportFault
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_PATH = "/console/quota/hospitals"
_FAULT = ("row", "column", "message")

router = page_router("/console/quota")

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Word = Annotated[str, Query(max_length=200)]
Text = Annotated[str, Form(max_length=500)]
Cursor = Annotated[str | None, Query(max_length=500)]
Confirmed = Annotated[dict[str, str], Depends(confirmed_form)]


@router.get("/hospitals")
async def hospitals(
    visitor: BureauReader, programme: Word = "", q: Word = "", state: Word = "", *, cursor: Cursor = None
) -> Response:
    programmes = await programmes_of(visitor.calls)
    slug = programmes.chosen(programme)
    given = {"q": q.strip() or None, "state": state if state in STATES else None}
    found: dict[str, Any] = {"items": [], "next_cursor": None, "total": 0}
    if slug:
        path = at("quota", "programmes", slug, "hospitals")
        found = await visitor.calls.get(path, {**given, "cursor": cursor})
    query = {"programme": slug, **{name: value for name, value in given.items() if value}}
    further = found["next_cursor"]
    return visitor.page(
        "listpages/hospitals.html",
        here="hospitals",
        programmes=programmes.choices,
        slug=slug,
        items=found["items"],
        total=found["total"],
        query=urlencode(query),
        may_write=visitor.staff.has(*WRITERS),
        q=q,
        state=state,
        states=STATE_CHOICES,
        words=STATES,
        first=f"{_PATH}?{urlencode(query)}" if cursor else "",
        further=f"{_PATH}?{urlencode({**query, 'cursor': further})}" if further else "",
    )


@router.get("/hospitals.xlsx")
async def sheet(visitor: BureauReader, programme: Word, q: Word = "", state: Word = "") -> Response:
    asked = {"q": q.strip() or None, "state": state if state in STATES else None}
    path = at("quota", "programmes", programme, "hospitals.xlsx")
    return await visitor.file(path, f"{programme}-医院名单.xlsx", asked)


async def _import_page(visitor: Visitor, slug: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    values: dict[str, Any] = {
        "refused": None,
        "report": None,
        "checked": False,
        "file_name": "",
        "keep_names": False,
        "take_aliases": False,
        "confirmed": {},
        **shown,
    }
    programmes = await programmes_of(visitor.calls)
    return visitor.page(
        "listpages/import.html",
        here="hospitals",
        status=values["refused"].status if values["refused"] else 200,
        programmes=programmes.choices,
        slug=programmes.chosen(slug),
        asked_about=near_rows(values["report"]),
        **values,
    )


@router.get("/hospitals/import")
async def import_form(visitor: Writer, programme: Word = "") -> Response:
    return await _import_page(visitor, programme)


@router.get("/hospitals/import/template.xlsx")
async def template(visitor: Writer, programme: Word) -> Response:
    path = at("quota", "programmes", programme, "hospitals", "template.xlsx")
    return await visitor.file(path, "医院名单导入模板.xlsx")


@router.post("/hospitals/import", dependencies=[OUR_FORM])
async def take_in(
    visitor: Writer,
    confirmed: Confirmed,
    *,
    file: Annotated[UploadFile | None, File()] = None,
    programme: Text = "",
    step: Annotated[Literal["check", "import", "errors"], Form()] = "check",
    keep_names: Annotated[bool, Form()] = False,
    take_aliases: Annotated[bool, Form()] = False,
) -> Response:
    """Checks a list and keeps nothing; takes it in; or gives it back with its faults.

    A name that is near to a hospital known before is asked about: `confirmed` says who is meant.
    """
    sheet = sent_file(file) or no_file()
    content = await asyncio.to_thread(sheet.content.read)
    typed = {"keep_names": keep_names, "take_aliases": take_aliases, "confirmed": confirmed}
    fields = {
        "keep_names": keep_names,
        "take_aliases": take_aliases,
        "confirm": json.dumps(confirmed) if confirmed else None,
    }
    path = at("quota", "programmes", programme, "hospitals", "import")
    try:
        again = {"file": Upload(sheet.name, io.BytesIO(content))}
        report = await visitor.calls.upload(path, again, fields, query={"dry_run": step != "import"})
    except Refused as refused:
        return await _import_page(visitor, programme, refused=refused, file_name=sheet.name, **typed)
    report["errors"] = in_words(report["errors"])
    if step == "errors":
        faults = [ImportFault(**{key: one[key] for key in _FAULT}) for one in report["errors"]]
        marked = await asyncio.to_thread(fault_sheet, content, faults)
        return attached(marked, XLSX, f"问题-{sheet.name.rpartition('.')[0]}.xlsx")
    shown = {"report": report, "checked": step == "check", "file_name": sheet.name}
    return await _import_page(visitor, programme, **shown, **typed)


async def _one(
    visitor: Visitor,
    hospital_id: str,
    *,
    refused: Refused | None = None,
    done: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    """`typed` is what stood in a refused form, with its name under `act`."""
    shown = await visitor.calls.get(at("quota", "hospitals", hospital_id, "history"))
    programmes = await programmes_of(visitor.calls)
    return visitor.page(
        "listpages/hospital.html",
        here="hospitals",
        status=refused.status if refused else 200,
        hospital=shown,
        programme=programmes.one(shown["programme"]),
        words=STATES,
        names=NAMES,
        kinds=KINDS,
        life=LIFE,
        refused=refused,
        done=done,
        typed=typed or {},
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("/hospitals/{hospital_id}")
async def hospital(visitor: BureauReader, hospital_id: str, done: Word = "") -> Response:
    return await _one(visitor, hospital_id, done=done)


async def _acted(
    visitor: Visitor, hospital_id: str, call: str, body: dict[str, Any], *, done: str, typed: dict[str, str]
) -> Response:
    try:
        await visitor.calls.post(f"{at('quota', 'hospitals', hospital_id)}/{call}", body)
    except Refused as refused:
        return await _one(visitor, hospital_id, refused=refused, typed=typed)
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
    typed = {"act": "names", "name": name, "kind": kind, "reason": reason}
    return await _acted(visitor, hospital_id, "names", body, done="name", typed=typed)


@router.post("/hospitals/{hospital_id}/names/withdraw", dependencies=[OUR_FORM])
async def withdraw_name(
    visitor: Writer, hospital_id: str, name: Text = "", reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"name": name, "reason": reason, "request_no": request_no}
    return await _acted(visitor, hospital_id, "names/withdraw", body, done="name", typed={})


@router.post("/hospitals/{hospital_id}/history/{event_id}/withdraw", dependencies=[OUR_FORM])
async def withdraw_event(
    visitor: Writer, hospital_id: str, event_id: str, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    """Takes an approved change back, for a second person to approve."""
    call = f"history/{quote(event_id, safe='')}/withdraw"
    body = {"reason": reason, "request_no": request_no}
    return await _acted(visitor, hospital_id, call, body, done="change", typed={})


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
    """A dated change, for a second person to approve. The other hospital is told by its name."""
    typed = {"act": change, "on": on, "other": other, "alliance": alliance, "reason": reason}
    meant = ""
    try:
        if other.strip():
            shown = await visitor.calls.get(at("quota", "hospitals", hospital_id, "history"))
            english = language_for(visitor.request) == "en"
            meant = await hospital_named(visitor.calls, shown["programme"], other, english=english)
    except Refused as refused:
        return await _one(visitor, hospital_id, refused=refused, typed=typed)
    body = life_body(change, on=on, other=meant, alliance=alliance.strip())
    if body is None:
        raise NotFound
    told = {**body, "reason": reason, "request_no": request_no}
    return await _acted(visitor, hospital_id, change, told, done="change", typed=typed)

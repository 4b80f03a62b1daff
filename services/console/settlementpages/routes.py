"""Settlements: periods and their job, the list, one with what is done about it, and its documents."""

import asyncio
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.console.institutionpages.operations import campaigns_of
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.settlementpages.rules import (
    CAUSES,
    DONE,
    ENDED,
    JOB_STATES,
    KINDS,
    OUTCOMES,
    STATE_CHOICES,
    STATES,
    totals,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import READERS, WRITERS, Role

_WORD_LENGTH_MAX = 100
_DAY_LENGTH = 10
_CURSOR_LENGTH_MAX = 500
_NOTE_LENGTH_MAX = 500
_LIMIT = 50
_ITEMS = 100
_WITHDRAWN_MAX = 500
_BASE = "/console/settlements"
# Tells htmx that there is nothing more to ask.
_STOP_POLLING = 286

router = page_router("/console/settlements")

BureauWriter = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
InstitutionReader = Annotated[Visitor, Depends(visitor_with(*READERS, Role.INSTITUTION))]
InstitutionVisitor = Annotated[Visitor, Depends(visitor_with(Role.INSTITUTION))]
Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
First = Annotated[str, Query(alias="from", max_length=_DAY_LENGTH)]
Last = Annotated[str, Query(alias="to", max_length=_DAY_LENGTH)]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]
Note = Annotated[str, Form(max_length=_NOTE_LENGTH_MAX)]
Typed = Annotated[str, Form(max_length=_WORD_LENGTH_MAX)]


async def _filters(
    *,
    campaign: Word = "",
    institution_id: Word = "",
    status: Word = "",
    first: First = "",
    last: Last = "",
) -> dict[str, str]:
    return {
        "campaign": campaign,
        "institution_id": institution_id.strip(),
        "status": status,
        "from": first,
        "to": last,
    }


Filters = Annotated[dict[str, str], Depends(_filters)]


def _here(visitor: Visitor) -> str:
    return "settlements" if visitor.staff.has(*READERS) else "own-settlements"


async def _list_page(
    visitor: Visitor,
    chosen: dict[str, str],
    cursor: str | None = None,
    refused: Refused | None = None,
) -> Response:
    asked = {name: value for name, value in chosen.items() if value}
    query = {**asked, "limit": _LIMIT, "cursor": cursor}
    campaigns, found = await asyncio.gather(
        campaigns_of(visitor.calls), visitor.calls.get(at("redemption", "settlements"), query)
    )
    return visitor.page(
        "settlementpages/list.html",
        here=_here(visitor),
        status=refused.status if refused else 200,
        found=found,
        sums=totals(found["items"]),
        chosen=chosen,
        query=urlencode(asked),
        first=cursor is None,
        whole=cursor is None and found["next_cursor"] is None,
        campaigns=campaigns,
        campaign=campaigns.chosen(chosen["campaign"]),
        states=STATES,
        state_choices=STATE_CHOICES,
        reads=visitor.staff.has(*READERS),
        writes=visitor.staff.has(*WRITERS),
        refused=refused,
    )


@router.get("")
async def listed(visitor: InstitutionReader, chosen: Filters, cursor: Cursor = None) -> Response:
    return await _list_page(visitor, chosen, cursor)


@router.post("", dependencies=[OUR_FORM])
async def run(
    visitor: BureauWriter,
    *,
    campaign: Typed = "",
    first: Annotated[str, Form(alias="from", max_length=_DAY_LENGTH)] = "",
    last: Annotated[str, Form(alias="to", max_length=_DAY_LENGTH)] = "",
    request_no: RequestNo = "",
) -> Response:
    """Has a period settled by a job, and shows how far it is."""
    body = {"campaign": campaign, "from": first, "to": last, "request_no": request_no or None}
    try:
        asked = await visitor.calls.post(at("redemption", "settlements"), body)
    except Refused as refused:
        return await _list_page(visitor, await _filters(campaign=campaign), refused=refused)
    return RedirectResponse(f"{_BASE}/runs/{asked['job_id']}", status_code=303)


@router.get("/runs/{job_id}")
async def progress(request: Request, visitor: BureauReader, job_id: str) -> Response:
    """How far a run is; a browser with scripts asks every second until it has ended."""
    job = await visitor.calls.get(at("redemption", "jobs", job_id))
    ended = job["state"] in ENDED
    asks_itself = request.headers.get("hx-request") == "true"
    return visitor.page(
        "settlementpages/run.html",
        here="settlements",
        status=_STOP_POLLING if ended and asks_itself else 200,
        job=job,
        ended=ended,
        job_states=JOB_STATES,
    )


@router.get("/summary.xlsx")
async def summary(visitor: BureauReader, chosen: Filters) -> Response:
    """All institutions of a campaign, a column per payer."""
    query = {name: value for name, value in chosen.items() if value and name != "institution_id"}
    return await visitor.file(at("redemption", "settlements", "summary.xlsx"), "结算汇总.xlsx", query)


@router.get("/payment-file")
async def payment_file(visitor: BureauWriter, chosen: Filters) -> Response:
    """It alone has accounts in full: for those who may pay, and every download is in the audit log."""
    query = {name: value for name, value in chosen.items() if value}
    return await visitor.file(at("redemption", "settlements", "payment-file"), "支付文件.csv", query)


@router.get("/held-back")
async def held_back(
    visitor: InstitutionReader,
    *,
    campaign: Word = "",
    institution_id: Word = "",
    waiting: bool = False,
    cursor: Cursor = None,
) -> Response:
    asked = {"campaign": campaign, "institution_id": institution_id.strip()}
    query = {
        **{name: value for name, value in asked.items() if value},
        "waiting": "true" if waiting else "false",
    }
    campaigns, found = await asyncio.gather(
        campaigns_of(visitor.calls),
        visitor.calls.get(
            at("redemption", "settlements", "held-back"), {**query, "limit": _LIMIT, "cursor": cursor}
        ),
    )
    return visitor.page(
        "settlementpages/held_back.html",
        here=_here(visitor),
        found=found,
        chosen=asked,
        waiting=waiting,
        query=urlencode(query),
        first=cursor is None,
        campaigns=campaigns,
        causes=CAUSES,
        reads=visitor.staff.has(*READERS),
    )


async def _one_page(
    visitor: Visitor,
    settlement_id: str,
    cursor: str | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    values: dict[str, Any] = {"refused": None, "done": None, "note": "", **shown}
    path = at("redemption", "settlements", settlement_id)
    one = await visitor.calls.get(path)
    campaigns, items = await asyncio.gather(
        campaigns_of(visitor.calls),
        visitor.calls.get(f"{path}/items", {"limit": _ITEMS, "cursor": cursor}),
    )
    staff, draft = visitor.staff, one["status"] == "draft"
    return visitor.page(
        "settlementpages/one.html",
        here=_here(visitor),
        status=values["refused"].status if values["refused"] else 200,
        one=one,
        items=items,
        first=cursor is None,
        base=f"{_BASE}/{settlement_id}",
        campaigns=campaigns,
        states=STATES,
        kinds=KINDS,
        causes=CAUSES,
        outcomes=OUTCOMES,
        done_words=DONE,
        confirms=draft and staff.institution_id == one["institution_id"],
        pays=staff.has(*WRITERS) and one["status"] == "confirmed",
        resolves=staff.has(*WRITERS) and draft and one["dispute"] is not None,
        **values,
    )


@router.get("/{settlement_id}")
async def one(
    visitor: InstitutionReader, settlement_id: str, cursor: Cursor = None, done: str | None = None
) -> Response:
    return await _one_page(visitor, settlement_id, cursor, done=done)


@router.get("/{settlement_id}/statement.{kind}")
async def statement(visitor: InstitutionReader, settlement_id: str, kind: str) -> Response:
    if kind not in {"xlsx", "pdf"}:
        raise NotFound
    path = at("redemption", "settlements", settlement_id, f"statement.{kind}")
    return await visitor.file(path, f"结算单-{settlement_id}.{kind}")


async def _acted(visitor: Visitor, settlement_id: str, act: str, body: dict[str, Any], done: str) -> Response:
    try:
        await visitor.calls.post(at("redemption", "settlements", settlement_id, act), body)
    except Refused as refused:
        note = body.get("note") or body.get("reason") or ""
        return await _one_page(visitor, settlement_id, refused=refused, note=note)
    return RedirectResponse(f"{_BASE}/{settlement_id}?{urlencode({'done': done})}", status_code=303)


@router.post("/{settlement_id}/confirm", dependencies=[OUR_FORM])
async def confirm(visitor: InstitutionVisitor, settlement_id: str, request_no: RequestNo = "") -> Response:
    return await _acted(visitor, settlement_id, "confirm", {"request_no": request_no or None}, "confirmed")


@router.post("/{settlement_id}/dispute", dependencies=[OUR_FORM])
async def dispute(
    visitor: InstitutionVisitor, settlement_id: str, note: Note = "", request_no: RequestNo = ""
) -> Response:
    body = {"note": note, "request_no": request_no or None}
    return await _acted(visitor, settlement_id, "dispute", body, "disputed")


@router.post("/{settlement_id}/resolve", dependencies=[OUR_FORM])
async def resolve(
    visitor: BureauWriter,
    settlement_id: str,
    *,
    outcome: Annotated[Literal["upheld", "rejected"], Form()],
    reason: Note = "",
    withdraw: Annotated[list[Typed] | None, Form(max_length=_WITHDRAWN_MAX)] = None,
    request_no: RequestNo = "",
) -> Response:
    body: dict[str, Any] = {"outcome": outcome, "reason": reason, "request_no": request_no or None}
    if outcome == "upheld":
        body["withdraw"] = withdraw or []
    done = "rejected" if outcome == "rejected" else "proposed"
    return await _acted(visitor, settlement_id, "resolve", body, done)


@router.post("/{settlement_id}/pay", dependencies=[OUR_FORM])
async def pay(
    visitor: BureauWriter, settlement_id: str, reason: Note = "", request_no: RequestNo = ""
) -> Response:
    """Proposes the payment; somebody else approves it."""
    body = {"reason": reason or None, "request_no": request_no or None}
    return await _acted(visitor, settlement_id, "pay", body, "proposed")

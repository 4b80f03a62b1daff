"""Settlements: the list, one with what is done about it, and its documents."""

import asyncio
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.institutionpages.operations import NOTHING_FOUND, campaigns_of, picked
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from services.console.settlementpages.rules import (
    CAUSES,
    DISPUTE_CHOICES,
    DONE,
    EXPORT_WIDTHS,
    KINDS,
    OUTCOMES,
    PROPOSED,
    STATE_CHOICES,
    STATES,
    export_rows,
    path_of,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import READERS, WRITERS, Role

_WORD_LENGTH_MAX = 100
_DAY_LENGTH = 10
_ID_LENGTH_MAX = 64
_CURSOR_LENGTH_MAX = 500
_NOTE_LENGTH_MAX = 500
_LIMIT = 50
_ITEMS = 100
_WITHDRAWN_MAX = 500
BASE = "/console/settlements"

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


async def filters(
    *,
    campaign: Word = "",
    institution_id: Word = "",
    status: Word = "",
    first: First = "",
    last: Last = "",
    disputed: Word = "",
) -> dict[str, str]:
    return {
        "campaign": campaign,
        "institution_id": institution_id.strip(),
        "status": status,
        "from": first,
        "to": last,
        "disputed": disputed,
    }


Filters = Annotated[dict[str, str], Depends(filters)]


def _here(visitor: Visitor) -> str:
    return "settlements" if visitor.staff.has(*READERS) else "own-settlements"


async def list_page(
    visitor: Visitor,
    chosen: dict[str, str],
    *,
    institution: str = "",
    cursor: str | None = None,
    refused: Refused | None = None,
    period: tuple[str, str] = ("", ""),
) -> Response:
    """`period` is what was typed into the form of a run that was refused."""
    reads, calls = visitor.staff.has(*READERS), visitor.calls
    pick = await picked(calls, institution, chosen["institution_id"], chooses=reads)
    chosen["institution_id"] = pick.institution_id
    asked = {name: value for name, value in chosen.items() if value}
    asking = _nothing() if pick.unclear else _found(visitor, asked, cursor)
    campaigns, found = await asyncio.gather(campaigns_of(calls), asking)
    return visitor.page(
        "settlementpages/list.html",
        here=_here(visitor),
        status=refused.status if refused else 200,
        found=found,
        pick=pick,
        chosen=chosen,
        period=period,
        query=urlencode(asked),
        first=cursor is None,
        campaigns=campaigns,
        campaign=campaigns.chosen(chosen["campaign"]),
        states=STATES,
        state_choices=STATE_CHOICES,
        dispute_choices=DISPUTE_CHOICES,
        reads=reads,
        writes=visitor.staff.has(*WRITERS),
        refused=refused,
    )


async def _nothing() -> dict[str, Any]:
    return {**NOTHING_FOUND, "count": 0, "amount_fen": 0, "by_funding_source": {}, "payers": {}}


async def _found(visitor: Visitor, asked: dict[str, str], cursor: str | None) -> dict[str, Any]:
    query = {**asked, "limit": _LIMIT, "cursor": cursor}
    found: dict[str, Any] = await visitor.calls.get(at("redemption", "settlements"), query)
    return found


@router.get("")
async def listed(
    visitor: InstitutionReader, chosen: Filters, institution: Word = "", cursor: Cursor = None
) -> Response:
    return await list_page(visitor, chosen, institution=institution.strip(), cursor=cursor)


@router.get("/export.xlsx")
async def export(visitor: InstitutionReader, chosen: Filters) -> Response:
    """What fits the filters, a row for each settlement and a column for each payer."""
    asked = {name: value for name, value in chosen.items() if value}
    items = await visitor.calls.every(at("redemption", "settlements"), asked, most=EXPORTED_MAX)
    header, rows = export_rows(items)
    return await listed_file("结算单", header, rows, [*EXPORT_WIDTHS, *(18 for _ in header)][: len(header)])


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


async def _proposed(visitor: Visitor, settlement_id: str) -> list[dict[str, Any]]:
    """What waits for another person to approve; changes are the bureau's to see."""
    if not visitor.staff.has(*READERS):
        return []
    query = {"status": "pending", "target": f"settlement:{settlement_id}"}
    items: list[dict[str, Any]] = (await visitor.calls.get(at("redemption", "changes"), query))["items"]
    return items


async def _one_page(
    visitor: Visitor,
    settlement_id: str,
    cursor: str | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    values: dict[str, Any] = {"refused": None, "done": None, "note": "", **shown}
    path = at("redemption", "settlements", settlement_id)
    one, campaigns, items, proposed = await asyncio.gather(
        visitor.calls.get(path),
        campaigns_of(visitor.calls),
        visitor.calls.get(f"{path}/items", {"limit": _ITEMS, "cursor": cursor}),
        _proposed(visitor, settlement_id),
    )
    staff, draft = visitor.staff, one["status"] == "draft"
    return visitor.page(
        "settlementpages/one.html",
        here=_here(visitor),
        status=values["refused"].status if values["refused"] else 200,
        one=one,
        items=items,
        first=cursor is None,
        base=f"{BASE}/{settlement_id}",
        campaigns=campaigns,
        states=STATES,
        kinds=KINDS,
        causes=CAUSES,
        outcomes=OUTCOMES,
        done_words=DONE,
        path=path_of(one, proposed),
        proposed=proposed,
        proposed_words=PROPOSED,
        own_id=str(staff.id),
        decides=staff.has(*WRITERS),
        reads=staff.has(*READERS),
        confirms=draft and staff.institution_id == one["institution_id"],
        pays=staff.has(*WRITERS) and one["status"] == "confirmed" and not proposed,
        resolves=staff.has(*WRITERS) and draft and one["dispute"] is not None and not proposed,
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
    return RedirectResponse(f"{BASE}/{settlement_id}?{urlencode({'done': done})}", status_code=303)


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


@router.post("/{settlement_id}/approve", dependencies=[OUR_FORM])
async def approve(
    visitor: BureauWriter, settlement_id: str, change_id: Annotated[str, Form(max_length=_ID_LENGTH_MAX)] = ""
) -> Response:
    """Approves what was proposed for this settlement; by somebody other than who proposed it."""
    try:
        await visitor.calls.post(at("redemption", "changes", change_id, "approve"), {})
    except Refused as refused:
        return await _one_page(visitor, settlement_id, refused=refused)
    return RedirectResponse(f"{BASE}/{settlement_id}?{urlencode({'done': 'approved'})}", status_code=303)

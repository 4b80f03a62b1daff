"""Write-offs: looked up by whoever may see them, one with its history, conflicts, and manual ones."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.institutionpages.operations import NOTHING_FOUND, Pick, campaigns_of, picked
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from services.console.writeoffpages.rules import (
    ACTORS,
    CASE_CHOICES,
    CONFLICT_HEADER,
    CONFLICT_WIDTHS,
    DONE,
    EXPORT_HEADER,
    EXPORT_WIDTHS,
    MANUAL_HEADER,
    MANUAL_WIDTHS,
    SETTLEMENT_STATES,
    SOURCE_CHOICES,
    SOURCES,
    STATE_CHOICES,
    STATES,
    conflict_row,
    export_row,
    manual_row,
    terminal_choices,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.identity.staff import READERS, WRITERS, Role

_WORD_LENGTH_MAX = 100
_CODE_LENGTH_MAX = 64
_CURSOR_LENGTH_MAX = 500
_REASON_LENGTH_MAX = 500
_LIMIT = 50
_BASE = "/console/write-offs"

router = page_router("/console/write-offs")

BureauWriter = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
InstitutionReader = Annotated[Visitor, Depends(visitor_with(*READERS, Role.INSTITUTION))]
Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]
Reason = Annotated[str, Form(max_length=_REASON_LENGTH_MAX)]


async def _filters(
    *,
    campaign: Word = "",
    institution_id: Word = "",
    terminal_id: Word = "",
    voucher_id: Word = "",
    request_no: Word = "",
    status: Word = "",
    source: Word = "",
    first: Annotated[str, Query(alias="from", max_length=10)] = "",
    last: Annotated[str, Query(alias="to", max_length=10)] = "",
) -> dict[str, str]:
    return {
        "campaign": campaign,
        "institution_id": institution_id.strip(),
        "terminal_id": terminal_id.strip(),
        "voucher_id": voucher_id.strip(),
        "request_no": request_no.strip(),
        "status": status,
        "source": source,
        "from": first,
        "to": last,
    }


Filters = Annotated[dict[str, str], Depends(_filters)]


def _here(visitor: Visitor) -> str:
    return "write-offs" if visitor.staff.has(*READERS) else "own-write-offs"


async def _list_page(
    visitor: Visitor,
    chosen: dict[str, str],
    *,
    institution: str = "",
    cursor: str | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    values: dict[str, Any] = {"refused": None, "code": "", **shown}
    reads, calls = visitor.staff.has(*READERS), visitor.calls
    pick, found = Pick(), {**NOTHING_FOUND, "applied_fen": 0}
    try:
        pick = await picked(calls, institution, chosen["institution_id"], chooses=reads)
        chosen["institution_id"] = pick.institution_id
        if not pick.unclear:
            query = {**_asked(chosen), "limit": _LIMIT, "cursor": cursor}
            found = await calls.get(at("redemption", "write-offs"), query)
    except Refused as refused:
        # What was typed stays; whose rows they are not is told so plainly.
        values["refused"] = values["refused"] or refused
    of = pick.institution_id if reads else visitor.staff.institution_id
    campaigns, terminals = await asyncio.gather(campaigns_of(calls), _terminals(visitor, of))
    return visitor.page(
        "writeoffpages/list.html",
        here=_here(visitor),
        status=values["refused"].status if values["refused"] else 200,
        found=found,
        pick=pick,
        terminals=terminal_choices(terminals, chosen["terminal_id"]),
        chosen=chosen,
        query=urlencode(_asked(chosen)),
        first=cursor is None,
        campaigns=campaigns,
        states=STATES,
        state_choices=STATE_CHOICES,
        sources=SOURCES,
        source_choices=SOURCE_CHOICES,
        reads=reads,
        **values,
    )


def _asked(chosen: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in chosen.items() if value}


async def _terminals(visitor: Visitor, institution_id: str | None) -> list[dict[str, Any]]:
    """Of the one institution that the list is of, if it is of one."""
    if not institution_id:
        return []
    try:
        found = await visitor.calls.get(at("redemption", "institutions", institution_id, "terminals"))
    except Refused:
        return []
    items: list[dict[str, Any]] = found["items"]
    return items


@router.get("")
async def listed(
    visitor: InstitutionReader, chosen: Filters, institution: Word = "", cursor: Cursor = None
) -> Response:
    return await _list_page(visitor, chosen, institution=institution.strip(), cursor=cursor)


@router.get("/export.xlsx")
async def export(visitor: InstitutionReader, chosen: Filters) -> Response:
    names = (await campaigns_of(visitor.calls)).type_names
    items = await visitor.calls.every(at("redemption", "write-offs"), _asked(chosen), most=EXPORTED_MAX)
    rows = [export_row(one, names) for one in items]
    return await listed_file("核销记录", EXPORT_HEADER, rows, EXPORT_WIDTHS)


@router.post("/by-code", dependencies=[OUR_FORM])
async def by_code(
    visitor: BureauReader, code: Annotated[str, Form(max_length=_CODE_LENGTH_MAX)] = ""
) -> Response:
    """A code is as good as money: it comes by a form, and the address has the voucher's id."""
    try:
        voucher = await visitor.calls.post(at("issuance", "vouchers", "lookup"), {"code": code.strip()})
    except Refused as refused:
        return await _list_page(visitor, await _filters(), refused=refused, code=code)
    return RedirectResponse(f"{_BASE}?{urlencode({'voucher_id': voucher['id']})}", status_code=303)


@router.get("/manual")
async def manual(visitor: BureauReader, campaign: Word = "", cursor: Cursor = None) -> Response:
    campaigns = await campaigns_of(visitor.calls)
    chosen = campaigns.chosen(campaign)
    found: dict[str, Any] = dict(NOTHING_FOUND)
    if chosen:
        query: dict[str, str | int | bool | None] = {
            "campaign": chosen,
            "limit": _LIMIT,
            "cursor": cursor,
        }
        found = await visitor.calls.get(at("redemption", "redemptions", "manual"), query)
    return visitor.page(
        "writeoffpages/manual.html",
        here="manual-write-offs",
        found=found,
        campaigns=campaigns,
        campaign=chosen,
        first=cursor is None,
        states=STATES,
    )


@router.get("/manual/export.xlsx")
async def manual_file(visitor: BureauReader, campaign: Word) -> Response:
    campaigns = await campaigns_of(visitor.calls)
    path = at("redemption", "redemptions", "manual")
    items = await visitor.calls.every(path, {"campaign": campaign}, most=EXPORTED_MAX)
    rows = [manual_row(one, campaigns.type_names) for one in items]
    return await listed_file("人工核销", MANUAL_HEADER, rows, MANUAL_WIDTHS)


def _conflicts(campaign: str, status: str) -> dict[str, str]:
    asked = {"kind": "offline_conflict", "campaign": campaign, "status": status}
    return {name: value for name, value in asked.items() if value}


@router.get("/conflicts")
async def conflicts(
    visitor: BureauReader, campaign: Word = "", status: Word = "", cursor: Cursor = None
) -> Response:
    """Vouchers that were written off without a line and were used already."""
    query = {**_conflicts(campaign, status), "limit": _LIMIT, "cursor": cursor}
    campaigns, found = await asyncio.gather(
        campaigns_of(visitor.calls), visitor.calls.get(at("redemption", "risk", "cases"), query)
    )
    return visitor.page(
        "writeoffpages/conflicts.html",
        here="conflicts",
        found=found,
        campaigns=campaigns,
        campaign=campaign,
        status_chosen=status,
        status_choices=CASE_CHOICES,
        query=urlencode({"campaign": campaign, "status": status}),
        first=cursor is None,
    )


@router.get("/conflicts/export.xlsx")
async def conflicts_file(visitor: BureauReader, campaign: Word = "", status: Word = "") -> Response:
    path = at("redemption", "risk", "cases")
    items = await visitor.calls.every(path, _conflicts(campaign, status), most=EXPORTED_MAX)
    return await listed_file("离线冲突", CONFLICT_HEADER, [*map(conflict_row, items)], CONFLICT_WIDTHS)


async def _one_page(
    visitor: Visitor,
    redemption_id: str,
    *,
    refused: Refused | None = None,
    done: str | None = None,
    tried: tuple[str, dict[str, str]] | None = None,
) -> Response:
    """`tried` is the address of a form that was refused, with what was typed into it."""
    one, campaigns = await asyncio.gather(
        visitor.calls.get(at("redemption", "write-offs", redemption_id)), campaigns_of(visitor.calls)
    )
    return visitor.page(
        "writeoffpages/one.html",
        here=_here(visitor),
        status=refused.status if refused else 200,
        one=one,
        campaigns=campaigns,
        states=STATES,
        sources=SOURCES,
        settlement_states=SETTLEMENT_STATES,
        actors=ACTORS,
        reads=visitor.staff.has(*READERS),
        writes=visitor.staff.has(*WRITERS),
        refused=refused,
        tried=tried,
        done=done,
        done_words=DONE,
    )


@router.get("/{redemption_id}")
async def one(visitor: InstitutionReader, redemption_id: str, done: str | None = None) -> Response:
    return await _one_page(visitor, redemption_id, done=done)


async def _propose(visitor: Visitor, redemption_id: str, what: str, reason: str, request_no: str) -> Response:
    body = {"reason": reason, "request_no": request_no or None}
    try:
        await visitor.calls.post(at("redemption", "redemptions", redemption_id, what), body)
    except Refused as refused:
        tried = (visitor.request.url.path, {"reason": reason})
        return await _one_page(visitor, redemption_id, refused=refused, tried=tried)
    return RedirectResponse(f"{_BASE}/{redemption_id}?done=proposed", status_code=303)


@router.post("/{redemption_id}/reverse", dependencies=[OUR_FORM])
async def reverse(
    visitor: BureauWriter, redemption_id: str, reason: Reason = "", request_no: RequestNo = ""
) -> Response:
    """Of one that is in no settlement; somebody else approves."""
    return await _propose(visitor, redemption_id, "reversals", reason, request_no)


@router.post("/{redemption_id}/correct", dependencies=[OUR_FORM])
async def correct(
    visitor: BureauWriter, redemption_id: str, reason: Reason = "", request_no: RequestNo = ""
) -> Response:
    """Of one that was settled: a negative line in the next settlement; somebody else approves."""
    return await _propose(visitor, redemption_id, "corrections", reason, request_no)

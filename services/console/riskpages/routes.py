"""Risk cases: the list, one with its evidence and what was decided; days that failed."""

import asyncio
from typing import Annotated, Any
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
from services.console.pages.schemas import EXPORTED_MAX, language_for, listed_file
from services.console.riskpages.rules import (
    ACTIONS,
    DECISION_CHOICES,
    DECISIONS,
    DONE,
    FACTS,
    FAILED_HEADER,
    FAILED_WIDTHS,
    KIND_CHOICES,
    KINDS,
    STATE_CHOICES,
    STATES,
    failed_row,
    reason_told,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.identity.staff import WRITERS

_WORD_LENGTH_MAX = 100
_CURSOR_LENGTH_MAX = 500
_NOTE_LENGTH_MAX = 500
_LIMIT = 50
_CASES = "/console/risk/cases"
_FAILED = "/console/risk/failed-days"

router = page_router()

BureauWriter = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]
Note = Annotated[str, Form(max_length=_NOTE_LENGTH_MAX)]
Typed = Annotated[str, Form(max_length=_WORD_LENGTH_MAX)]


async def _filters(
    *,
    campaign: Word = "",
    institution_id: Word = "",
    status: Word = "",
    kind: Word = "",
    decision: Word = "",
) -> dict[str, str]:
    return {
        "campaign": campaign,
        "institution_id": institution_id.strip(),
        "status": status,
        "kind": kind,
        "decision": decision,
    }


Filters = Annotated[dict[str, str], Depends(_filters)]


@router.get(_CASES)
async def cases(
    visitor: BureauReader, chosen: Filters, institution: Word = "", cursor: Cursor = None
) -> Response:
    pick = await picked(visitor.calls, institution.strip(), chosen["institution_id"])
    chosen["institution_id"] = pick.institution_id
    asked = {name: value for name, value in chosen.items() if value}
    campaigns, found = await asyncio.gather(
        campaigns_of(visitor.calls),
        _nothing() if pick.unclear else _cases(visitor, {**asked, "limit": _LIMIT, "cursor": cursor}),
    )
    return visitor.page(
        "riskpages/list.html",
        here="risk-cases",
        found=found,
        pick=pick,
        chosen=chosen,
        query=urlencode(asked),
        first=cursor is None,
        campaigns=campaigns,
        kinds=KINDS,
        kind_choices=KIND_CHOICES,
        states=STATES,
        state_choices=STATE_CHOICES,
        decisions=DECISIONS,
        decision_choices=(("", "全部", "All"), *DECISION_CHOICES),
    )


async def _cases(visitor: Visitor, query: dict[str, str | int | bool | None]) -> dict[str, Any]:
    found: dict[str, Any] = await visitor.calls.get(at("redemption", "risk", "cases"), query)
    return found


async def _nothing() -> dict[str, Any]:
    return dict(NOTHING_FOUND)


@router.get(f"{_CASES}/export.xlsx")
async def export(visitor: BureauReader, chosen: Filters) -> Response:
    asked = {name: value for name, value in chosen.items() if value}
    return await visitor.file(at("redemption", "risk", "cases.xlsx"), "风险线索.xlsx", asked)


async def _case_page(
    visitor: Visitor,
    case_id: str,
    cursor: str | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    values: dict[str, Any] = {
        "refused": None, "done": None, "note": "", "decision": "", "terminal_id": "", "tried": None, **shown
    }  # fmt: skip
    path = at("redemption", "risk", "cases", case_id)
    campaigns, case = await asyncio.gather(
        campaigns_of(visitor.calls), visitor.calls.get(path, {"limit": _LIMIT, "cursor": cursor})
    )
    language = language_for(visitor.request)
    terminals = at("redemption", "institutions", case["institution_id"], "terminals")
    return visitor.page(
        "riskpages/one.html",
        here="risk-cases",
        status=values["refused"].status if values["refused"] else 200,
        case=case,
        base=f"{_CASES}/{case_id}",
        first=cursor is None,
        campaigns=campaigns,
        kinds=KINDS,
        states=STATES,
        reasons=[reason_told(reason, language) for reason in case["evidence"].get("reasons", [])],
        facts=FACTS,
        terminals=(await visitor.calls.get(terminals))["items"],
        decisions=DECISIONS,
        decision_choices=DECISION_CHOICES,
        actions=ACTIONS,
        done_words=DONE,
        writes=visitor.staff.has(*WRITERS),
        **values,
    )


@router.get(f"{_CASES}/{{case_id}}")
async def case(
    visitor: BureauReader, case_id: str, cursor: Cursor = None, done: str | None = None
) -> Response:
    return await _case_page(visitor, case_id, cursor, done=done)


@router.get(f"{_CASES}/{{case_id}}/case.xlsx")
async def case_file(visitor: BureauReader, case_id: str) -> Response:
    path = at("redemption", "risk", "cases", case_id, "case.xlsx")
    return await visitor.file(path, f"风险线索-{case_id}.xlsx")


async def _acted(visitor: Visitor, case_id: str, act: str, body: dict[str, Any], done: str) -> Response:
    try:
        await visitor.calls.post(at("redemption", "risk", "cases", case_id, act), body)
    except Refused as refused:
        typed = {name: body.get(name) or "" for name in ("note", "decision", "terminal_id")}
        tried = (visitor.request.url.path, body)
        return await _case_page(visitor, case_id, refused=refused, tried=tried, **typed)
    return RedirectResponse(f"{_CASES}/{case_id}?{urlencode({'done': done})}", status_code=303)


@router.post(f"{_CASES}/{{case_id}}/decide", dependencies=[OUR_FORM])
async def decide(
    visitor: BureauWriter,
    case_id: str,
    *,
    decision: Typed = "",
    note: Note = "",
    terminal_id: Typed = "",
    request_no: RequestNo = "",
) -> Response:
    body = {
        "decision": decision,
        "note": note,
        "terminal_id": terminal_id.strip() or None,
        "request_no": request_no or None,
    }
    return await _acted(visitor, case_id, "decide", body, "decided")


@router.post(f"{_CASES}/{{case_id}}/release", dependencies=[OUR_FORM])
async def release(
    visitor: BureauWriter, case_id: str, reason: Note = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no or None}
    return await _acted(visitor, case_id, "release", body, "released")


@router.post(f"{_CASES}/{{case_id}}/reopen", dependencies=[OUR_FORM])
async def reopen(
    visitor: BureauWriter, case_id: str, reason: Note = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no or None}
    return await _acted(visitor, case_id, "reopen", body, "reopened")


async def _failed_page(
    visitor: Visitor,
    *,
    institution: str = "",
    institution_id: str = "",
    cursor: str | None = None,
    refused: Refused | None = None,
    done: str | None = None,
) -> Response:
    pick = await picked(visitor.calls, institution.strip(), institution_id.strip())
    asked = {"institution_id": pick.institution_id} if pick.institution_id else {}
    found = await (_nothing() if pick.unclear else _failed(visitor, {**asked, "cursor": cursor}))
    return visitor.page(
        "riskpages/failed.html",
        here="failed-days",
        status=refused.status if refused else 200,
        found=found,
        pick=pick,
        query=urlencode(asked),
        first=cursor is None,
        refused=refused,
        done=done,
        done_words=DONE,
        writes=visitor.staff.has(*WRITERS),
    )


async def _failed(visitor: Visitor, query: dict[str, str | None]) -> dict[str, Any]:
    path = at("redemption", "risk", "dead-letters")
    found: dict[str, Any] = await visitor.calls.get(path, {**query, "limit": _LIMIT})
    return found


@router.get(_FAILED)
async def failed_days(
    visitor: BureauReader,
    *,
    institution: Word = "",
    institution_id: Word = "",
    cursor: Cursor = None,
    done: str | None = None,
) -> Response:
    return await _failed_page(
        visitor, institution=institution, institution_id=institution_id, cursor=cursor, done=done
    )


@router.get(f"{_FAILED}/export.xlsx")
async def failed_file(visitor: BureauReader, institution_id: Word = "") -> Response:
    path = at("redemption", "risk", "dead-letters")
    asked = {"institution_id": institution_id.strip() or None}
    items = await visitor.calls.every(path, asked, most=EXPORTED_MAX)
    return await listed_file("计算失败的日期", FAILED_HEADER, [*map(failed_row, items)], FAILED_WIDTHS)


@router.post(f"{_FAILED}/{{letter_id}}/retry", dependencies=[OUR_FORM])
async def retry(visitor: BureauWriter, letter_id: str, request_no: RequestNo = "") -> Response:
    try:
        path = at("redemption", "risk", "dead-letters", letter_id, "retry")
        await visitor.calls.post(path, {"request_no": request_no or None})
    except Refused as refused:
        return await _failed_page(visitor, refused=refused)
    return RedirectResponse(f"{_FAILED}?done=queued", status_code=303)

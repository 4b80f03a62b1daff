"""Risk cases: the list, one with its evidence and what was decided; days that failed; institutions ranked."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Response
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
from services.console.riskpages.rules import (
    ACTIONS,
    DECISION_CHOICES,
    DECISIONS,
    DONE,
    KIND_CHOICES,
    KINDS,
    STATE_CHOICES,
    STATES,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_WORD_LENGTH_MAX = 100
_CURSOR_LENGTH_MAX = 500
_NOTE_LENGTH_MAX = 500
_LIMIT = 50
_CASES = "/console/risk/cases"
_FAILED = "/console/risk/failed-days"
_RANKING = "/console/institution-rankings"

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
async def cases(visitor: BureauReader, chosen: Filters, cursor: Cursor = None) -> Response:
    asked = {name: value for name, value in chosen.items() if value}
    campaigns, found = await asyncio.gather(
        campaigns_of(visitor.calls),
        visitor.calls.get(at("redemption", "risk", "cases"), {**asked, "limit": _LIMIT, "cursor": cursor}),
    )
    return visitor.page(
        "riskpages/list.html",
        here="risk-cases",
        found=found,
        chosen=chosen,
        query=urlencode(asked),
        first=cursor is None,
        whole=cursor is None and found["next_cursor"] is None,
        campaigns=campaigns,
        kinds=KINDS,
        kind_choices=KIND_CHOICES,
        states=STATES,
        state_choices=STATE_CHOICES,
        decisions=DECISIONS,
        decision_choices=(("", "全部", "All"), *DECISION_CHOICES),
    )


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
    values: dict[str, Any] = {"refused": None, "done": None, "note": "", "decision": "", **shown}
    path = at("redemption", "risk", "cases", case_id)
    campaigns, case = await asyncio.gather(
        campaigns_of(visitor.calls), visitor.calls.get(path, {"limit": _LIMIT, "cursor": cursor})
    )
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
        note = body.get("note") or body.get("reason") or ""
        decision = body.get("decision", "")
        return await _case_page(visitor, case_id, refused=refused, note=note, decision=decision)
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
    visitor: Visitor, cursor: str | None = None, refused: Refused | None = None, done: str | None = None
) -> Response:
    found = await visitor.calls.get(
        at("redemption", "risk", "dead-letters"), {"limit": _LIMIT, "cursor": cursor}
    )
    return visitor.page(
        "riskpages/failed.html",
        here="failed-days",
        status=refused.status if refused else 200,
        found=found,
        first=cursor is None,
        refused=refused,
        done=done,
        done_words=DONE,
        writes=visitor.staff.has(*WRITERS),
    )


@router.get(_FAILED)
async def failed_days(visitor: BureauReader, cursor: Cursor = None, done: str | None = None) -> Response:
    return await _failed_page(visitor, cursor, done=done)


@router.post(f"{_FAILED}/{{letter_id}}/retry", dependencies=[OUR_FORM])
async def retry(visitor: BureauWriter, letter_id: str, request_no: RequestNo = "") -> Response:
    try:
        path = at("redemption", "risk", "dead-letters", letter_id, "retry")
        await visitor.calls.post(path, {"request_no": request_no or None})
    except Refused as refused:
        return await _failed_page(visitor, refused=refused)
    return RedirectResponse(f"{_FAILED}?done=queued", status_code=303)


async def _ranking_page(
    visitor: Visitor,
    campaign: str,
    month: str,
    edition: str = "",
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    values: dict[str, Any] = {"refused": None, "done": None, "reason": "", **shown}
    campaigns = await campaigns_of(visitor.calls)
    chosen = campaigns.chosen(campaign)
    ranking, months = None, []
    if chosen:
        query = {"campaign": chosen, "month": month or None, "edition": edition or None}
        ranking, frozen = await asyncio.gather(
            visitor.calls.get(at("redemption", "rankings"), query),
            visitor.calls.get(at("redemption", "rankings", "months"), {"campaign": chosen}),
        )
        months = frozen["items"]
    return visitor.page(
        "riskpages/ranking.html",
        here="institution-rankings",
        status=values["refused"].status if values["refused"] else 200,
        campaigns=campaigns,
        campaign=chosen,
        ranking=ranking,
        months=months,
        query=urlencode({"campaign": chosen, **({"month": month} if month else {})}),
        done_words=DONE,
        writes=visitor.staff.has(*WRITERS),
        **values,
    )


@router.get(_RANKING)
async def ranking(
    visitor: BureauReader,
    *,
    campaign: Word = "",
    month: Word = "",
    edition: Word = "",
    done: str | None = None,
) -> Response:
    return await _ranking_page(visitor, campaign, month, edition, done=done)


@router.get(f"{_RANKING}/ranking.{{kind}}")
async def ranking_file(
    visitor: BureauReader, kind: str, *, campaign: Word = "", month: Word = "", edition: Word = ""
) -> Response:
    if kind not in {"xlsx", "csv"}:
        raise NotFound
    query = {"campaign": campaign, "month": month or None, "edition": edition or None}
    return await visitor.file(at("redemption", "rankings", f"ranking.{kind}"), f"机构排名.{kind}", query)


@router.post(f"{_RANKING}/freeze", dependencies=[OUR_FORM])
async def freeze(
    visitor: BureauWriter,
    *,
    campaign: Typed = "",
    month: Typed = "",
    reason: Note = "",
    request_no: RequestNo = "",
) -> Response:
    """Proposes to publish a month as it is; somebody else approves."""
    body = {
        "campaign": campaign,
        "month": month,
        "reason": reason or None,
        "request_no": request_no or None,
    }
    try:
        await visitor.calls.post(at("redemption", "rankings", "freeze"), body)
    except Refused as refused:
        return await _ranking_page(visitor, campaign, "", refused=refused, reason=reason)
    query = urlencode({"campaign": campaign, "month": month, "done": "proposed"})
    return RedirectResponse(f"{_RANKING}?{query}", status_code=303)

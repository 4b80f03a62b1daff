"""The directory of institutions, and one institution with all that belongs to it."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.console.institutionpages.operations import (
    accounts_of,
    campaigns_of,
    named_like,
    proposed_for,
    terminals_of,
)
from services.console.institutionpages.rules import (
    CAUSES,
    DONE,
    EXPORT_HEADER,
    EXPORT_WIDTHS,
    OWNED,
    OWNERSHIP,
    SKEW_SECONDS_SHOWN,
    STATE_CHOICES,
    STATES,
    WEEKDAYS,
    export_row,
)
from services.console.institutionpages.schemas import InstitutionForm, form_of, institution_form
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import EXPORTED_MAX, language_for, listed_file
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import READERS, WRITERS, Role
from shared.vouchers.categories import CATEGORIES

_WORD_LENGTH_MAX = 200
_CURSOR_LENGTH_MAX = 500
_REASON_LENGTH_MAX = 500
_LIMIT = 50
_HISTORY = 20
BASE = "/console/institutions"

router = page_router(BASE)

BureauWriter = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
InstitutionReader = Annotated[Visitor, Depends(visitor_with(*READERS, Role.INSTITUTION))]
Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]
Reason = Annotated[str, Form(max_length=_REASON_LENGTH_MAX)]
Typed = Annotated[InstitutionForm, Depends(institution_form)]
InstitutionAct = Literal["pause", "resume", "close"]


async def _filters(
    *,
    campaign: Word = "",
    county: Word = "",
    category: Word = "",
    voucher_type: Word = "",
    status: Word = "",
    public: Word = "",
    q: Word = "",
) -> dict[str, str]:
    return {
        "campaign": campaign,
        "county": county.strip(),
        "category": category.strip(),
        "voucher_type": voucher_type,
        "status": status,
        "public": public,
        "q": q.strip(),
    }


Filters = Annotated[dict[str, str], Depends(_filters)]


@router.get("")
async def directory(visitor: BureauReader, chosen: Filters, cursor: Cursor = None) -> Response:
    asked = {name: value for name, value in chosen.items() if value}
    campaigns, found = await asyncio.gather(
        campaigns_of(visitor.calls),
        visitor.calls.get(at("redemption", "institutions"), {**asked, "limit": _LIMIT, "cursor": cursor}),
    )
    return visitor.page(
        "institutionpages/list.html",
        here="institutions",
        found=found,
        chosen=chosen,
        query=urlencode(asked),
        first=cursor is None,
        campaigns=campaigns,
        categories=CATEGORIES.values(),
        states=STATES,
        state_choices=STATE_CHOICES,
        ownership=OWNERSHIP,
        writes=visitor.staff.has(*WRITERS),
    )


@router.get("/options")
async def options(visitor: BureauReader, institution: Word = "") -> Response:
    """What may be meant by the part of a name that was typed, for the form that asked."""
    typed = institution.strip()
    found = await named_like(visitor.calls, typed) if typed else []
    names = [one["name"] for one in found]
    return visitor.page("institutionpages/options.html", here="institutions", found=found, names=names)


@router.get("/export.xlsx")
async def export(visitor: BureauReader, chosen: Filters) -> Response:
    asked = {name: value for name, value in chosen.items() if value}
    names = (await campaigns_of(visitor.calls)).type_names
    items = await visitor.calls.every(at("redemption", "institutions"), asked, most=EXPORTED_MAX)
    rows = [export_row(one, names) for one in items]
    return await listed_file("服务机构", EXPORT_HEADER, rows, EXPORT_WIDTHS)


async def _form_page(
    visitor: Visitor,
    form: InstitutionForm,
    institution_id: str | None,
    refused: Refused | None = None,
) -> Response:
    campaigns = await campaigns_of(visitor.calls)
    return visitor.page(
        "institutionpages/form.html",
        here="institutions",
        status=refused.status if refused else 200,
        form=form,
        campaign=campaigns.chosen(form.campaign),
        institution_id=institution_id,
        campaigns=campaigns,
        categories=CATEGORIES.values(),
        owned=OWNED,
        weekdays=WEEKDAYS,
        refused=refused,
    )


@router.get("/new")
async def new(visitor: BureauWriter, campaign: Word = "") -> Response:
    return await _form_page(visitor, InstitutionForm(campaign=campaign), None)


@router.post("/new", dependencies=[OUR_FORM])
async def create(visitor: BureauWriter, form: Typed, request_no: RequestNo = "") -> Response:
    body = {
        **form.body(),
        "campaign": form.campaign,
        "accepts": list(form.accepts),
        "request_no": request_no or None,
    }
    try:
        made = await visitor.calls.post(at("redemption", "institutions"), body)
    except Refused as refused:
        return await _form_page(visitor, form, None, refused)
    return back_to(visitor, made["id"], "awaiting" if made.get("change_id") else "made")


async def institution_page(visitor: Visitor, institution_id: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    """All that is kept of an institution; each call is judged for this visitor by itself.

    `tried` is the address of a form that was refused, with what was typed into it.
    """
    values = {"refused": None, "done": None, "revealed": None, "tried": None, **shown}
    reads = visitor.staff.has(*READERS)
    here, calls = ("redemption", "institutions", institution_id), visitor.calls
    record = await calls.get(at(*here))
    campaigns, terminals, prices, payees, operators, history, proposed = await asyncio.gather(
        campaigns_of(calls),
        terminals_of(calls, institution_id),
        calls.get(at(*here, "contract-prices")),
        accounts_of(calls, institution_id),
        calls.get(at(*here, "operators")),
        calls.get(at(*here, "history"), {"limit": _HISTORY}),
        proposed_for(calls, institution_id, reads=reads),
    )
    refused, stays = values["refused"], record["status"] != "closed"
    return visitor.page(
        "institutionpages/one.html",
        here="institutions" if reads else "own-institution",
        status=refused.status if refused else 200,
        record=record,
        campaigns=campaigns,
        terminals=terminals,
        prices=prices["items"],
        payees=payees,
        operators=operators,
        history=history["items"],
        proposed=proposed,
        states=STATES,
        weekdays=WEEKDAYS,
        causes=CAUSES,
        done_words=DONE,
        skew_shown=SKEW_SECONDS_SHOWN,
        base=f"{BASE}/{institution_id}",
        writes=visitor.staff.has(*WRITERS) and stays,
        names_operators=visitor.staff.has(*WRITERS, Role.INSTITUTION) and stays,
        reads=reads,
        **values,
    )


@router.get("/own")
async def own(visitor: InstitutionReader, done: str | None = None) -> Response:
    """The institution that the account is bound to: no address holds its id."""
    if visitor.staff.institution_id is None:
        raise NotFound
    return await institution_page(visitor, visitor.staff.institution_id, done=done)


@router.get("/{institution_id}")
async def one(visitor: BureauReader, institution_id: str, done: str | None = None) -> Response:
    return await institution_page(visitor, institution_id, done=done)


@router.get("/{institution_id}/edit")
async def edit_form(
    request: Request, visitor: BureauWriter, institution_id: str, campaign: Word = ""
) -> Response:
    record = await visitor.calls.get(at("redemption", "institutions", institution_id))
    joined = [one["campaign"] for one in record["memberships"]]
    form = form_of(record, campaign or next(iter(joined), ""), language_for(request))
    return await _form_page(visitor, form, institution_id)


@router.post("/{institution_id}/edit", dependencies=[OUR_FORM])
async def edit(
    visitor: BureauWriter, institution_id: str, form: Typed, request_no: RequestNo = ""
) -> Response:
    body: dict[str, Any] = {**form.body(), "reason": form.reason, "request_no": request_no or None}
    if form.campaign and form.accepts:
        body |= {"campaign": form.campaign, "accepts": list(form.accepts)}
    try:
        saved = await visitor.calls.patch(at("redemption", "institutions", institution_id), body)
    except Refused as refused:
        return await _form_page(visitor, form, institution_id, refused)
    return back_to(visitor, institution_id, "awaiting" if saved.get("change_id") else "saved")


@router.post("/{institution_id}/{act}", dependencies=[OUR_FORM])
async def act_on_institution(
    visitor: BureauWriter,
    institution_id: str,
    act: InstitutionAct,
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    path = at("redemption", "institutions", institution_id, act)
    return await acted(visitor, institution_id, path, {"reason": reason}, request_no=request_no, done=act)


async def acted(
    visitor: Visitor,
    institution_id: str,
    path: str,
    body: Mapping[str, Any],
    *,
    request_no: str,
    done: str,
) -> Response:
    """Back to the institution's page, or the page with why not and with what was typed."""
    try:
        await visitor.calls.post(path, {**body, "request_no": request_no or None})
    except Refused as refused:
        tried = (visitor.request.url.path, body)
        return await institution_page(visitor, institution_id, refused=refused, tried=tried)
    return back_to(visitor, institution_id, done)


def back_to(visitor: Visitor, institution_id: str, done: str) -> Response:
    """The bureau to the institution's page, the institution's own staff to theirs."""
    page = institution_id if visitor.staff.has(*READERS) else "own"
    return RedirectResponse(f"{BASE}/{page}?{urlencode({'done': done})}", status_code=303)

"""The directory of institutions, one institution with all that belongs to it, and the import of a list."""

import asyncio
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import RedirectResponse

from services.console.institutionpages.operations import campaigns_of
from services.console.institutionpages.rules import (
    CAUSES,
    DONE,
    KEPT,
    OWNED,
    OWNERSHIP,
    SKEW_SECONDS_SHOWN,
    STATE_CHOICES,
    STATES,
    WEEKDAYS,
    with_expiry,
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
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from services.console.tablepages.schemas import no_file, sent_file
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import READERS, WRITERS, Role

_WORD_LENGTH_MAX = 200
_CURSOR_LENGTH_MAX = 500
_REASON_LENGTH_MAX = 500
_LIMIT = 50
_HISTORY = 20
_BASE = "/console/institutions"
_HEADER = ("名称", "类别", "县市", "公立", "地址", "受理券种", "状态", "编号")
_WIDTHS = (36, 16, 12, 8, 40, 40, 10, 20)

router = page_router("/console/institutions")

BureauWriter = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
InstitutionReader = Annotated[Visitor, Depends(visitor_with(*READERS, Role.INSTITUTION))]
Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]
Reason = Annotated[str, Form(max_length=_REASON_LENGTH_MAX)]
Typed = Annotated[InstitutionForm, Depends(institution_form)]
InstitutionAct = Literal["pause", "resume", "close"]
TerminalAct = Literal["pause", "resume", "revoke"]


def _writes(visitor: Visitor) -> bool:
    return visitor.staff.has(*WRITERS)


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
        whole=cursor is None and found["next_cursor"] is None,
        first=cursor is None,
        campaigns=campaigns,
        states=STATES,
        state_choices=STATE_CHOICES,
        ownership=OWNERSHIP,
        writes=_writes(visitor),
    )


@router.get("/export.xlsx")
async def export(visitor: BureauReader, chosen: Filters) -> Response:
    asked = {name: value for name, value in chosen.items() if value}
    names = (await campaigns_of(visitor.calls)).type_names
    items = await visitor.calls.every(at("redemption", "institutions"), asked, most=EXPORTED_MAX)
    owned = {True: "是", False: "否", None: ""}
    rows = [
        [
            one["name"],
            one["category"],
            one["county"] or "",
            owned[one["public"]],
            one["address"] or "",
            "、".join(names.get(key, key) for key in one["accepts"]),
            STATES[one["status"]][1],
            one["id"],
        ]
        for one in items
    ]
    return await listed_file("服务机构", _HEADER, rows, _WIDTHS)


async def _form_page(
    visitor: Visitor,
    form: InstitutionForm,
    institution_id: str | None,
    refused: Refused | None = None,
) -> Response:
    campaigns = await campaigns_of(visitor.calls)
    campaign = campaigns.chosen(form.campaign)
    return visitor.page(
        "institutionpages/form.html",
        here="institutions",
        status=refused.status if refused else 200,
        form=form,
        campaign=campaign,
        institution_id=institution_id,
        campaigns=campaigns,
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
    return _back(made["id"], "awaiting" if made.get("change_id") else "made")


async def _import_page(visitor: Visitor, campaign: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    values = {"refused": None, "report": None, "file_name": "", "undone": None, "done": None, **shown}
    campaigns, made = await asyncio.gather(
        campaigns_of(visitor.calls),
        visitor.calls.get(at("redemption", "institutions", "imports"), {"campaign": campaign or None}),
    )
    return visitor.page(
        "institutionpages/import.html",
        here="institution-import",
        campaigns=campaigns,
        campaign=campaigns.chosen(campaign),
        imports=made["items"],
        kept=KEPT,
        done_words=DONE,
        **values,
    )


@router.get("/import")
async def import_form(visitor: BureauWriter, campaign: Word = "", done: str | None = None) -> Response:
    return await _import_page(visitor, campaign, done=done)


@router.get("/import/template.xlsx")
async def import_template(visitor: BureauWriter) -> Response:
    return await visitor.file(at("redemption", "institutions", "template.xlsx"), "服务机构导入模板.xlsx")


@router.post("/import", dependencies=[OUR_FORM])
async def import_file(
    visitor: BureauWriter,
    *,
    file: Annotated[UploadFile | None, File()] = None,
    campaign: Annotated[str, Form(max_length=_WORD_LENGTH_MAX)] = "",
    step: Annotated[str, Form(max_length=8)] = "check",
) -> Response:
    """Checks a list and keeps nothing, or with `step=import` takes it in."""
    table, checking = sent_file(file) or no_file(), step != "import"
    query = {"campaign": campaign, "dry_run": "true" if checking else "false"}
    try:
        path = at("redemption", "institutions", "import")
        report = await visitor.calls.upload(path, {"file": table}, query=query)
    except Refused as refused:
        return await _import_page(visitor, campaign, refused=refused, status=refused.status)
    if checking or report["rejected"]:
        return await _import_page(visitor, campaign, report=report, file_name=table.name, checked=checking)
    return RedirectResponse(
        f"{_BASE}/import?{urlencode({'campaign': campaign, 'done': 'imported'})}", status_code=303
    )


@router.post("/import/{import_id}/undo", dependencies=[OUR_FORM])
async def undo_import(
    visitor: BureauWriter, import_id: str, reason: Reason = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no or None}
    try:
        undone = await visitor.calls.post(
            at("redemption", "institutions", "imports", import_id, "undo"), body
        )
    except Refused as refused:
        return await _import_page(visitor, "", refused=refused, status=refused.status)
    return await _import_page(visitor, "", undone=undone)


async def _terminals(visitor: Visitor, institution_id: str) -> list[dict[str, Any]]:
    seen, made = await asyncio.gather(
        visitor.calls.every(
            at("redemption", "terminals"), {"institution_id": institution_id}, most=EXPORTED_MAX
        ),
        visitor.calls.get(at("redemption", "institutions", institution_id, "terminals")),
    )
    return with_expiry(seen, made["items"])


async def _accounts(visitor: Visitor, institution_id: str) -> list[dict[str, Any]]:
    """None is kept of an institution that closed without any: the service does not find it then."""
    try:
        found = await visitor.calls.get(at("redemption", "institutions", institution_id, "payee-accounts"))
    except Refused as refused:
        if refused.status == NotFound.status:
            return []
        raise
    items: list[dict[str, Any]] = found["items"]
    return items


async def _page(visitor: Visitor, institution_id: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    """All that is kept of an institution; each call is judged for this visitor by itself."""
    values = {"refused": None, "done": None, "activation": None, **shown}
    here, calls = ("redemption", "institutions", institution_id), visitor.calls
    record = await calls.get(at(*here))
    campaigns, terminals, prices, payees, operators, history = await asyncio.gather(
        campaigns_of(calls),
        _terminals(visitor, institution_id),
        calls.get(at(*here, "contract-prices")),
        _accounts(visitor, institution_id),
        calls.get(at(*here, "operators")),
        calls.get(at(*here, "history"), {"limit": _HISTORY}),
    )
    refused = values["refused"]
    return visitor.page(
        "institutionpages/one.html",
        here="institutions" if visitor.staff.has(*READERS) else "own-institution",
        status=refused.status if refused else 200,
        record=record,
        campaigns=campaigns,
        terminals=terminals,
        prices=prices["items"],
        payees=payees,
        operators=operators,
        history=history["items"],
        states=STATES,
        weekdays=WEEKDAYS,
        causes=CAUSES,
        done_words=DONE,
        skew_shown=SKEW_SECONDS_SHOWN,
        base=f"{_BASE}/{institution_id}",
        writes=_writes(visitor) and record["status"] != "closed",
        **values,
    )


@router.get("/own")
async def own(visitor: InstitutionReader) -> Response:
    """The institution that the account is bound to: no address holds its id."""
    if visitor.staff.institution_id is None:
        raise NotFound
    return await _page(visitor, visitor.staff.institution_id)


@router.get("/{institution_id}")
async def one(visitor: BureauReader, institution_id: str, done: str | None = None) -> Response:
    return await _page(visitor, institution_id, done=done)


@router.get("/{institution_id}/edit")
async def edit_form(visitor: BureauWriter, institution_id: str, campaign: Word = "") -> Response:
    record = await visitor.calls.get(at("redemption", "institutions", institution_id))
    joined = [one["campaign"] for one in record["memberships"]]
    return await _form_page(visitor, form_of(record, campaign or next(iter(joined), "")), institution_id)


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
    return _back(institution_id, "awaiting" if saved.get("change_id") else "saved")


@router.post("/{institution_id}/terminals", dependencies=[OUR_FORM])
async def make_terminal(
    visitor: BureauWriter,
    institution_id: str,
    label: Annotated[str, Form(max_length=_WORD_LENGTH_MAX)] = "",
    request_no: RequestNo = "",
) -> Response:
    path = at("redemption", "institutions", institution_id, "terminals")
    return await _with_code(visitor, institution_id, path, {"label": label}, request_no)


@router.post("/{institution_id}/terminals/{terminal_id}/activation-code", dependencies=[OUR_FORM])
async def reissue(
    visitor: BureauWriter,
    institution_id: str,
    terminal_id: str,
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    path = at("redemption", "terminals", terminal_id, "activation-code")
    return await _with_code(visitor, institution_id, path, {"reason": reason}, request_no)


async def _with_code(
    visitor: Visitor, institution_id: str, path: str, body: dict[str, str], request_no: str
) -> Response:
    """Answered at once and not by a redirect: the code stands in no address, and is shown this once."""
    try:
        made = await visitor.calls.post(path, {**body, "request_no": request_no or None})
    except Refused as refused:
        return await _page(visitor, institution_id, refused=refused)
    answer = await _page(visitor, institution_id, activation=made)
    answer.headers["cache-control"] = "no-store"
    return answer


@router.post("/{institution_id}/terminals/{terminal_id}/{act}", dependencies=[OUR_FORM])
async def act_on_terminal(
    visitor: BureauWriter,
    *,
    institution_id: str,
    terminal_id: str,
    act: TerminalAct,
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    return await _acted(
        visitor,
        institution_id,
        at("redemption", "terminals", terminal_id, act),
        act,
        reason=reason,
        request_no=request_no,
    )


@router.post("/{institution_id}/{act}", dependencies=[OUR_FORM])
async def act_on_institution(
    visitor: BureauWriter,
    institution_id: str,
    act: InstitutionAct,
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    return await _acted(
        visitor,
        institution_id,
        at("redemption", "institutions", institution_id, act),
        act,
        reason=reason,
        request_no=request_no,
    )


async def _acted(
    visitor: Visitor, institution_id: str, path: str, act: str, *, reason: str, request_no: str
) -> Response:
    try:
        await visitor.calls.post(path, {"reason": reason, "request_no": request_no or None})
    except Refused as refused:
        return await _page(visitor, institution_id, refused=refused)
    return _back(institution_id, act)


def _back(institution_id: str, done: str) -> Response:
    return RedirectResponse(f"{_BASE}/{institution_id}?{urlencode({'done': done})}", status_code=303)

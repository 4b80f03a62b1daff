"""What is agreed with an institution: its prices, where it is paid, and who works its terminals."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import Depends, Form, Response

from services.console.campaignpages.rules import fen_of
from services.console.institutionpages.routes import (
    BASE,
    BureauWriter,
    Reason,
    acted,
    back_to,
    institution_page,
)
from services.console.pages.routes import OUR_FORM, RequestNo, Visitor, page_router, visitor_with
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.identity.staff import WRITERS, Role

_TEXT_LENGTH_MAX = 200
_TERMINALS_MAX = 200

# Before the institutions' own routes: what is done here is no act on an institution.
router = page_router(f"{BASE}/{{institution_id}}")

# The institution's own staff name their operators themselves; the service judges whose they are.
Namer = Annotated[Visitor, Depends(visitor_with(*WRITERS, Role.INSTITUTION))]
Text = Annotated[str, Form(max_length=_TEXT_LENGTH_MAX)]
TerminalIds = Annotated[list[Text] | None, Form(max_length=_TERMINALS_MAX)]


@router.post("/contract-prices", dependencies=[OUR_FORM])
async def propose_price(
    visitor: BureauWriter,
    institution_id: str,
    *,
    campaign: Text = "",
    voucher_type: Text = "",
    price: Text = "",
    effective_from: Text = "",
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    """Proposes what the institution is paid for a directed voucher; somebody else approves it."""
    body = {
        "campaign": campaign,
        "voucher_type": voucher_type,
        "price_fen": fen_of(price) if price.strip() else None,
        "effective_from": effective_from,
        "reason": reason,
        "request_no": request_no or None,
    }
    return await _proposed(visitor, institution_id, "contract-prices", body, {**body, "price": price})


@router.post("/payee-accounts", dependencies=[OUR_FORM])
async def propose_account(
    visitor: BureauWriter,
    institution_id: str,
    *,
    account_name: Text = "",
    bank_name: Text = "",
    account_number: Text = "",
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    """Proposes the bank account that it is paid to; somebody else approves it."""
    body = {
        "account_name": account_name,
        "bank_name": bank_name,
        "account_number": account_number,
        "reason": reason,
        "request_no": request_no or None,
    }
    return await _proposed(visitor, institution_id, "payee-accounts", body, body)


async def _proposed(
    visitor: Visitor, institution_id: str, what: str, body: Mapping[str, object], typed: Mapping[str, object]
) -> Response:
    try:
        await visitor.calls.post(at("redemption", "institutions", institution_id, what), body)
    except Refused as refused:
        tried = (visitor.request.url.path, typed)
        return await institution_page(visitor, institution_id, refused=refused, tried=tried)
    return back_to(visitor, institution_id, "proposed")


@router.post("/payee-accounts/{account_id}/reveal", dependencies=[OUR_FORM])
async def reveal(
    visitor: BureauWriter, institution_id: str, account_id: str, reason: Reason = ""
) -> Response:
    """An account in full, this once; who saw it and why is in the audit log."""
    path = at("redemption", "institutions", institution_id, "payee-accounts", account_id, "reveal")
    try:
        revealed = await visitor.calls.post(path, {"reason": reason})
    except Refused as refused:
        tried = (visitor.request.url.path, {"reason": reason})
        return await institution_page(visitor, institution_id, refused=refused, tried=tried)
    answer = await institution_page(visitor, institution_id, revealed=revealed)
    answer.headers["cache-control"] = "no-store"
    return answer


@router.post("/operators", dependencies=[OUR_FORM])
async def add_operator(
    visitor: Namer,
    institution_id: str,
    *,
    code: Text = "",
    label: Text = "",
    terminal_ids: TerminalIds = None,
    request_no: RequestNo = "",
) -> Response:
    path = at("redemption", "institutions", institution_id, "operators")
    body = {"code": code.strip(), "label": label, "terminal_ids": terminal_ids or []}
    return await acted(visitor, institution_id, path, body, request_no=request_no, done="operator")


@router.post("/operators/{code}/label", dependencies=[OUR_FORM])
async def rename_operator(
    visitor: Namer,
    institution_id: str,
    code: str,
    *,
    label: Text = "",
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    path = at("redemption", "institutions", institution_id, "operators", code, "label")
    body = {"label": label, "reason": reason}
    return await acted(visitor, institution_id, path, body, request_no=request_no, done="operator")


@router.post("/operators/{code}/terminals", dependencies=[OUR_FORM])
async def assign_operator(
    visitor: Namer,
    institution_id: str,
    code: str,
    *,
    terminal_ids: TerminalIds = None,
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    path = at("redemption", "institutions", institution_id, "operators", code, "terminals")
    body = {"terminal_ids": terminal_ids or [], "reason": reason}
    return await acted(visitor, institution_id, path, body, request_no=request_no, done="operator")


@router.post("/operators/{code}/end", dependencies=[OUR_FORM])
async def end_operator(
    visitor: Namer, institution_id: str, code: str, *, reason: Reason = "", request_no: RequestNo = ""
) -> Response:
    path = at("redemption", "institutions", institution_id, "operators", code, "end")
    return await acted(
        visitor, institution_id, path, {"reason": reason}, request_no=request_no, done="operator"
    )


@router.post("/operator-rule", dependencies=[OUR_FORM])
async def require_operators(
    visitor: Namer,
    institution_id: str,
    *,
    required: Annotated[bool, Form()] = False,
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    """Whether its tills write off only with an operator of their list."""
    path = at("redemption", "institutions", institution_id, "operator-rule")
    body = {"required": required, "reason": reason}
    return await acted(visitor, institution_id, path, body, request_no=request_no, done="rule")

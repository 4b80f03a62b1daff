"""Vouchers: found masked, seen in clear with a reason that is audited, revoked by a change."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.changenames.operations import Naming
from services.console.changenames.rules import Names, merged
from services.console.pages.routes import OUR_FORM, BureauReader, RequestNo, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from services.console.voucherpages.rules import HEADER, MOVES, STATE_CHOICES, STATES, WIDTHS, row
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_WORD_LENGTH_MAX = 64
_CURSOR_LENGTH_MAX = 500
_REASON_LENGTH_MAX = 1000
_LIMIT = 50
_BASE = "/console/vouchers"

router = page_router(_BASE)

Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]
Reason = Annotated[str, Form(max_length=_REASON_LENGTH_MAX)]


async def _filters(
    *,
    campaign: Word = "",
    holder: Word = "",
    voucher_type: Word = "",
    status: Word = "",
    issued_from: Word = "",
    issued_to: Word = "",
) -> dict[str, str]:
    asked = {
        "campaign": campaign,
        "holder": holder.strip(),
        "voucher_type": voucher_type,
        "status": status,
        "issued_from": issued_from,
        "issued_to": issued_to,
    }
    return {name: value for name, value in asked.items() if value}


Filters = Annotated[dict[str, str], Depends(_filters)]


async def _list_page(
    visitor: Visitor, asked: dict[str, str], cursor: str | None = None, refused: Refused | None = None
) -> Response:
    campaigns = await visitor.calls.every(at("issuance", "campaigns"), {}, most=EXPORTED_MAX)
    if not campaigns:
        raise NotFound
    slug = asked.get("campaign") or campaigns[0]["slug"]
    chosen = next((one for one in campaigns if one["slug"] == slug), None)
    if chosen is None:
        raise NotFound
    asked = {**asked, "campaign": slug}
    found: dict[str, Any] = {"items": [], "next_cursor": None, "total": 0}
    try:
        found = await visitor.calls.get(
            at("issuance", "vouchers"), {**asked, "limit": _LIMIT, "cursor": cursor}
        )
    except Refused as wrong:
        refused = refused or wrong
    kinds = [(one["key"], one["name"], one["name"]) for one in chosen["voucher_types"]]
    return visitor.page(
        "voucherpages/vouchers.html",
        here="vouchers",
        status=refused.status if refused else 200,
        campaigns=[(one["slug"], one["title"], one["title"]) for one in campaigns],
        types=[("", "全部", "All"), *kinds],
        asked=asked,
        query=urlencode(asked),
        found=found,
        cursor=cursor,
        refused=refused,
        states=STATES,
        state_choices=STATE_CHOICES,
    )


@router.get("")
async def vouchers(visitor: BureauReader, asked: Filters, cursor: Cursor = None) -> Response:
    return await _list_page(visitor, asked, cursor)


@router.get("/export.xlsx")
async def export(visitor: BureauReader, asked: Filters) -> Response:
    found = await visitor.calls.every(at("issuance", "vouchers"), asked, most=EXPORTED_MAX)
    names = await _names(visitor, found)
    return await listed_file("消费券", HEADER, [row(one, names) for one in found], WIDTHS)


async def _names(visitor: Visitor, found: Sequence[dict[str, Any]]) -> Names:
    """Of the campaigns and institutions of these vouchers."""
    naming = Naming(visitor.calls)
    used = {one["institution_id"] for one in found if one["institution_id"]}
    campaigns = {one["campaign"] for one in found}
    return merged(
        await asyncio.gather(
            naming.of_institutions(used), *(naming.of_campaign(slug) for slug in sorted(campaigns))
        )
    )


@router.post("/lookup", dependencies=[OUR_FORM])
async def look_up(
    visitor: BureauReader, code: Annotated[str, Form(max_length=_WORD_LENGTH_MAX)] = ""
) -> Response:
    """By the code that its holder reads out; the code never stands in an address."""
    try:
        found = await visitor.calls.post(at("issuance", "vouchers", "lookup"), {"code": code.strip()})
    except Refused as refused:
        return await _list_page(visitor, {}, refused=refused)
    return RedirectResponse(f"{_BASE}/{found['id']}", status_code=303)


async def _one_page(visitor: Visitor, voucher_id: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    values = {"refused": None, "revealed": None, **shown}
    voucher = await visitor.calls.get(at("issuance", "vouchers", voucher_id))
    return visitor.page(
        "voucherpages/voucher.html",
        here="vouchers",
        status=values["refused"].status if values["refused"] else 200,
        voucher=voucher,
        names=await _names(visitor, [voucher]),
        states=STATES,
        moves=MOVES,
        writes=visitor.staff.has(*WRITERS),
        **values,
    )


@router.get("/{voucher_id}")
async def voucher(visitor: BureauReader, voucher_id: str) -> Response:
    return await _one_page(visitor, voucher_id)


@router.post("/{voucher_id}/reveal", dependencies=[OUR_FORM])
async def reveal(
    visitor: BureauReader,
    voucher_id: str,
    reason: Reason = "",
    fields: Annotated[Literal["name", "both"], Form()] = "name",
) -> Response:
    """Shows its holder in clear, once, on a page that is kept nowhere."""
    held = await visitor.calls.get(at("issuance", "vouchers", voucher_id))
    wanted = ["name", "id_number"] if fields == "both" else ["name"]
    path = at("issuance", "persons", held["holder"]["person_id"], "reveal")
    try:
        revealed = await visitor.calls.post(path, {"fields": wanted, "reason": reason})
    except Refused as refused:
        return await _one_page(visitor, voucher_id, refused=refused)
    page = await _one_page(visitor, voucher_id, revealed=revealed)
    page.headers["cache-control"] = "no-store"
    return page


@router.post("/{voucher_id}/revoke", dependencies=[OUR_FORM])
async def revoke(
    visitor: BureauReader, voucher_id: str, reason: Reason = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no or None}
    try:
        proposed = await visitor.calls.post(at("issuance", "vouchers", voucher_id, "revoke"), body)
    except Refused as refused:
        return await _one_page(visitor, voucher_id, refused=refused)
    return RedirectResponse(f"/console/changes?done=proposed#c-{proposed['change_id']}", status_code=303)

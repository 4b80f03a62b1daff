"""A hospital's own pages: its code, progress and rank, its departments' codes, and why a card counts where.

The hospital is always the one that the account is bound to: no address holds its id.
"""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.cardpages.rules import (
    APPEAL_CHOICES,
    APPEAL_STATES,
    APPEALS_HEADER,
    APPEALS_WIDTHS,
    CARD_STATES,
    EVENT_KINDS,
    WHY_EN,
    appeal_row,
)
from services.console.codepages.rules import CODE_FILES
from services.console.hospitalpages.rules import (
    KIND_NAMES,
    KINDS,
    SUB_CODE_HEADER,
    SUB_CODE_WIDTHS,
    code_in_use,
    months_until,
    own_row,
    sub_code_row,
)
from services.console.pages.routes import OUR_FORM, HospitalVisitor, RequestNo, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound

_SCENE_LENGTH_MAX = 64
_EVENT_LENGTH_MAX = 128
_LABEL_LENGTH_MAX = 200
_REASON_LENGTH_MAX = 1000
_SUB_CODES = "/console/hospital/sub-codes"

router = page_router("/console/hospital")

EventId = Annotated[str, Query(max_length=_EVENT_LENGTH_MAX)]
Kind = Annotated[str, Query(max_length=20)]
Scene = Annotated[str | None, Query(max_length=_SCENE_LENGTH_MAX)]


def _hospital(visitor: Visitor, *segments: str) -> str:
    """The path of a call about the visitor's own hospital."""
    return at("quota", "hospitals", visitor.staff.hospital_id or "", *segments)


async def _programme(visitor: Visitor) -> dict[str, Any]:
    """The programme that the hospital is in. Raises NotFound while it is in none."""
    items: list[dict[str, Any]] = (await visitor.calls.get(at("quota", "programmes")))["items"]
    if not items:
        raise NotFound
    return items[0]


@router.get("")
async def own_page(visitor: HospitalVisitor) -> Response:
    hospital_id = visitor.staff.hospital_id or ""
    programme = await _programme(visitor)
    slug = programme["slug"]
    progress = await visitor.calls.get(at("quota", "programmes", slug, "progress"))
    codes = await visitor.calls.get(_hospital(visitor, "codes"))
    frozen = (programme["frozen_through"] or "")[:7]
    trend = await _trend(visitor, slug, months_until(progress["as_of"][:7], progress["starts_on"]))
    published = next((one for one in trend if one["month"] == frozen), None)
    sub_codes = await visitor.calls.get(_hospital(visitor, "sub-codes"))
    appeals = await visitor.calls.get(at("quota", "programmes", slug, "appeals"), {"limit": 1})
    waiting = await visitor.calls.get(
        at("quota", "programmes", slug, "appeals"), {"limit": 1, "status": "open"}
    )
    return visitor.page(
        "hospitalpages/own.html",
        here="hospital",
        programme=programme,
        progress=progress,
        row=own_row(progress["items"], hospital_id),
        hospital=codes["hospital"],
        code=code_in_use(codes["items"]),
        replaced=[code for code in codes["items"] if code["replaced_at"]],
        trend=trend,
        trend_days=[(one["month"], max(0, one["month_issued"])) for one in trend],
        rank=published,
        sub_codes=[one for one in sub_codes["items"] if one["scene"]],
        appeals=appeals["total"],
        open_appeals=waiting["total"],
    )


async def _trend(visitor: Visitor, slug: str, months: list[str]) -> list[dict[str, Any]]:
    """The hospital's own line of each month, as published or as it is, where the month has a ranking."""

    async def of(month: str) -> dict[str, Any] | None:
        try:
            view = await visitor.calls.get(at("quota", "programmes", slug, "rankings"), {"month": month})
        except Refused:
            return None
        row = own_row(view["items"], visitor.staff.hospital_id or "")
        return {**row, "month": month, "frozen": view["frozen"]} if row else None

    return [one for one in await asyncio.gather(*map(of, months)) if one]


@router.get("/files/all.zip")
async def all_files(visitor: HospitalVisitor) -> Response:
    slug = (await _programme(visitor))["slug"]
    return await visitor.file(
        at("quota", "programmes", slug, "qr.zip"), "二维码与海报.zip", {"sub_codes": True}
    )


@router.get("/files/{name}")
async def file(visitor: HospitalVisitor, name: str, scene: Scene = None) -> Response:
    """The hospital's code and posters, or with `scene` those of one of its sub-codes."""
    if name not in CODE_FILES:
        raise NotFound
    wanted = CODE_FILES[name]
    return await visitor.file(_hospital(visitor, wanted.call), wanted.name, {**wanted.query, "scene": scene})


async def _sub_codes_page(visitor: Visitor, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    table = await visitor.calls.get(_hospital(visitor, "sub-codes"))
    values = {"refused": None, "label": "", "kind": "department", "only": "", "done": None, **shown}
    return visitor.page(
        "hospitalpages/sub_codes.html",
        here="sub-codes",
        table=table,
        items=_of_kind(table, values["only"]),
        kinds=KINDS,
        kind_choices=(("", "全部", "All"), *KINDS),
        kind_names=KIND_NAMES,
        **values,
    )


def _of_kind(table: dict[str, Any], only: str) -> list[dict[str, Any]]:
    return [item for item in table["items"] if only in {"", item["kind"]}]


@router.get("/sub-codes")
async def sub_codes(visitor: HospitalVisitor, only: Kind = "", done: str | None = None) -> Response:
    return await _sub_codes_page(visitor, only=only, done=done)


@router.get("/sub-codes.xlsx")
async def sub_codes_file(visitor: HospitalVisitor, only: Kind = "") -> Response:
    table = await visitor.calls.get(_hospital(visitor, "sub-codes"))
    rows = [*map(sub_code_row, _of_kind(table, only))]
    return await listed_file("科室与人员码", SUB_CODE_HEADER, rows, SUB_CODE_WIDTHS)


@router.post("/sub-codes", dependencies=[OUR_FORM])
async def make_sub_code(
    visitor: HospitalVisitor,
    label: Annotated[str, Form(max_length=_LABEL_LENGTH_MAX)] = "",
    kind: Annotated[str, Form(max_length=20)] = "",
    request_no: RequestNo = "",
) -> Response:
    body = {"label": label, "kind": kind, "request_no": request_no or None}
    try:
        await visitor.calls.post(_hospital(visitor, "codes"), body)
    except Refused as refused:
        return await _sub_codes_page(visitor, refused=refused, label=label, kind=kind, status=refused.status)
    return RedirectResponse(f"{_SUB_CODES}?done=made", status_code=303)


@router.post("/sub-codes/{scene}/retire", dependencies=[OUR_FORM])
async def retire_sub_code(
    visitor: HospitalVisitor,
    scene: str,
    reason: Annotated[str, Form(max_length=_REASON_LENGTH_MAX)] = "",
    request_no: RequestNo = "",
) -> Response:
    body = {"reason": reason, "request_no": request_no or None}
    try:
        await visitor.calls.post(_hospital(visitor, "codes", scene, "retire"), body)
    except Refused as refused:
        return await _sub_codes_page(visitor, refused=refused, status=refused.status)
    return RedirectResponse(f"{_SUB_CODES}?done=retired", status_code=303)


async def _trace_page(visitor: Visitor, event_id: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    """Why an event was counted where it was; the service tells a hospital of its own events only."""
    values: dict[str, Any] = {
        "refused": None, "trace": None, "done": None, "reason": "", "status_chosen": "", **shown
    }  # fmt: skip
    slug = (await _programme(visitor))["slug"]
    if event_id:
        try:
            path = at("quota", "programmes", slug, "events", event_id, "trace")
            values["trace"] = await visitor.calls.get(path)
        except Refused as refused:
            values["refused"] = values["refused"] or refused
    query = {"status": values["status_chosen"] or None}
    appeals = await visitor.calls.get(at("quota", "programmes", slug, "appeals"), query)
    return visitor.page(
        "hospitalpages/trace.html",
        here="trace",
        status=values["refused"].status if values["refused"] else 200,
        event_id=event_id,
        appeals=appeals["items"],
        total=appeals["total"],
        appeal_choices=APPEAL_CHOICES,
        appeal_states=APPEAL_STATES,
        event_kinds=EVENT_KINDS,
        card_states=CARD_STATES,
        why_en=WHY_EN,
        **values,
    )


@router.get("/trace")
async def trace(
    visitor: HospitalVisitor, event_id: EventId = "", status: Kind = "", done: str | None = None
) -> Response:
    return await _trace_page(visitor, event_id.strip(), status_chosen=status, done=done)


@router.get("/appeals.xlsx")
async def appeals_file(visitor: HospitalVisitor, status: Kind = "") -> Response:
    slug = (await _programme(visitor))["slug"]
    path = at("quota", "programmes", slug, "appeals")
    items = await visitor.calls.every(path, {"status": status or None}, most=EXPORTED_MAX)
    return await listed_file("本院的申诉", APPEALS_HEADER, [*map(appeal_row, items)], APPEALS_WIDTHS)


@router.post("/appeals", dependencies=[OUR_FORM])
async def lodge_appeal(
    visitor: HospitalVisitor,
    event_id: Annotated[str, Form(max_length=_EVENT_LENGTH_MAX)] = "",
    reason: Annotated[str, Form(max_length=_REASON_LENGTH_MAX)] = "",
    request_no: RequestNo = "",
) -> Response:
    slug = (await _programme(visitor))["slug"]
    body = {"reason": reason, "request_no": request_no or None}
    try:
        await visitor.calls.post(at("quota", "programmes", slug, "events", event_id, "appeals"), body)
    except Refused as refused:
        return await _trace_page(visitor, event_id, refused=refused, reason=reason)
    query = urlencode({"event_id": event_id, "done": "lodged"})
    return RedirectResponse(f"/console/hospital/trace?{query}", status_code=303)

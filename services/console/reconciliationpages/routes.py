"""Reconciliation: an institution's own list against the write-offs of a period."""

import asyncio
import io
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import File, Form, Response, UploadFile

from services.console.institutionpages.operations import Pick, campaigns_of, picked
from services.console.institutionpages.routes import Cursor, InstitutionReader, Word
from services.console.pages.routes import OUR_FORM, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, XLSX, attached, listed_file
from services.console.reconciliationpages.rules import EXPORT_HEADER, EXPORT_WIDTHS, export_row
from services.console.settlementpages.rules import BUCKETS, FIELDS, HINTS
from services.console.tablepages.schemas import no_file, sent_file
from shared.clients.integrity import Refused
from shared.clients.services import Upload, at
from shared.documents.faultsheets import fault_sheet
from shared.documents.reports import ImportFault
from shared.identity.staff import READERS

_WORD_LENGTH_MAX = 200
_LIMIT = 50
_DAY_LENGTH = 10
# Of each list on the page; all rows are in the workbook.
_SHOWN = 100

router = page_router("/console/reconciliations")


async def _page(
    visitor: Visitor,
    *,
    pick: Pick,
    cursor: str | None = None,
    day: str = "",
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    """`pick` is the institution that is typed, and the one that the list of earlier ones is of."""
    reads = visitor.staff.has(*READERS)
    values = {"refused": None, "result": None, "first_day": "", "last_day": "", **shown}
    query = {
        "institution_id": pick.institution_id or None, "day": day or None, "limit": _LIMIT, "cursor": cursor
    }  # fmt: skip
    campaigns, made = await asyncio.gather(
        campaigns_of(visitor.calls), visitor.calls.get(at("redemption", "reconciliations"), query)
    )
    return visitor.page(
        "reconciliationpages/reconcile.html",
        here="reconciliations" if reads else "own-reconciliations",
        made=made,
        pick=pick,
        campaigns=campaigns,
        query=urlencode({"institution_id": pick.institution_id, "day": day}),
        day=day,
        first=cursor is None,
        reads=reads,
        shown=_SHOWN,
        buckets=BUCKETS,
        fields=FIELDS,
        hints=HINTS,
        **values,
    )


async def _pick(visitor: Visitor, typed: str, institution_id: str) -> Pick:
    """An institution's own staff choose none; one that they name in a form is judged by the service."""
    reads = visitor.staff.has(*READERS)
    address = institution_id.strip() or ("" if reads else visitor.staff.institution_id or "")
    return await picked(visitor.calls, typed.strip(), address, chooses=reads)


@router.get("")
async def form(
    visitor: InstitutionReader,
    *,
    institution: Word = "",
    institution_id: Word = "",
    day: Word = "",
    cursor: Cursor = None,
) -> Response:
    pick = await _pick(visitor, institution, institution_id)
    return await _page(visitor, pick=pick, cursor=cursor, day=day)


@router.get("/export.xlsx")
async def export(visitor: InstitutionReader, institution_id: Word = "", day: Word = "") -> Response:
    query = {"institution_id": institution_id or None, "day": day or None}
    items = await visitor.calls.every(at("redemption", "reconciliations"), query, most=EXPORTED_MAX)
    return await listed_file("对账记录", EXPORT_HEADER, [*map(export_row, items)], EXPORT_WIDTHS)


@router.post("", dependencies=[OUR_FORM])
async def reconcile(
    visitor: InstitutionReader,
    *,
    file: Annotated[UploadFile | None, File()] = None,
    institution: Annotated[str, Form(max_length=_WORD_LENGTH_MAX)] = "",
    institution_id: Annotated[str, Form(max_length=_WORD_LENGTH_MAX)] = "",
    first: Annotated[str, Form(alias="from", max_length=_DAY_LENGTH)] = "",
    last: Annotated[str, Form(alias="to", max_length=_DAY_LENGTH)] = "",
    step: Annotated[Literal["compare", "errors"], Form()] = "compare",
) -> Response:
    """Compares, and shows what agrees, what only one side has and what differs; or marks faults."""
    pick = await _pick(visitor, institution, institution_id)
    typed = {"first_day": first, "last_day": last}
    if pick.unclear or not pick.institution_id:
        return await _page(visitor, pick=replace(pick, unclear=True), status=422, **typed)
    fields = {"institution_id": pick.institution_id, "from": first, "to": last}
    try:
        path = at("redemption", "reconciliations")
        sheet = sent_file(file) or no_file()
        if step == "errors":
            return await _marked(visitor, sheet, pick.institution_id)
        result = await visitor.calls.upload(path, {"file": sheet}, fields)
    except Refused as refused:
        own = pick if visitor.staff.has(*READERS) else Pick(visitor.staff.institution_id or "")
        return await _page(visitor, pick=own, **typed, refused=refused, status=refused.status)
    return await _page(visitor, pick=pick, **typed, result=result)


async def _marked(visitor: Visitor, sheet: Upload, institution_id: str) -> Response:
    """The list with its unreadable cells coloured; nothing is compared or kept."""
    content = await asyncio.to_thread(sheet.content.read)
    again = {"file": Upload(sheet.name, io.BytesIO(content))}
    path = at("redemption", "reconciliations", "check")
    report = await visitor.calls.upload(path, again, {"institution_id": institution_id})
    faults = [ImportFault.model_validate(fault) for fault in report["errors"]]
    marked = await asyncio.to_thread(fault_sheet, content, faults)
    return attached(marked, XLSX, f"问题-{sheet.name.rpartition('.')[0]}.xlsx")


@router.get("/template.xlsx")
async def template(visitor: InstitutionReader) -> Response:
    return await visitor.file(at("redemption", "reconciliations", "template.xlsx"), "核销清单模板.xlsx")


@router.get("/{reconciliation_id}/workbook.xlsx")
async def workbook(visitor: InstitutionReader, reconciliation_id: str) -> Response:
    path = at("redemption", "reconciliations", reconciliation_id, "workbook.xlsx")
    return await visitor.file(path, "对账结果.xlsx")

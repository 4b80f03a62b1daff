"""Published tables, recomputed on a page."""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import File, Form, Request, Response, UploadFile

from services.console.pages.routes import OUR_FORM, BureauReader, Visitor, page_router
from services.console.pages.schemas import attached, shown_time
from services.console.tablepages.rules import CHECKED, KINDS, findings_paper
from services.console.tablepages.schemas import (
    MOVES,
    Move,
    Texts,
    adjustments_of,
    moves_of,
    no_file,
    sent_file,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.documents.workbooks import workbook
from shared.http.auth import kit_of

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_NUMBER_LENGTH_MAX = 12

router = page_router("/console/quota/table-check")

Number = Annotated[str, Form(max_length=_NUMBER_LENGTH_MAX)]
Sheet = Annotated[UploadFile | None, File()]


def _page(visitor: Visitor, *, moves: Sequence[Move] = (), **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    empty = [Move("", "", "", "")] * (MOVES - len(moves))
    values = {"total": "", "refused": None, "check": None, "file_name": "", **shown}
    return visitor.page(
        "tablepages/table_check.html",
        here="table-check",
        moves=[*moves, *empty],
        kinds=KINDS,
        checked=CHECKED,
        **values,
    )


@router.get("")
async def form(visitor: BureauReader) -> Response:
    return _page(visitor)


@router.get("/template.xlsx")
async def template(visitor: BureauReader) -> Response:
    return await visitor.file(at("quota", "table-checks", "template.xlsx"), "分配表模板.xlsx")


@router.post("", dependencies=[OUR_FORM])
async def check(
    request: Request,
    visitor: BureauReader,
    *,
    file: Sheet = None,
    totals: Sheet = None,
    total: Number = "",
    source: Texts = (),
    target: Texts = (),
    points: Texts = (),
    cards: Texts = (),
    answer: Annotated[str, Form(max_length=8)] = "page",
) -> Response:
    """Shows the findings below the form, or answers them as a workbook (`answer=xlsx`)."""
    moves = moves_of(source, target, points, cards)
    table, sums = sent_file(file) or no_file(), sent_file(totals)
    files = {"file": table} | ({"totals": sums} if sums else {})
    fields = {"total": total.strip() or None, "adjustments": adjustments_of(moves)}
    try:
        found = await visitor.calls.upload(at("quota", "table-checks"), files, fields)
    except Refused as refused:
        return _page(visitor, moves=moves, total=total, refused=refused, status=refused.status)
    if answer == "xlsx":
        paper = findings_paper(found, table.name, shown_time(kit_of(request).clock.now()))
        content = await asyncio.to_thread(workbook, [paper])
        return attached(content, _XLSX, f"核对结果-{table.name.rpartition('.')[0]}.xlsx")
    return _page(visitor, moves=moves, total=total, check=found, file_name=table.name)

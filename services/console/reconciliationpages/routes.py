"""Reconciliation: an institution's own list against the write-offs of a period."""

from typing import Annotated, Any

from fastapi import Depends, File, Form, Response, UploadFile

from services.console.pages.routes import OUR_FORM, Visitor, page_router, visitor_with
from services.console.settlementpages.rules import BUCKETS, FIELDS, HINTS
from services.console.tablepages.schemas import no_file, sent_file
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.identity.staff import READERS, Role

_WORD_LENGTH_MAX = 100
_DAY_LENGTH = 10
# Of each list on the page; all rows are in the workbook.
_SHOWN = 100

router = page_router("/console/reconciliations")

InstitutionReader = Annotated[Visitor, Depends(visitor_with(*READERS, Role.INSTITUTION))]


async def _page(visitor: Visitor, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    reads = visitor.staff.has(*READERS)
    own = "" if reads else visitor.staff.institution_id or ""
    typed = {"institution_id": own, "first": "", "last": ""}
    values = {"refused": None, "result": None, **typed, **shown}
    made = await visitor.calls.get(at("redemption", "reconciliations"))
    return visitor.page(
        "reconciliationpages/reconcile.html",
        here="reconciliations" if reads else "own-reconciliations",
        made=made["items"],
        reads=reads,
        shown=_SHOWN,
        buckets=BUCKETS,
        fields=FIELDS,
        hints=HINTS,
        **values,
    )


@router.get("")
async def form(visitor: InstitutionReader) -> Response:
    return await _page(visitor)


@router.post("", dependencies=[OUR_FORM])
async def reconcile(
    visitor: InstitutionReader,
    *,
    file: Annotated[UploadFile | None, File()] = None,
    institution_id: Annotated[str, Form(max_length=_WORD_LENGTH_MAX)] = "",
    first: Annotated[str, Form(alias="from", max_length=_DAY_LENGTH)] = "",
    last: Annotated[str, Form(alias="to", max_length=_DAY_LENGTH)] = "",
) -> Response:
    """Compares, and shows what agrees, what only one side has and what differs."""
    fields = {"institution_id": institution_id.strip(), "from": first, "to": last}
    typed = {"institution_id": institution_id, "first": first, "last": last}
    try:
        path = at("redemption", "reconciliations")
        result = await visitor.calls.upload(path, {"file": sent_file(file) or no_file()}, fields)
    except Refused as refused:
        return await _page(visitor, **typed, refused=refused, status=refused.status)
    return await _page(visitor, **typed, result=result)


@router.get("/{reconciliation_id}/workbook.xlsx")
async def workbook(visitor: InstitutionReader, reconciliation_id: str) -> Response:
    path = at("redemption", "reconciliations", reconciliation_id, "workbook.xlsx")
    return await visitor.file(path, "对账结果.xlsx")

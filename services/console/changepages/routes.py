"""What waits for a second person, of all services: before and after, and the decision."""

import asyncio
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.changenames.operations import Naming
from services.console.changepages.rules import (
    EXPORT_HEADER,
    EXPORT_WIDTHS,
    SERVICES,
    SHOWN_AT_ONCE,
    STATES,
    export_rows,
    lines_of,
    newest_first,
    target_of,
)
from services.console.changewords.rules import KINDS
from services.console.pages.routes import OUR_FORM, BureauReader, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import Busy
from shared.identity.staff import WRITERS

_REASON_LENGTH_MAX = 1000
_CURSOR_LENGTH_MAX = 500
_LIMIT = 30
router = page_router("/console/changes")

ServiceName = Literal["issuance", "redemption", "quota"]
ServiceFilter = Literal["all", "issuance", "redemption", "quota"]
State = Literal["pending", "applied", "rejected"]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]


def _services(service: ServiceFilter) -> list[str]:
    return [name for name, _, _ in SERVICES[1:]] if service == "all" else [service]


async def _listed(
    visitor: Visitor, service: str, query: dict[str, str | int | bool | None]
) -> dict[str, Any] | None:
    """None for a service that does not answer: the others are still worth seeing."""
    try:
        page = await visitor.calls.get(at(service, "changes"), query)
    except (Refused, Busy):
        return None
    items = [{**item, "service": service} for item in page["items"]]
    return {"items": items, "next_cursor": page["next_cursor"], "total": page["total"]}


async def _page(
    visitor: Visitor,
    service: ServiceFilter = "all",
    status: State = "pending",
    cursor: str | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    values = {"refused": None, "refused_id": None, "done": None, **shown}
    asked = _services(service)
    query: dict[str, str | int | bool | None] = {"status": status, "limit": _LIMIT, "cursor": cursor}
    pages = await asyncio.gather(*(_listed(visitor, one, query) for one in asked))
    found = [page for page in pages if page is not None]
    changes = newest_first(item for page in found for item in page["items"])
    names = await Naming(visitor.calls).of_changes(changes)
    refused: Refused | None = values["refused"]
    return visitor.page(
        "changepages/changes.html",
        here="changes",
        status=200 if refused is None else refused.status,
        service=service,
        state=status,
        silent=[one for one, page in zip(asked, pages, strict=True) if page is None],
        # The list of several services has no place to go on from: each has its own.
        more=[page["items"][-1]["service"] for page in found if page["next_cursor"]],
        next_cursor=found[0]["next_cursor"] if len(asked) == 1 and found else None,
        total=sum(page["total"] for page in found),
        cursor=cursor,
        changes=[(change, lines_of(change, names), target_of(change, names)) for change in changes],
        shown_at_once=SHOWN_AT_ONCE,
        own_id=str(visitor.staff.id),
        decides=visitor.staff.has(*WRITERS),
        kinds=KINDS,
        services=SERVICES,
        states=STATES,
        **values,
    )


@router.get("")
async def changes(
    visitor: BureauReader,
    *,
    service: ServiceFilter = "all",
    status: State = "pending",
    cursor: Cursor = None,
    done: str | None = None,
) -> Response:
    return await _page(visitor, service, status, cursor, done=done)


@router.get("/export.xlsx")
async def export(
    visitor: BureauReader, *, service: ServiceFilter = "all", status: State = "pending"
) -> Response:
    changes = [
        {**change, "service": one}
        for one in _services(service)
        for change in await visitor.calls.every(at(one, "changes"), {"status": status}, most=EXPORTED_MAX)
    ]
    names = await Naming(visitor.calls).of_changes(changes)
    rows = [row for change in changes for row in export_rows(change, names)]
    return await listed_file("变更审批", EXPORT_HEADER, rows, EXPORT_WIDTHS)


async def _decide(visitor: Visitor, service: ServiceName, change_id: str, act: str, body: Any) -> Response:  # noqa: ANN401 - as the call takes it
    try:
        decided = await visitor.calls.post(at(service, "changes", change_id, act), body)
    except Refused as refused:
        return await _page(visitor, refused=refused, refused_id=change_id)
    return RedirectResponse(f"/console/changes?{urlencode({'done': decided['status']})}", status_code=303)


@router.post("/{service}/{change_id}/approve", dependencies=[OUR_FORM])
async def approve(visitor: BureauReader, service: ServiceName, change_id: str) -> Response:
    return await _decide(visitor, service, change_id, "approve", {})


@router.post("/{service}/{change_id}/reject", dependencies=[OUR_FORM])
async def reject(
    visitor: BureauReader,
    service: ServiceName,
    change_id: str,
    reason: Annotated[str, Form(max_length=_REASON_LENGTH_MAX)] = "",
) -> Response:
    return await _decide(visitor, service, change_id, "reject", {"reason": reason})

"""The audit log: what staff did, with filters, before and after."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Response

from services.console.auditpages.rules import sides
from services.console.pages.routes import BureauReader, page_router
from shared.clients.integrity import Refused
from shared.clients.services import at

_PATH = "/console/audit"
_WORD_LENGTH_MAX = 200
_DAY_LENGTH = 10

router = page_router(_PATH)

Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
Day = Annotated[str, Query(max_length=_DAY_LENGTH)]


@router.get("")
async def audit_log(
    visitor: BureauReader,
    *,
    actor: Word = "",
    action: Word = "",
    object: Word = "",  # noqa: A002 - the word of the contract
    since: Day = "",
    until: Day = "",
    cursor: Annotated[str | None, Query(max_length=500)] = None,
) -> Response:
    chosen = {"actor": actor.strip(), "action": action.strip(), "object": object.strip()}
    days = {"since": since, "until": until}
    given = {name: value for name, value in {**chosen, **days}.items() if value}
    asked = {name: f"{value}T00:00:00+08:00" if name in days else value for name, value in given.items()}
    refused: Refused | None = None
    found: dict[str, Any] = {"items": [], "next_cursor": None}
    try:
        found = await visitor.calls.get(at("console", "audit-log"), {**asked, "cursor": cursor})
    except Refused as answer:
        refused = answer
    further = found["next_cursor"]
    return visitor.page(
        "auditpages/audit.html",
        here="audit",
        status=refused.status if refused else 200,
        refused=refused,
        entries=[(entry, sides(entry["before"], entry["after"])) for entry in found["items"]],
        chosen={**chosen, **days},
        first=f"{_PATH}?{urlencode(given)}" if cursor else "",
        further=f"{_PATH}?{urlencode({**given, 'cursor': further})}" if further else "",
    )

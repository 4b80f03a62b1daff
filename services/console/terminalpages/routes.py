"""Terminals: all of them in one list, and the life of each: made, given a code, paused, revoked."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Response

from services.console.institutionpages.operations import NOTHING_FOUND, picked
from services.console.institutionpages.routes import (
    BASE,
    BureauWriter,
    Cursor,
    Reason,
    Word,
    acted,
    institution_page,
)
from services.console.institutionpages.rules import SKEW_SECONDS_SHOWN, STATES
from services.console.pages.routes import OUR_FORM, BureauReader, RequestNo, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from services.console.terminalpages.rules import (
    EXPORT_HEADER,
    EXPORT_WIDTHS,
    SILENT_CHOICES,
    SKEW_CHOICES,
    STATE_CHOICES,
    export_row,
)
from shared.clients.integrity import Refused
from shared.clients.services import at

_LIMIT = 50
_LABEL_LENGTH_MAX = 200
_NUMBER_LENGTH_MAX = 10
_LIST = "/console/terminals"

# Before the institutions' own routes: what is done to a terminal is no act on its institution.
router = page_router()

TerminalAct = Literal["pause", "resume", "revoke"]
Number = Annotated[str, Query(max_length=_NUMBER_LENGTH_MAX)]


async def _filters(
    *, institution_id: Word = "", status: Word = "", silent_days: Number = "", skew_seconds: Number = ""
) -> dict[str, str]:
    return {
        "institution_id": institution_id.strip(),
        "status": status,
        "silent_days": silent_days,
        "skew_seconds": skew_seconds,
    }


Filters = Annotated[dict[str, str], Depends(_filters)]


@router.get(_LIST)
async def listed(
    visitor: BureauReader, chosen: Filters, institution: Word = "", cursor: Cursor = None
) -> Response:
    pick = await picked(visitor.calls, institution.strip(), chosen["institution_id"])
    chosen["institution_id"] = pick.institution_id
    asked = {name: value for name, value in chosen.items() if value}
    found: dict[str, Any] = dict(NOTHING_FOUND)
    if not pick.unclear:
        query = {**asked, "limit": _LIMIT, "cursor": cursor}
        found = await visitor.calls.get(at("redemption", "terminals"), query)
    return visitor.page(
        "terminalpages/list.html",
        here="terminals",
        found=found,
        pick=pick,
        chosen=chosen,
        query=urlencode(asked),
        first=cursor is None,
        states=STATES,
        state_choices=STATE_CHOICES,
        silent_choices=SILENT_CHOICES,
        skew_choices=SKEW_CHOICES,
        skew_shown=SKEW_SECONDS_SHOWN,
    )


@router.get(f"{_LIST}/export.xlsx")
async def export(visitor: BureauReader, chosen: Filters) -> Response:
    asked = {name: value for name, value in chosen.items() if value}
    items = await visitor.calls.every(at("redemption", "terminals"), asked, most=EXPORTED_MAX)
    return await listed_file("终端", EXPORT_HEADER, [*map(export_row, items)], EXPORT_WIDTHS)


@router.post(f"{BASE}/{{institution_id}}/terminals", dependencies=[OUR_FORM])
async def make(
    visitor: BureauWriter,
    institution_id: str,
    label: Annotated[str, Form(max_length=_LABEL_LENGTH_MAX)] = "",
    request_no: RequestNo = "",
) -> Response:
    path = at("redemption", "institutions", institution_id, "terminals")
    return await _with_code(visitor, institution_id, path, {"label": label}, request_no)


@router.post(f"{BASE}/{{institution_id}}/terminals/{{terminal_id}}/activation-code", dependencies=[OUR_FORM])
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
        tried = (visitor.request.url.path, body)
        return await institution_page(visitor, institution_id, refused=refused, tried=tried)
    here = at("redemption", "institutions", institution_id)
    record = await visitor.calls.get(here)
    terminals = (await visitor.calls.get(f"{here}/terminals"))["items"]
    label = next((one["label"] for one in terminals if one["terminal_id"] == made["terminal_id"]), "")
    answer = visitor.page(
        "terminalpages/code.html",
        here="institutions",
        activation=made,
        record=record,
        label=label,
        base=f"{BASE}/{institution_id}",
    )
    answer.headers["cache-control"] = "no-store"
    return answer


@router.post(f"{BASE}/{{institution_id}}/terminals/{{terminal_id}}/{{act}}", dependencies=[OUR_FORM])
async def act_on_terminal(
    visitor: BureauWriter,
    *,
    institution_id: str,
    terminal_id: str,
    act: TerminalAct,
    reason: Reason = "",
    request_no: RequestNo = "",
) -> Response:
    path = at("redemption", "terminals", terminal_id, act)
    return await acted(visitor, institution_id, path, {"reason": reason}, request_no=request_no, done=act)

"""Reviews: what citizens sent, taken into hand and decided, by mouse or by keyboard."""

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.pages.routes import OUR_FORM, BureauReader, RequestNo, Visitor, page_router
from services.console.reviewpages.rules import (
    CHANNEL_NAMES,
    CHANNELS,
    EVIDENCE,
    HINTS,
    STATES,
    VIEWS,
    query_of,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.identity.staff import WRITERS

_CURSOR_LENGTH_MAX = 500
_NOTE_LENGTH_MAX = 1000
_LIMIT = 20
_BASE = "/console/reviews"

router = page_router(_BASE)

View = Literal["mine", "free", "any", "accepted", "rejected"]
Channel = Annotated[str, Query(max_length=16)]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]


async def _page(
    visitor: Visitor,
    view: View,
    channel: str = "",
    cursor: str | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    values = {"refused": None, "refused_id": None, "note": "", "done": None, **shown}
    query = {**query_of(view), "channel": channel or None, "limit": _LIMIT, "cursor": cursor}
    found = await visitor.calls.get(at("issuance", "activities"), query)
    return visitor.page(
        "reviewpages/reviews.html",
        here="reviews",
        status=values["refused"].status if values["refused"] else 200,
        view=view,
        views=VIEWS,
        channel=channel,
        channels=CHANNELS,
        channel_names=CHANNEL_NAMES,
        cursor=cursor,
        found=found,
        states=STATES,
        evidence_names=EVIDENCE,
        hints=HINTS,
        writes=visitor.staff.has(*WRITERS),
        **values,
    )


@router.get("")
async def reviews(
    visitor: BureauReader,
    *,
    view: View = "mine",
    channel: Channel = "",
    cursor: Cursor = None,
    done: str | None = None,
) -> Response:
    return await _page(visitor, view, channel, cursor, done=done)


@router.get("/photos/{photo_id}")
async def photo(visitor: BureauReader, photo_id: str) -> Response:
    return await visitor.file(at("issuance", "photos", photo_id), f"{photo_id}.jpg")


@router.post("/claim", dependencies=[OUR_FORM])
async def claim(
    visitor: BureauReader,
    channel: Annotated[str, Form(max_length=16)] = "",
    request_no: RequestNo = "",
) -> Response:
    """Takes the oldest that wait into hand, so that no two look at the same."""
    body = {"channel": channel or None, "request_no": request_no or None}
    try:
        taken = await visitor.calls.post(at("issuance", "activities", "claim"), body)
    except Refused as refused:
        return await _page(visitor, "mine", refused=refused)
    done = "claimed" if taken["items"] else "none"
    return RedirectResponse(f"{_BASE}?{urlencode({'channel': channel, 'done': done})}", status_code=303)


@router.post("/{activity_id}", dependencies=[OUR_FORM])
async def decide(
    visitor: BureauReader,
    activity_id: str,
    decision: Annotated[str, Form(max_length=16)] = "",
    note: Annotated[str, Form(max_length=_NOTE_LENGTH_MAX)] = "",
    request_no: RequestNo = "",
) -> Response:
    body = {"decision": decision, "note": note or None, "request_no": request_no or None}
    try:
        decided = await visitor.calls.post(at("issuance", "activities", activity_id, "review"), body)
    except Refused as refused:
        return await _page(visitor, "mine", refused=refused, refused_id=activity_id, note=note)
    return RedirectResponse(f"{_BASE}?{urlencode({'done': decided['status']})}", status_code=303)

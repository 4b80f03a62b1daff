"""Reviews: what citizens sent, taken into hand and decided, by mouse or by keyboard."""

import asyncio
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.pages.routes import OUR_FORM, BureauReader, RequestNo, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from services.console.reviewpages.rules import (
    CHANNEL_NAMES,
    CHANNELS,
    HEADER,
    HINTS,
    STATES,
    VIEWS,
    WIDTHS,
    query_of,
    row,
    said,
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
Slug = Annotated[str, Query(max_length=64)]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]


async def _page(
    visitor: Visitor,
    view: View,
    channel: str = "",
    campaign: str = "",
    cursor: str | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    values = {"refused": None, "refused_id": None, "note": "", "done": None, **shown}
    asked = _asked(view, channel, campaign)
    found, titles = await asyncio.gather(
        visitor.calls.get(at("issuance", "activities"), {**asked, "limit": _LIMIT, "cursor": cursor}),
        _titles(visitor),
    )
    return visitor.page(
        "reviewpages/reviews.html",
        here="reviews",
        status=values["refused"].status if values["refused"] else 200,
        view=view,
        views=VIEWS,
        channel=channel,
        channels=CHANNELS,
        channel_names=CHANNEL_NAMES,
        campaign=campaign,
        campaigns=[("", "全部", "All"), *((slug, title, title) for slug, title in titles.items())],
        titles=titles,
        query=urlencode({"view": view, "channel": channel, "campaign": campaign}),
        cursor=cursor,
        found=found,
        states=STATES,
        said=said,
        hints=HINTS,
        writes=visitor.staff.has(*WRITERS),
        **values,
    )


def _asked(view: View, channel: str, campaign: str) -> dict[str, str | int | bool | None]:
    return {**query_of(view), "channel": channel or None, "campaign": campaign or None}


async def _titles(visitor: Visitor) -> dict[str, str]:
    """Of all campaigns, by slug."""
    campaigns = await visitor.calls.every(at("issuance", "campaigns"), {}, most=EXPORTED_MAX)
    return {one["slug"]: one["title"] for one in campaigns}


@router.get("")
async def reviews(
    visitor: BureauReader,
    *,
    view: View = "mine",
    channel: Channel = "",
    campaign: Slug = "",
    cursor: Cursor = None,
    done: str | None = None,
) -> Response:
    return await _page(visitor, view, channel, campaign, cursor, done=done)


@router.get("/export.xlsx")
async def export(
    visitor: BureauReader, *, view: View = "mine", channel: Channel = "", campaign: Slug = ""
) -> Response:
    """Persons stay masked, and photos on the page."""
    items, titles = await asyncio.gather(
        visitor.calls.every(at("issuance", "activities"), _asked(view, channel, campaign), most=EXPORTED_MAX),
        _titles(visitor),
    )
    return await listed_file("审核", HEADER, [row(item, titles) for item in items], WIDTHS)


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

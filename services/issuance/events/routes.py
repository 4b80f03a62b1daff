import io
from typing import Any

import segno
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from services.issuance.events.operations import Events
from services.issuance.events.rules import LINK_PARAMETER
from services.issuance.events.schemas import (
    CloseBody,
    EventBody,
    EventClosed,
    EventDetail,
    EventMade,
    EventView,
)
from shared.http.auth import Reader, Writer, kit_of
from shared.http.caching import etagged
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import parse_uuid

router = APIRouter(prefix="/issuance/v1", tags=["events"])

_PUBLIC = "public, max-age=5"
_SVG = "image/svg+xml"
_DRAWN: dict[int | str, dict[str, Any]] = {
    200: {"content": {_SVG: {}}, "description": "The code as a picture"}
}
# Read from a few metres, from a printed sheet that may be stained: a quarter may be lost.
_CORRECTION = "q"
_MODULE_PIXELS = 8


def _events(request: Request) -> Events:
    events: Events = request.app.state.wiring.events
    return events


@router.post(
    "/campaigns/{slug}/events",
    operation_id="issuance_create_event",
    status_code=201,
    response_model=EventMade,
)
async def create_event(request: Request, slug: str, staff: Writer, body: EventBody) -> JSONResponse:
    """Sets up an offline event or a fitness activity, with the code that people check in with."""
    answer = await _events(request).create(staff, slug, body, staff_key(staff, "event.create", body, slug))
    return replayable(answer)


@router.get("/campaigns/{slug}/events", operation_id="issuance_list_events", response_model=Page[EventView])
async def list_events(
    request: Request, slug: str, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """A campaign's events, those that begin last first; never their codes. Public."""
    events = _events(request)
    found = await events.page(slug, limit=limit, after=position_of_moment(cursor))
    last = found[limit - 1] if len(found) > limit else None
    page = Page[EventView](
        items=[events.view(event) for event in found[:limit]],
        next_cursor=encode_cursor([last.starts_at.isoformat(), last.id]) if last else None,
    )
    return etagged(request, page.model_dump(), cache_control=_PUBLIC)


@router.get("/events/{event_id}", operation_id="issuance_get_event")
async def get_event(request: Request, event_id: str, staff: Reader) -> EventDetail:  # noqa: ARG001 - only staff get here
    """An event with its check-in code (the one valid now, where it rotates) and how many came."""
    return await _events(request).detail(parse_uuid(event_id))


@router.post("/events/{event_id}/close", operation_id="issuance_close_event", response_model=EventClosed)
async def close_event(request: Request, event_id: str, staff: Writer, body: CloseBody) -> JSONResponse:
    """Ends check-in at an event at once, for good: when it is called off, or its code got around."""
    key = staff_key(staff, "event.close", body, event_id)
    answer = await _events(request).close(staff, parse_uuid(event_id), body.reason, key)
    return replayable(answer, first_status=200)


@router.get(
    "/events/{event_id}/qr.svg",
    operation_id="issuance_draw_event_code",
    response_class=Response,
    responses=_DRAWN,
)
async def draw_event_code(request: Request, event_id: str, staff: Reader) -> Response:  # noqa: ARG001 - the same
    """The QR code for the poster; where the code rotates, the one valid now."""
    return _drawn(request, await _events(request).detail(parse_uuid(event_id)))


@router.get(
    "/campaigns/{slug}/events/{event_id}/qr.svg",
    operation_id="issuance_draw_campaign_event_code",
    response_class=Response,
    responses=_DRAWN,
)
async def draw_campaign_event_code(request: Request, slug: str, event_id: str, staff: Reader) -> Response:  # noqa: ARG001 - the same
    """The same under the campaign's address."""
    return _drawn(request, await _events(request).detail(parse_uuid(event_id), slug=slug))


def _drawn(request: Request, event: EventDetail) -> Response:
    """A link, so that any camera opens the citizens' page. As evidence it is as good as the code itself."""
    origin = kit_of(request).settings.public_url or str(request.base_url).rstrip("/")
    code = segno.make(f"{origin}/app?{LINK_PARAMETER}={event.check_in_code}", error=_CORRECTION, micro=False)
    svg = io.BytesIO()
    code.save(svg, kind="svg", scale=_MODULE_PIXELS, title=event.name)
    return Response(svg.getvalue(), media_type=_SVG)

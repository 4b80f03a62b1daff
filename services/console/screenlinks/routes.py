from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.console.screenlinks.operations import ScreenLinks
from services.console.screenlinks.schemas import (
    ScreenLinkBody,
    ScreenLinkItem,
    ScreenLinkMade,
    ScreenLinkRevocation,
    ScreenLinkRevokedReply,
    link_item,
)
from shared.http.auth import Reader, Writer, kit_of
from shared.http.origin import public_origin
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
from shared.idempotency import Answer
from shared.ids import parse_uuid

router = APIRouter(prefix="/console/v1/screen-links", tags=["screen"])


def links_of(request: Request) -> ScreenLinks:
    links: ScreenLinks = request.app.state.wiring.screen_links
    return links


def screen_url(request: Request, token: str) -> str:
    """The token stands in the fragment, which browsers send to nobody."""
    return f"{public_origin(request)}/screen#{token}"


@router.post("", operation_id="console_make_screen_link", status_code=201, response_model=ScreenLinkMade)
async def make_screen_link(request: Request, staff: Writer, body: ScreenLinkBody) -> JSONResponse:
    """Make a link that shows the big screen without a sign-in, read-only, for 30 days at the most."""
    key = staff_key(staff, "screen_link.make", body)
    answer, token = await links_of(request).make(staff, label=body.label, valid_days=body.valid_days, key=key)
    url = None if token is None else screen_url(request, token)
    return replayable(Answer({**answer.body, "url": url}, answer.replayed))


@router.get("", operation_id="console_list_screen_links")
async def list_screen_links(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[ScreenLinkItem]:
    """Links of the big screen, the newest first, without their tokens."""
    found = await links_of(request).page(limit=limit, after=position_of_moment(cursor))
    last, now = found[limit - 1] if len(found) > limit else None, kit_of(request).clock.now()
    return Page(
        items=[link_item(link, now) for link in found[:limit]],
        next_cursor=encode_cursor([last.created_at.isoformat(), last.id]) if last else None,
    )


@router.post(
    "/{link_id}/revoke", operation_id="console_revoke_screen_link", response_model=ScreenLinkRevokedReply
)
async def revoke_screen_link(
    request: Request, link_id: str, staff: Writer, body: ScreenLinkRevocation
) -> JSONResponse:
    """Revoke a link: screens that use it stop within a refresh period."""
    key = staff_key(staff, "screen_link.revoke", body, link_id)
    answer = await links_of(request).revoke(staff, parse_uuid(link_id), reason=body.reason, key=key)
    return replayable(answer, first_status=200)

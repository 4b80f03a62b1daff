"""The big screen: a page that shows nothing by itself to whoever opens it, its figures, and its links."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from services.console.pages.routes import (
    OUR_FORM,
    SESSION_COOKIE,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import listed_file, page
from services.console.screenlinks.routes import links_of, screen_url
from services.console.screenlinks.rules import STATE_WORDS, VALID_DAYS_DEFAULT, VALID_DAYS_MAX
from services.console.screenlinks.schemas import (
    ScreenLinkBody,
    ScreenLinkItem,
    ScreenLinkRevocation,
    link_item,
)
from services.console.screenpages.operations import Screen
from services.console.screenpages.schemas import ScreenView
from shared.errors import Unauthenticated
from shared.http.auth import kit_of
from shared.http.caching import etagged
from shared.http.replies import LIMIT_MAX, staff_key
from shared.identity.staff import WRITERS
from shared.ids import parse_uuid
from shared.ratelimit import SCREEN_PER_ADDRESS, RateLimiter

_SLUG_LENGTH_MAX = 64
_LABEL_LENGTH_MAX = 100
_REASON_LENGTH_MAX = 500
_LINKS = "/console/screen-links"
_HEADER = ("用途", "状态", "生成人", "生成时间", "到期时间")
_WIDTHS = (40, 10, 20, 18, 18)
# The figures are read again in seconds; whoever asks sooner is told whether they are the same.
_CACHE = "private, no-cache"
_AS_OF = frozenset({"as_of"})

router = page_router()
figures_router = APIRouter(prefix="/console/v1", tags=["screen"])

LinkState = Annotated[str, Query(max_length=16)]
Slug = Annotated[str, Query(max_length=_SLUG_LENGTH_MAX, description="the newest one if left out")]
_bearer = HTTPBearer(
    auto_error=False,
    scheme_name="screen",
    description="the token of a screen link (what stands behind `#`), or of a session of staff",
)


async def viewer_token(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> str:
    """A link's token, or the session of whoever signed in to the console. Raises Unauthenticated."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    limiter.stop_flood(SCREEN_PER_ADDRESS, request.client.host if request.client else "-")
    token = credentials.credentials if credentials else request.cookies.get(SESSION_COOKIE)
    if not token:
        raise Unauthenticated
    return token


@router.get("/screen")
async def screen(request: Request) -> Response:
    return page(request, "screenpages/screen.html")


@figures_router.get(
    "/screen",
    operation_id="console_screen",
    response_model=ScreenView,
    responses={304: {"description": "Nothing has changed; `X-As-Of` says as of when"}},
)
async def figures(
    request: Request,
    token: Annotated[str, Depends(viewer_token)],
    campaign: Slug = "",
    programme: Slug = "",
) -> Response:
    """What the big screen shows: both programmes, aggregates only.

    For holders of a screen link and for staff who may read. All viewers share one reading per refresh period;
    `Age` says how many seconds ago it was made. With `If-None-Match` 304 while nothing has changed.
    """
    looked: Screen = request.app.state.wiring.screen
    reading = await looked.look(token, campaign, programme)
    response = etagged(request, reading.content, cache_control=_CACHE, apart_from=_AS_OF)
    response.headers["Age"] = str(reading.age_seconds)
    response.headers["X-As-Of"] = reading.content["as_of"]
    return response


Maker = Annotated[Visitor, Depends(visitor_with(*WRITERS))]


async def _links(visitor: Visitor, state: str) -> list[ScreenLinkItem]:
    found = await links_of(visitor.request).page(limit=LIMIT_MAX, after=None)
    now = kit_of(visitor.request).clock.now()
    items = [link_item(link, now) for link in found[:LIMIT_MAX]]
    return [one for one in items if state in {"", one.state}]


async def _links_page(visitor: Visitor, state: str = "", **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    return visitor.page(
        "screenpages/links.html",
        here="screen-links",
        links=await _links(visitor, state),
        state=state,
        states=STATE_WORDS,
        may_make=visitor.staff.has(*WRITERS),
        days_default=VALID_DAYS_DEFAULT,
        days_max=VALID_DAYS_MAX,
        **{"done": None, "url": None, **shown},
    )


@router.get(_LINKS)
async def links(visitor: BureauReader, state: LinkState = "", done: str | None = None) -> Response:
    return await _links_page(visitor, state, done=done)


@router.get(f"{_LINKS}/export.xlsx")
async def links_file(visitor: BureauReader, state: LinkState = "") -> Response:
    rows = [
        (
            one.label,
            STATE_WORDS[one.state][0],
            one.created_by,
            one.created_at[:16].replace("T", " "),
            one.expires_at[:16].replace("T", " "),
        )
        for one in await _links(visitor, state)
    ]
    return await listed_file("大屏链接", _HEADER, rows, _WIDTHS)


@router.post(_LINKS, dependencies=[OUR_FORM])
async def make_link(
    visitor: Maker,
    label: Annotated[str, Form(min_length=1, max_length=_LABEL_LENGTH_MAX, pattern=r"\S")],
    valid_days: Annotated[int, Form(ge=1, le=VALID_DAYS_MAX)] = VALID_DAYS_DEFAULT,
    request_no: RequestNo = "",
) -> Response:
    """Answers the page itself, as an address that a redirect leads to would tell the token to logs."""
    body = ScreenLinkBody(label=label, valid_days=valid_days, request_no=request_no or None)
    key = staff_key(visitor.staff, "screen_link.make", body)
    _, token = await links_of(visitor.request).make(
        visitor.staff, label=body.label, valid_days=body.valid_days, key=key
    )
    url = None if token is None else screen_url(visitor.request, token)
    return await _links_page(visitor, done="made", url=url)


@router.post(_LINKS + "/{link_id}/revoke", dependencies=[OUR_FORM])
async def revoke_link(
    visitor: Maker,
    link_id: str,
    reason: Annotated[str, Form(min_length=1, max_length=_REASON_LENGTH_MAX, pattern=r"\S")],
    request_no: RequestNo = "",
) -> Response:
    body = ScreenLinkRevocation(reason=reason, request_no=request_no or None)
    key = staff_key(visitor.staff, "screen_link.revoke", body, link_id)
    await links_of(visitor.request).revoke(visitor.staff, parse_uuid(link_id), reason=body.reason, key=key)
    return RedirectResponse(f"{_LINKS}?done=revoked", status_code=303)

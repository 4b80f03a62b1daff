"""What every console page stands on: who is there, forms that are ours, signing in and out, the files."""

import hmac
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from typing_extensions import override

from services.console.pages.operations import Forms, Inbox
from services.console.pages.rules import crumbs_of, menu_for, own_path
from services.console.pages.schemas import (
    Relayed,
    keep_typed,
    language_for,
    page,
    refused_page,
    static_files,
    unanswered_page,
)
from services.console.pages.store import COUNTED_MAX, Waiting
from services.console.secondfactor.rules import CODE_LENGTH_MAX
from services.console.sessions.operations import Sessions
from services.console.sessions.rules import device_of
from services.console.staff.routes import limit_sign_in
from services.console.staff.rules import PASSWORD_LENGTH_MAX
from shared.clients.integrity import Refused
from shared.clients.services import Caller, Calls, Query, Services
from shared.errors import Forbidden, NotFound, Refusal, Unauthenticated
from shared.http.auth import kit_of, staff_of_token
from shared.http.origin import public_origin
from shared.http.problems import refusal_for
from shared.identity.lifetimes import staff_session_life
from shared.identity.staff import READERS, Role, Staff

SESSION_COOKIE = "hv_console"
# Made before anybody signs in, so that the sign-in form too is tied to the browser that asked for it.
FORM_COOKIE = "hv_form"
_COOKIE_PATH = "/console"
_PATH_LENGTH_MAX = 200
_REQUEST_NO_LENGTH_MAX = 32

Field = Annotated[str, Form(max_length=PASSWORD_LENGTH_MAX)]


class PageRoute(APIRoute):
    """Says no as a page, with the same sentence and status as everywhere; who must sign in is asked to."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await answer(request)
            except Refused as refused:
                return refused_page(request, refused)
            except Exception as error:
                refusal = refusal_for(error)
                if refusal is None:
                    raise
                if isinstance(refusal, Unauthenticated):
                    return _asked_to_sign_in(request)
                return unanswered_page(request, refusal)

        return handler


def page_router(prefix: str = "") -> APIRouter:
    """The router of an area of pages."""
    return APIRouter(prefix=prefix, include_in_schema=False, route_class=PageRoute)


router = page_router()


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who signed in to look at a page, and what a page does in their name."""

    request: Request
    staff: Staff
    token: str
    waiting: Waiting = field(default_factory=Waiting)

    @property
    def calls(self) -> Calls:
        """The other services, with this person's own token. Raises ServicesNotConnected."""
        services: Services = self.request.app.state.services
        client = self.request.client
        return services.for_caller(
            Caller(
                token=self.token,
                request_id=self.request.state.request_id,
                language=language_for(self.request),
                origin=public_origin(self.request),
                address=client.host if client else "-",
            )
        )

    def page(self, template: str, *, here: str, status: int = 200, **shown: Any) -> HTMLResponse:  # noqa: ANN401 - what the template shows
        """A page of the console; `here` is its key in the menu."""
        menu = menu_for(self.staff.roles)
        return page(
            self.request,
            template,
            status_code=status,
            staff=self.staff,
            menu=menu,
            here=here,
            crumbs=crumbs_of(menu, here, self.request.url.path),
            waiting=self.waiting,
            counted_max=COUNTED_MAX,
            form_token=_forms(self.request).token(self.token),
            request_no=secrets.token_hex(8),
            **shown,
        )

    async def file(self, path: str, name: str, query: Query | None = None) -> Response:
        """Hands a service's file on as it comes, under this name. Raises Refused."""
        return Relayed(await self.calls.download(path, query), name)


async def any_visitor(request: Request) -> Visitor:
    """Raises Unauthenticated."""
    token = request.cookies.get(SESSION_COOKIE)
    if token is None:
        raise Unauthenticated
    staff = await staff_of_token(kit_of(request), token)
    await _sessions(request).seen(token)
    if not staff.has(*READERS):
        return Visitor(request, staff, token)
    inbox: Inbox = request.app.state.wiring.inbox
    return Visitor(request, staff, token, await inbox.waiting())


def visitor_with(*roles: Role) -> Callable[[Visitor], Awaitable[Visitor]]:
    """A dependency that shows a page to these roles, and 403 to others."""

    async def allowed(visitor: Annotated[Visitor, Depends(any_visitor)]) -> Visitor:
        if not visitor.staff.has(*roles):
            raise Forbidden
        return visitor

    return allowed


async def our_form(request: Request, form_token: Field = "") -> None:
    """A dependency of every POST of a page. Raises Forbidden for a form made for another browser."""
    _check_form(request, SESSION_COOKIE, form_token)
    keep_typed(request, await request.form())


AnyVisitor = Annotated[Visitor, Depends(any_visitor)]
BureauReader = Annotated[Visitor, Depends(visitor_with(*READERS))]
HospitalVisitor = Annotated[Visitor, Depends(visitor_with(Role.HOSPITAL))]
# Of a form that is made anew for each look at its page: pressed twice, it acts once.
RequestNo = Annotated[str, Form(max_length=_REQUEST_NO_LENGTH_MAX)]
# For the `dependencies` of a route that takes a form.
OUR_FORM = Depends(our_form)


def _forms(request: Request) -> Forms:
    forms: Forms = request.app.state.wiring.forms
    return forms


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.wiring.sessions
    return sessions


def _keep(request: Request, response: Response, name: str, value: str, seconds: int | None) -> None:
    """A cookie that scripts cannot read, that no other site sends along, and no clear line carries."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path=_COOKIE_PATH,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def _asked_to_sign_in(request: Request) -> Response:
    """The form in place of the first page; other pages lead there, and back afterwards."""
    if request.method == "GET" and request.url.path == "/console":
        ended = Unauthenticated() if SESSION_COOKIE in request.cookies else None
        return _sign_in_page(request, refusal=ended, to=request.query_params.get("to", ""))
    to = own_path(request.url.path) if request.method == "GET" else "/console"
    there = "/console" if to == "/console" else f"/console?to={to}"
    if request.headers.get("hx-request") == "true":
        # A script would put the form where it expected a part of its own page.
        return Response(status_code=Unauthenticated.status, headers={"hx-redirect": there})
    return RedirectResponse(there, status_code=303)


def _sign_in_page(
    request: Request, *, refusal: Refusal | None = None, status: int = 200, name: str = "", to: str = ""
) -> Response:
    secret = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(16)
    response = page(
        request,
        "pages/sign_in.html",
        status_code=status,
        staff=None,
        menu=[],
        here="",
        refusal=refusal,
        username=name,
        to=own_path(to),
        form_token=_forms(request).token(secret),
    )
    _keep(request, response, FORM_COOKIE, secret, None)
    return response


def _check_form(request: Request, cookie: str, form_token: str) -> str:
    """The cookie's value. Raises Forbidden for a form that was not made for this browser."""
    secret = request.cookies.get(cookie, "")
    expected = _forms(request).token(secret)
    if not secret or not hmac.compare_digest(expected.encode(), form_token.encode()):
        raise Forbidden
    return secret


@router.post("/console/sign-in")
async def sign_in(
    request: Request,
    *,
    username: Field = "",
    password: Field = "",
    form_token: Field = "",
    totp: Annotated[str, Form(max_length=CODE_LENGTH_MAX)] = "",
    to: Annotated[str, Form(max_length=_PATH_LENGTH_MAX)] = "",
) -> Response:
    device = device_of(request.headers.get("user-agent", ""))
    try:
        await limit_sign_in(request)
        _check_form(request, FORM_COOKIE, form_token)
        signed_in = await _sessions(request).sign_in(username, password, code=totp.strip(), device=device)
    except Refusal as refusal:
        return _refused_sign_in(request, refusal, username, to)
    response = RedirectResponse(own_path(to), status_code=303)
    seconds = int(staff_session_life(kit_of(request).settings).total_seconds())
    _keep(request, response, SESSION_COOKIE, signed_in.token, seconds)
    response.delete_cookie(FORM_COOKIE, path=_COOKIE_PATH)
    return response


@router.post("/console/sign-out")
async def sign_out(request: Request, form_token: Field = "") -> Response:
    token = _check_form(request, SESSION_COOKIE, form_token)
    response = RedirectResponse("/console", status_code=303)
    response.delete_cookie(SESSION_COOKIE, path=_COOKIE_PATH)
    try:
        staff = await staff_of_token(kit_of(request), token)
    except Unauthenticated:
        return response
    await _sessions(request).sign_out(staff, token)
    return response


@router.get("/console/static/{name:path}")
async def static(request: Request, name: str) -> Response:
    if name not in static_files():
        raise NotFound
    content, media_type, version = static_files()[name]
    # The address changes with the content, so the browser need never ask again.
    kept = "public, max-age=31536000, immutable" if request.query_params.get("v") == version else "no-cache"
    return Response(content, media_type=media_type, headers={"cache-control": kept, "etag": f'"{version}"'})


@router.get("/favicon.ico")
async def favicon() -> Response:
    content, media_type, _ = static_files()["favicon.svg"]
    return Response(content, media_type=media_type, headers={"cache-control": "public, max-age=86400"})


def _refused_sign_in(request: Request, refusal: Refusal, username: str, to: str) -> Response:
    response = _sign_in_page(
        request,
        refusal=refusal,
        status=refusal.status,
        name=username,
        to=to,
    )
    if refusal.retry_after_seconds is not None:
        response.headers["retry-after"] = str(refusal.retry_after_seconds)
    return response

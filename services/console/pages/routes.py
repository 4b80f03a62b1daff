"""The pages of the origin: the way in, the clerks' overview, the integrity check, the errors."""

import hmac
import secrets
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute
from typing_extensions import override

from services.console.integrity.operations import IntegrityDesk
from services.console.pages.operations import Pages
from services.console.pages.schemas import language_for, page, refused_page, shown_time, static_files
from services.console.staff.operations import Sessions
from services.console.staff.routes import limit_sign_in
from services.console.staff.rules import PASSWORD_LENGTH_MAX
from shared.errors import Forbidden, NotFound, Refusal, Unauthenticated
from shared.http.auth import kit_of, staff_of_token
from shared.http.problems import refusal_for
from shared.identity.lifetimes import staff_session_life
from shared.identity.staff import READERS, Staff

SESSION_COOKIE = "hv_console"
# Made before anybody signs in, so that the sign-in form too is tied to the browser that asked for it.
FORM_COOKIE = "hv_form"
_COOKIE_PATH = "/console"

Field = Annotated[str, Form(max_length=PASSWORD_LENGTH_MAX)]


class PageRoute(APIRoute):
    """Says no as a page, with the same sentence and status as everywhere."""

    @override
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await answer(request)
            except Exception as error:
                refusal = refusal_for(error)
                if refusal is None:
                    raise
                return refused_page(request, refusal)

        return handler


router = APIRouter(include_in_schema=False, route_class=PageRoute)


def _pages(request: Request) -> Pages:
    pages: Pages = request.app.state.wiring.pages
    return pages


async def _signed_in(request: Request) -> Staff | None:
    token = request.cookies.get(SESSION_COOKIE)
    if token is None:
        return None
    try:
        return await staff_of_token(kit_of(request), token)
    except Unauthenticated:
        return None


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


def _sign_in_page(
    request: Request, *, refusal: str | None = None, status: int = 200, name: str = ""
) -> Response:
    secret = request.cookies.get(FORM_COOKIE) or secrets.token_urlsafe(16)
    response = page(
        request,
        "sign_in.html",
        status_code=status,
        staff=None,
        here="",
        refusal=refusal,
        username=name,
        form_token=_pages(request).form_token(secret),
    )
    _keep(request, response, FORM_COOKIE, secret, None)
    return response


def _staff_page(request: Request, template: str, staff: Staff, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    token = _pages(request).form_token(request.cookies[SESSION_COOKIE])
    return page(request, template, staff=staff, form_token=token, **shown)


def _check_form(request: Request, cookie: str, form_token: str) -> str:
    """The cookie's value. Raises Forbidden for a form that was not made for this browser."""
    secret = request.cookies.get(cookie, "")
    expected = _pages(request).form_token(secret)
    if not secret or not hmac.compare_digest(expected.encode(), form_token.encode()):
        raise Forbidden
    return secret


@router.get("/")
async def home(request: Request) -> Response:
    return page(request, "home.html", campaigns=await _pages(request).campaigns())


@router.get("/console")
async def console(request: Request) -> Response:
    staff = await _signed_in(request)
    if staff is None:
        return _sign_in_page(request)
    if not staff.has(*READERS):
        return _staff_page(request, "own_rows.html", staff, here="overview")
    boards = await _pages(request).overview()
    return _staff_page(
        request, "overview.html", staff, here="overview", boards=boards, as_of=shown_time(boards.as_of)
    )


@router.post("/console/sign-in")
async def sign_in(
    request: Request, username: Field = "", password: Field = "", form_token: Field = ""
) -> Response:
    sessions: Sessions = request.app.state.wiring.sessions
    try:
        await limit_sign_in(request)
        _check_form(request, FORM_COOKIE, form_token)
        signed_in = await sessions.sign_in(username, password)
    except Refusal as refusal:
        return _refused_sign_in(request, refusal, username)
    response = RedirectResponse("/console", status_code=303)
    seconds = int(staff_session_life(kit_of(request).settings).total_seconds())
    _keep(request, response, SESSION_COOKIE, signed_in.token, seconds)
    response.delete_cookie(FORM_COOKIE, path=_COOKIE_PATH)
    return response


@router.post("/console/sign-out")
async def sign_out(request: Request, form_token: Field = "") -> Response:
    token = _check_form(request, SESSION_COOKIE, form_token)
    staff = await _signed_in(request)
    if staff is not None:
        sessions: Sessions = request.app.state.wiring.sessions
        await sessions.sign_out(staff, token)
    response = RedirectResponse("/console", status_code=303)
    response.delete_cookie(SESSION_COOKIE, path=_COOKIE_PATH)
    return response


@router.get("/console/integrity")
async def integrity(request: Request) -> Response:
    staff = await _signed_in(request)
    if staff is None:
        return RedirectResponse("/console", status_code=303)
    if not staff.has(*READERS):
        raise Forbidden
    desk: IntegrityDesk = request.app.state.wiring.integrity
    report = await desk.report()
    return _staff_page(
        request, "integrity.html", staff, here="integrity", report=report, as_of=shown_time(report.as_of)
    )


@router.get("/verify")
async def verify(request: Request) -> Response:
    return page(request, "verify.html", campaigns=await _pages(request).campaigns())


@router.get("/docs/errors")
async def errors(request: Request) -> Response:
    return page(request, "errors.html", errors=_pages(request).errors())


@router.get("/console/static/{name}")
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


def _refused_sign_in(request: Request, refusal: Refusal, username: str) -> Response:
    response = _sign_in_page(
        request,
        refusal=refusal.detail(language_for(request)),
        status=refusal.status,
        name=username,
    )
    if refusal.retry_after_seconds is not None:
        response.headers["retry-after"] = str(refusal.retry_after_seconds)
    return response

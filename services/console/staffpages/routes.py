"""One's own account (second factor, sessions), and staff for administrators."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Query, Request, Response
from fastapi.responses import RedirectResponse

from services.console.pages.routes import (
    OUR_FORM,
    AnyVisitor,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import language_for
from services.console.secondfactor.operations import SecondFactors
from services.console.sessions.operations import Sessions
from services.console.staffpages.rules import DONE, ROLES
from services.console.staffpages.schemas import Bound, Text, bound, code_drawing
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.clock import rfc3339
from shared.errors import Refusal
from shared.identity.staff import Role

_ACCOUNT = "/console/account"
_STAFF = "/console/staff"

router = page_router("/console")

Administrator = Annotated[Visitor, Depends(visitor_with(Role.ADMIN))]
Done = Annotated[str, Query(max_length=16)]
Cursor = Annotated[str | None, Query(max_length=500)]
BoundTo = Annotated[Bound, Depends(bound)]


def _factors(request: Request) -> SecondFactors:
    factors: SecondFactors = request.app.state.wiring.factors
    return factors


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.wiring.sessions
    return sessions


def _refused(visitor: Visitor, refusal: Refusal) -> Refused:
    """What this service said itself, as the templates take it from the others."""
    sentence = refusal.detail(language_for(visitor.request))
    return Refused(refusal.status, {"code": refusal.code, "detail": sentence})


async def _account(visitor: Visitor, *, refused: Refused | None = None, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    standing = await _factors(visitor.request).standing(visitor.staff)
    pending = await _factors(visitor.request).pending(visitor.staff)
    sessions = await _sessions(visitor.request).own(visitor.staff, visitor.token)
    values = {"done": None, "recovery_codes": None, **shown}
    return visitor.page(
        "staffpages/account.html",
        here="account",
        status=refused.status if refused else 200,
        roles=ROLES,
        standing=standing,
        secret=pending[0] if pending else None,
        drawing=code_drawing(pending[1]) if pending else None,
        sessions=sessions,
        shown=rfc3339,
        refused=refused,
        **values,
    )


@router.get("/account")
async def account(visitor: AnyVisitor, done: Done = "") -> Response:
    return await _account(visitor, done=DONE.get(done))


@router.post("/account/second-factor", dependencies=[OUR_FORM])
async def begin_factor(visitor: AnyVisitor) -> Response:
    try:
        await _factors(visitor.request).enrol(visitor.staff, None)
    except Refusal as refusal:
        return await _account(visitor, refused=_refused(visitor, refusal))
    return RedirectResponse(f"{_ACCOUNT}#factor", status_code=303)


@router.post("/account/second-factor/confirm", dependencies=[OUR_FORM])
async def confirm_factor(visitor: AnyVisitor, code: Text = "") -> Response:
    try:
        answer = await _factors(visitor.request).confirm(visitor.staff, code, None)
    except Refusal as refusal:
        return await _account(visitor, refused=_refused(visitor, refusal))
    return await _account(visitor, recovery_codes=answer.body["recovery_codes"])


@router.post("/account/second-factor/off", dependencies=[OUR_FORM])
async def turn_factor_off(visitor: AnyVisitor, password: Text = "", code: Text = "") -> Response:
    try:
        await _sessions(visitor.request).turn_second_factor_off(visitor.staff, password=password, code=code)
    except Refusal as refusal:
        return await _account(visitor, refused=_refused(visitor, refusal))
    return RedirectResponse(f"{_ACCOUNT}?done=off", status_code=303)


@router.post("/account/sessions/end", dependencies=[OUR_FORM])
async def end_session(visitor: AnyVisitor, session: Text = "") -> Response:
    await visitor.calls.post(at("console", "me", "sessions", session, "end"), {})
    return RedirectResponse(f"{_ACCOUNT}?done=session", status_code=303)


@router.post("/account/sessions/end-others", dependencies=[OUR_FORM])
async def end_other_sessions(visitor: AnyVisitor) -> Response:
    await visitor.calls.post(at("console", "me", "sessions", "end-others"), {})
    return RedirectResponse(f"{_ACCOUNT}?done=others", status_code=303)


async def _list(visitor: Visitor, cursor: str | None = None, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    found = await visitor.calls.get(at("console", "staff"), {"cursor": cursor})
    further = found["next_cursor"]
    values = {"done": None, "refused": None, "username": "", **shown}
    refused = values["refused"]
    return visitor.page(
        "staffpages/staff.html",
        here="staff",
        status=refused.status if refused else 200,
        items=found["items"],
        roles=ROLES,
        may_write=visitor.staff.has(Role.ADMIN),
        first=_STAFF if cursor else "",
        further=f"{_STAFF}?{urlencode({'cursor': further})}" if further else "",
        **values,
    )


@router.get("/staff")
async def staff_list(visitor: BureauReader, done: Done = "", cursor: Cursor = None) -> Response:
    return await _list(visitor, cursor, done=DONE.get(done))


@router.post("/staff", dependencies=[OUR_FORM])
async def create_staff(
    visitor: Administrator,
    bound_to: BoundTo,
    *,
    username: Text = "",
    password: Text = "",
    request_no: RequestNo = "",
) -> Response:
    body = {"username": username.strip(), "password": password, "request_no": request_no, **bound_to.body()}
    try:
        await visitor.calls.post(at("console", "staff"), body)
    except Refused as refused:
        return await _list(visitor, refused=refused, username=username)
    return RedirectResponse(f"{_STAFF}?done=made", status_code=303)


async def _person(
    visitor: Visitor, staff_id: str, *, refused: Refused | None = None, done: tuple[str, str] | None = None
) -> Response:
    return visitor.page(
        "staffpages/person.html",
        here="staff",
        status=refused.status if refused else 200,
        person=await visitor.calls.get(at("console", "staff", staff_id)),
        roles=ROLES,
        may_write=visitor.staff.has(Role.ADMIN) and staff_id != str(visitor.staff.id),
        refused=refused,
        done=done,
    )


@router.get("/staff/{staff_id}")
async def person(visitor: BureauReader, staff_id: str, done: Done = "") -> Response:
    return await _person(visitor, staff_id, done=DONE.get(done))


async def _acted(visitor: Visitor, staff_id: str, call: str, body: dict[str, Any], done: str) -> Response:
    """One of an administrator's acts, and the page of the person again."""
    try:
        await visitor.calls.post(f"{at('console', 'staff', staff_id)}/{call}", body)
    except Refused as refused:
        return await _person(visitor, staff_id, refused=refused)
    return RedirectResponse(f"{_STAFF}/{staff_id}?done={done}", status_code=303)


@router.post("/staff/{staff_id}/roles", dependencies=[OUR_FORM])
async def change_roles(
    visitor: Administrator, staff_id: str, bound_to: BoundTo, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {**bound_to.body(), "reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, "roles", body, "roles")


@router.post("/staff/{staff_id}/disable", dependencies=[OUR_FORM])
async def disable(
    visitor: Administrator, staff_id: str, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, "disable", body, "disabled")


@router.post("/staff/{staff_id}/end-sessions", dependencies=[OUR_FORM])
async def end_sessions(
    visitor: Administrator, staff_id: str, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, "sessions/end", body, "ended")


@router.post("/staff/{staff_id}/reset-factor", dependencies=[OUR_FORM])
async def reset_factor(
    visitor: Administrator, staff_id: str, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, "second-factor/reset", body, "reset")

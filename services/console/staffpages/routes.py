"""One's own account (second factor, sessions), and staff for administrators."""

from dataclasses import dataclass
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
from services.console.pages.schemas import EXPORTED_MAX, language_for, listed_file
from services.console.secondfactor.operations import SecondFactors
from services.console.sessions.operations import Sessions
from services.console.staffpages.rules import DONE, RIGHTS, ROLES, STAFF_HEADER, STAFF_WIDTHS, staff_row
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
Word = Annotated[str, Query(max_length=64)]
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


@dataclass(frozen=True, slots=True)
class Wanted:
    """The filter of the list, as chosen."""

    q: str = ""
    role: str = ""
    state: str = ""

    def given(self) -> dict[str, str]:
        values = {"q": self.q, "role": self.role, "state": self.state}
        return {name: value for name, value in values.items() if value}

    def asked(self) -> dict[str, str | bool | None]:
        disabled = {"in_use": False, "disabled": True}.get(self.state)
        role = self.role if self.role in ROLES else None
        return {"q": self.q or None, "role": role, "disabled": disabled}


def _wanted(q: Word = "", role: Word = "", state: Word = "") -> Wanted:
    return Wanted(q.strip(), role, state)


Chosen = Annotated[Wanted, Depends(_wanted)]


async def _list(
    visitor: Visitor,
    cursor: str | None = None,
    chosen: Wanted | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    chosen = chosen or Wanted()
    found = await visitor.calls.get(at("console", "staff"), {**chosen.asked(), "cursor": cursor})
    further, given = found["next_cursor"], chosen.given()
    values = {"done": None, "refused": None, "username": "", "typed": None, **shown}
    refused = values["refused"]
    return visitor.page(
        "staffpages/staff.html",
        here="staff",
        status=refused.status if refused else 200,
        items=found["items"],
        total=found["total"],
        chosen=chosen,
        roles=ROLES,
        rights=RIGHTS,
        may_write=visitor.staff.has(Role.ADMIN),
        export=f"{_STAFF}/export.xlsx?{urlencode(given)}",
        first=f"{_STAFF}?{urlencode(given)}" if cursor else "",
        further=f"{_STAFF}?{urlencode({**given, 'cursor': further})}" if further else "",
        **values,
    )


@router.get("/staff")
async def staff_list(
    visitor: BureauReader, chosen: Chosen, done: Done = "", cursor: Cursor = None
) -> Response:
    return await _list(visitor, cursor, chosen, done=DONE.get(done))


@router.get("/staff/export.xlsx")
async def export(visitor: BureauReader, chosen: Chosen) -> Response:
    items = await visitor.calls.every(at("console", "staff"), chosen.asked(), most=EXPORTED_MAX)
    place = 1 if language_for(visitor.request) == "en" else 0
    return await listed_file(
        "人员与权限", STAFF_HEADER, [staff_row(one, place) for one in items], STAFF_WIDTHS
    )


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
        return await _list(visitor, refused=refused, username=username, typed=bound_to)
    return RedirectResponse(f"{_STAFF}?done=made", status_code=303)


async def _person(
    visitor: Visitor, staff_id: str, *, refused: Refused | None = None, done: tuple[str, str] | None = None
) -> Response:
    administers = visitor.staff.has(Role.ADMIN)
    path = at("console", "staff", staff_id)
    sessions = (await visitor.calls.get(f"{path}/sessions"))["items"] if administers else None
    return visitor.page(
        "staffpages/person.html",
        here="staff",
        status=refused.status if refused else 200,
        person=await visitor.calls.get(path),
        sessions=sessions,
        roles=ROLES,
        rights=RIGHTS,
        may_write=administers and staff_id != str(visitor.staff.id),
        refused=refused,
        done=done,
    )


@router.get("/staff/{staff_id}")
async def person(visitor: BureauReader, staff_id: str, done: Done = "") -> Response:
    return await _person(visitor, staff_id, done=DONE.get(done))


async def _acted(
    visitor: Visitor, staff_id: str, call: tuple[str, ...], body: dict[str, Any], done: str
) -> Response:
    """One of an administrator's acts, and the page of the person again."""
    try:
        await visitor.calls.post(at("console", "staff", staff_id, *call), body)
    except Refused as refused:
        return await _person(visitor, staff_id, refused=refused)
    return RedirectResponse(f"{_STAFF}/{staff_id}?done={done}", status_code=303)


@router.post("/staff/{staff_id}/roles", dependencies=[OUR_FORM])
async def change_roles(
    visitor: Administrator, staff_id: str, bound_to: BoundTo, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {**bound_to.body(), "reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, ("roles",), body, "roles")


@router.post("/staff/{staff_id}/disable", dependencies=[OUR_FORM])
async def disable(
    visitor: Administrator, staff_id: str, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, ("disable",), body, "disabled")


@router.post("/staff/{staff_id}/end-sessions", dependencies=[OUR_FORM])
async def end_sessions(
    visitor: Administrator, staff_id: str, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, ("sessions", "end"), body, "ended")


@router.post("/staff/{staff_id}/reset-factor", dependencies=[OUR_FORM])
async def reset_factor(
    visitor: Administrator, staff_id: str, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, ("second-factor", "reset"), body, "reset")


@router.post("/staff/{staff_id}/sessions/end", dependencies=[OUR_FORM])
async def end_one_session(
    visitor: Administrator, staff_id: str, session: Text = "", reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, ("sessions", session, "end"), body, "one-ended")


@router.post("/staff/{staff_id}/unlock", dependencies=[OUR_FORM])
async def unlock(
    visitor: Administrator, staff_id: str, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no}
    return await _acted(visitor, staff_id, ("unlock",), body, "unlocked")

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from services.console.sessions.operations import Sessions
from services.console.sessions.rules import device_of
from services.console.staff.operations import StaffAccounts
from services.console.staff.schemas import (
    AccountItem,
    DisableBody,
    DisabledReply,
    EndSessionsBody,
    MeReply,
    NewStaffBody,
    PasswordBody,
    RolesBody,
    SessionsEndedReply,
    SignedInReply,
    SignInBody,
    StaffModel,
    account_item,
    me_reply,
    staff_model,
)
from services.console.staff.store import Wanted
from services.console.standings.operations import Standings
from shared.http.auth import Admin, CurrentStaff, Reader, bearer_token, kit_of
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.identity.lifetimes import staff_session_life
from shared.identity.staff import Role
from shared.ids import parse_uuid
from shared.ratelimit import CONSOLE_SIGN_IN_PER_ADDRESS, RateLimiter

router = APIRouter(prefix="/console/v1", tags=["staff"])


def _sessions(request: Request) -> Sessions:
    sessions: Sessions = request.app.state.wiring.sessions
    return sessions


def _accounts(request: Request) -> StaffAccounts:
    accounts: StaffAccounts = request.app.state.wiring.accounts
    return accounts


def _standings(request: Request) -> Standings:
    standings: Standings = request.app.state.wiring.standings
    return standings


async def limit_sign_in(request: Request) -> None:
    """Raises TooManyRequests. Also guards the sign-in form of the pages."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(CONSOLE_SIGN_IN_PER_ADDRESS, request.client.host if request.client else "-")


@router.post(
    "/sessions",
    operation_id="console_sign_in",
    status_code=201,
    dependencies=[Depends(limit_sign_in)],
)
async def sign_in(request: Request, body: SignInBody) -> SignedInReply:
    """Sign in.

    The token is opaque and good for 12 hours (in a demonstration, whose clock moves, for 400 days).
    After five failures within 15 minutes the user name is
    locked for 15 minutes (429). An account with a second factor is refused without its code in `totp`
    (401, `second_factor_required`); a wrong one counts as a failure.
    """
    device = device_of(request.headers.get("user-agent", ""))
    signed_in = await _sessions(request).sign_in(body.username, body.password, code=body.totp, device=device)
    return SignedInReply(
        access_token=signed_in.token,
        token_type="Bearer",  # noqa: S106 - the name of a scheme
        expires_in=int(staff_session_life(kit_of(request).settings).total_seconds()),
        staff=staff_model(signed_in.staff),
    )


@router.delete("/sessions/current", operation_id="console_sign_out", status_code=204)
async def sign_out(
    request: Request, staff: CurrentStaff, token: Annotated[str, Depends(bearer_token)]
) -> Response:
    """Sign out: this session ends at once, everywhere."""
    await _sessions(request).sign_out(staff, token)
    return Response(status_code=204)


@router.get("/me", operation_id="console_me")
async def me(staff: CurrentStaff) -> MeReply:
    """Who is signed in, with which roles."""
    return me_reply(staff)


@router.put("/me/password", operation_id="console_change_password", status_code=204)
async def change_password(request: Request, staff: CurrentStaff, body: PasswordBody) -> Response:
    """Change one's own password. Ends every session of the account: sign in again."""
    await _sessions(request).change_password(staff, current=body.current_password, new=body.new_password)
    return Response(status_code=204)


@router.post("/staff", operation_id="console_create_staff", status_code=201, response_model=StaffModel)
async def create_staff(request: Request, staff: Admin, body: NewStaffBody) -> JSONResponse:
    """Make a staff account.

    A password has at least 10 characters of three kinds and does not contain the user name. The roles
    `institution` and `hospital` are each bound to one id.
    """
    accounts = _accounts(request)
    told = body.model_copy(update={"password": accounts.disguised(body.password)})
    answer = await accounts.create(
        staff,
        username=body.username,
        password=body.password,
        roles=tuple(body.roles),
        institution_id=body.institution_id,
        hospital_id=body.hospital_id,
        key=staff_key(staff, "staff.create", told),
    )
    return replayable(answer)


@router.get("/staff", operation_id="console_list_staff")
async def list_staff(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    q: Annotated[str, Query(max_length=64, description="part of a user name")] = "",
    role: Annotated[Role | None, Query()] = None,
    disabled: Annotated[bool | None, Query()] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[AccountItem]:
    """Staff accounts, the newest first."""
    wanted = Wanted(q.strip(), role, disabled)
    found, total = await _accounts(request).page(wanted, limit=limit, after=position_of_moment(cursor))
    last = found[limit - 1] if len(found) > limit else None
    standings = await _standings(request).of(found[:limit])
    return CountedPage(
        items=[account_item(account, standings[account.staff.id]) for account in found[:limit]],
        next_cursor=encode_cursor([last.created_at.isoformat(), last.staff.id]) if last else None,
        total=total,
    )


@router.get("/staff/{staff_id}", operation_id="console_get_staff")
async def get_staff(request: Request, staff_id: str, staff: Reader) -> AccountItem:  # noqa: ARG001 - only readers get here
    """One staff account."""
    found = await _accounts(request).one(parse_uuid(staff_id))
    return account_item(found, (await _standings(request).of([found]))[found.staff.id])


@router.post("/staff/{staff_id}/disable", operation_id="console_disable_staff", response_model=DisabledReply)
async def disable_staff(request: Request, staff_id: str, staff: Admin, body: DisableBody) -> JSONResponse:
    """Disable a staff account: nobody can sign in with it, and its sessions end at once."""
    key = staff_key(staff, "staff.disable", body, staff_id)
    answer = await _accounts(request).disable(staff, parse_uuid(staff_id), reason=body.reason, key=key)
    return replayable(answer, first_status=200)


@router.post("/staff/{staff_id}/roles", operation_id="console_change_staff_roles", response_model=StaffModel)
async def change_roles(request: Request, staff_id: str, staff: Admin, body: RolesBody) -> JSONResponse:
    """Give an account other roles, in the place of those it has. Nobody changes their own."""
    answer = await _accounts(request).change_roles(
        staff,
        parse_uuid(staff_id),
        roles=tuple(body.roles),
        institution_id=body.institution_id,
        hospital_id=body.hospital_id,
        reason=body.reason,
        key=staff_key(staff, "staff.change_roles", body, staff_id),
    )
    return replayable(answer, first_status=200)


@router.post(
    "/staff/{staff_id}/sessions/end",
    operation_id="console_end_staff_sessions",
    response_model=SessionsEndedReply,
)
async def end_sessions(request: Request, staff_id: str, staff: Admin, body: EndSessionsBody) -> JSONResponse:
    """End every session of an account; it may sign in again."""
    key = staff_key(staff, "staff.end_sessions", body, staff_id)
    accounts = _accounts(request)
    answer = await accounts.end_sessions(staff, parse_uuid(staff_id), reason=body.reason, key=key)
    return replayable(answer, first_status=200)

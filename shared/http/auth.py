"""Who is asking: dependencies that turn a bearer token into a citizen or a staff member."""

import hmac
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from shared.errors import Forbidden, Unauthenticated
from shared.http.client import stop_floods
from shared.identity.citizens import Citizen, CitizenTokens
from shared.identity.presence import require_present
from shared.identity.staff import READERS, SESSION_DOMAIN, WRITERS, Role, Staff
from shared.identity.store import staff_of_session
from shared.kit import Kit

_citizen_bearer = HTTPBearer(
    auto_error=False, scheme_name="citizen", description="POST /issuance/v1/sessions"
)
_staff_bearer = HTTPBearer(auto_error=False, scheme_name="staff", description="POST /console/v1/sessions")
_metrics_bearer = HTTPBearer(auto_error=False, scheme_name="metrics", description="HV_METRICS_TOKEN")

_Credentials = HTTPAuthorizationCredentials | None


def kit_of(request: Request) -> Kit:
    kit: Kit = request.app.state.kit
    return kit


async def citizen_of_token(
    request: Request, credentials: Annotated[_Credentials, Depends(_citizen_bearer)]
) -> Citizen:
    """Raises Unauthenticated. The app keeps one CitizenTokens in `app.state.citizen_tokens`.

    The account may be erased: only what says so again (a repeated erasure) takes such a token.
    """
    if credentials is None:
        raise Unauthenticated
    tokens: CitizenTokens = request.app.state.citizen_tokens
    citizen = tokens.read(credentials.credentials, kit_of(request).clock.now())
    stop_floods(request, citizen)
    return citizen


async def current_citizen(
    request: Request, citizen: Annotated[Citizen, Depends(citizen_of_token)]
) -> Citizen:
    """Raises Unauthenticated, also when the account is erased."""
    await require_present(kit_of(request).database, citizen)
    return citizen


async def staff_of_token(kit: Kit, token: str) -> Staff:
    """Raises Unauthenticated for a session that is unknown, over, or of somebody who was disabled."""
    token_hash = kit.keys.index.digest(SESSION_DOMAIN, token)
    async with kit.database.snapshot() as tx:
        staff = await staff_of_session(tx, token_hash, kit.clock.now())
    if staff is None:
        raise Unauthenticated
    return staff


async def current_staff(
    request: Request, credentials: Annotated[_Credentials, Depends(_staff_bearer)]
) -> Staff:
    if credentials is None:
        raise Unauthenticated
    return await staff_of_token(kit_of(request), credentials.credentials)


async def bearer_token(credentials: Annotated[_Credentials, Depends(_staff_bearer)]) -> str:
    """The session's token itself, for signing out."""
    if credentials is None:
        raise Unauthenticated
    return credentials.credentials


def staff_with(*roles: Role) -> Callable[[Staff], Awaitable[Staff]]:
    """A dependency that lets these roles in and answers 403 to other staff."""

    async def allowed(staff: Annotated[Staff, Depends(current_staff)]) -> Staff:
        if not staff.has(*roles):
            raise Forbidden
        return staff

    return allowed


CurrentCitizen = Annotated[Citizen, Depends(current_citizen)]
TokenHolder = Annotated[Citizen, Depends(citizen_of_token)]
CurrentStaff = Annotated[Staff, Depends(current_staff)]
Reader = Annotated[Staff, Depends(staff_with(*READERS))]
Writer = Annotated[Staff, Depends(staff_with(*WRITERS))]
Admin = Annotated[Staff, Depends(staff_with(Role.ADMIN))]


async def metrics_reader(
    request: Request, credentials: Annotated[_Credentials, Depends(_metrics_bearer)]
) -> None:
    """Staff who may read, or the metrics token; without that setting Prometheus text is for loopback."""
    kit = kit_of(request)
    wanted = kit.settings.metrics_token
    if credentials is not None:
        given = credentials.credentials
        if wanted is not None and hmac.compare_digest(given.encode(), wanted.get_secret_value().encode()):
            return
        staff = await staff_of_token(kit, given)
        if not staff.has(*READERS):
            raise Forbidden
        return
    if request.url.path.endswith("/v1/metrics") or wanted is not None or not _from_loopback(request):
        raise Unauthenticated


def _from_loopback(request: Request) -> bool:
    if request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return False

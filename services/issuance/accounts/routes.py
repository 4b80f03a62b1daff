from fastapi import APIRouter, Request

from services.issuance.accounts.operations import Accounts
from services.issuance.accounts.schemas import Identity, IdentityBound, Session, SignIn
from shared.http.auth import CurrentCitizen
from shared.http.client import address_of, device_of
from shared.ratelimit import (
    IDENTITY_PER_DEVICE,
    IDENTITY_PER_PERSON,
    SESSION_PER_ADDRESS,
    SESSION_PER_DEVICE,
    RateLimiter,
)

router = APIRouter(prefix="/issuance/v1", tags=["citizens"])


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.wiring.accounts
    return accounts


@router.post("/sessions", operation_id="issuance_sign_in", status_code=201)
async def sign_in(request: Request, body: SignIn) -> Session:
    """Signs a citizen in with the code of a WeChat or Alipay mini-program."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(SESSION_PER_ADDRESS, address_of(request))
    device = device_of(request)
    if device is not None:
        await limiter.hit(SESSION_PER_DEVICE, device)
    return await _accounts(request).sign_in(body.provider, body.code)


@router.put("/me/identity", operation_id="issuance_bind_identity")
async def bind_identity(request: Request, citizen: CurrentCitizen, body: Identity) -> IdentityBound:
    """Binds the citizen's identity to the account, once; the same identity again answers the same."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(IDENTITY_PER_PERSON, citizen.account_id.hex)
    device = device_of(request)
    if device is not None:
        await limiter.hit(IDENTITY_PER_DEVICE, device)
    return await _accounts(request).bind(citizen, body)

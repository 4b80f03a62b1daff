from fastapi import APIRouter, Request

from services.issuance.accounts.operations import Accounts
from services.issuance.accounts.schemas import Identity, IdentityBound, Session, SignIn
from shared.http.auth import CurrentCitizen

router = APIRouter(prefix="/issuance/v1", tags=["citizens"])


def _accounts(request: Request) -> Accounts:
    accounts: Accounts = request.app.state.wiring.accounts
    return accounts


@router.post("/sessions", operation_id="issuance_sign_in", status_code=201)
async def sign_in(request: Request, body: SignIn) -> Session:
    """Signs a citizen in with the code of a WeChat or Alipay mini-program."""
    return await _accounts(request).sign_in(body.provider, body.code)


@router.put("/me/identity", operation_id="issuance_bind_identity")
async def bind_identity(request: Request, citizen: CurrentCitizen, body: Identity) -> IdentityBound:
    """Binds the citizen's identity to the account, once; the same identity again answers the same."""
    return await _accounts(request).bind(citizen, body)

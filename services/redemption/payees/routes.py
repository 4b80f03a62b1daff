from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.redemption.payees.operations import shown
from services.redemption.payees.rules import Details
from services.redemption.payees.schemas import (
    PayeeAccountItem,
    PayeeAccountList,
    PayeeAccountProposed,
    RevealedAccount,
    RevealPayeeAccount,
    SetPayeeAccount,
)
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import CurrentStaff, Writer
from shared.http.replies import replayable
from shared.ids import parse_uuid

router = APIRouter(
    prefix="/redemption/v1/institutions/{institution_id}/payee-accounts", tags=["institutions"]
)


@router.post(
    "",
    status_code=202,
    response_model=PayeeAccountProposed,
    operation_id="redemption_set_payee_account",
)
async def propose(
    request: Request, institution_id: str, staff: Writer, body: SetPayeeAccount
) -> JSONResponse:
    """Proposes the bank account that the institution is paid to; somebody else approves it.

    The change, as every view, shows it masked; who approves may reveal it to compare it with the paper.
    """
    details = Details(body.account_name, body.bank_name, body.account_number)
    payees = wiring_of(request).payees
    proposed = await payees.propose(staff, institution_id, details, body.reason, body.request_no)
    return replayable(proposed, first_status=202)


@router.get("", operation_id="redemption_list_payee_accounts")
async def list_accounts(request: Request, institution_id: str, staff: CurrentStaff) -> PayeeAccountList:
    """Every account that was ever in force, masked, the present one first."""
    found = await wiring_of(request).payees.versions(staff, institution_id)
    return PayeeAccountList(
        items=[
            PayeeAccountItem.model_validate(
                {
                    **shown(account),
                    "in_force": account is found[0],
                    "effective_from": rfc3339(account.effective_from),
                    "change_id": str(account.change_id),
                }
            )
            for account in found
        ]
    )


@router.post("/{account_id}/reveal", operation_id="redemption_reveal_payee_account")
async def reveal(
    request: Request, institution_id: str, account_id: str, staff: Writer, body: RevealPayeeAccount
) -> RevealedAccount:
    """An account in full, also one that waits for approval; written into the audit log with the reason."""
    details = await wiring_of(request).payees.reveal(
        staff, institution_id, parse_uuid(account_id), body.reason
    )
    return RevealedAccount(
        id=account_id,
        institution_id=institution_id,
        account_name=details.account_name,
        bank_name=details.bank_name,
        account_number=details.account_number,
    )

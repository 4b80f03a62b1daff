from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.redemption.contracts.operations import Wanted
from services.redemption.contracts.schemas import (
    ContractPriceItem,
    ContractPriceList,
    ContractPriceProposed,
    SetContractPrice,
)
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import CurrentStaff, Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(
    prefix="/redemption/v1/institutions/{institution_id}/contract-prices", tags=["institutions"]
)


@router.post(
    "",
    status_code=202,
    response_model=ContractPriceProposed,
    operation_id="redemption_set_contract_price",
)
async def propose(
    request: Request, institution_id: str, staff: Writer, body: SetContractPrice
) -> JSONResponse:
    """Proposes what the institution is paid for a directed voucher from a day on; somebody else approves.

    What is below the campaign's price goes back to the payers at the write-off.
    """
    wanted = Wanted(body.campaign, body.voucher_type, body.price_fen, body.effective_from, body.reason)
    key = staff_key(staff, "institution.contract_price", body, institution_id)
    proposed = await wiring_of(request).contracts.propose(staff, institution_id, wanted, key)
    return replayable(proposed, first_status=202)


@router.get("", operation_id="redemption_list_contract_prices")
async def list_prices(
    request: Request,
    institution_id: str,
    staff: CurrentStaff,
    campaign: Annotated[str | None, Query(max_length=SHORT_MAX)] = None,
) -> ContractPriceList:
    """All versions of an institution's contract prices, and which are in force."""
    found = await wiring_of(request).contracts.list_prices(staff, institution_id, campaign)
    return ContractPriceList(
        items=[
            ContractPriceItem(
                campaign=price.campaign,
                voucher_type=price.voucher_type,
                effective_from=price.effective_day.isoformat(),
                version=price.version,
                price_fen=price.price_fen,
                in_force=in_force,
                reason=price.reason,
                change_id=str(price.change_id),
                created_at=rfc3339(price.created_at),
            )
            for price, in_force in found
        ]
    )

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.redemption.disputes.schemas import Disputed, Resolve, Resolved
from services.redemption.settlement.schemas import SettlementState
from services.redemption.terminals.routes import wiring_of
from shared.http.auth import CurrentStaff, Writer
from shared.http.replies import replayable, staff_key
from shared.ids import parse_hot_id, parse_uuid

router = APIRouter(prefix="/redemption/v1/settlements", tags=["settlement"])


@router.post(
    "/{settlement_id}/dispute", response_model=SettlementState, operation_id="redemption_dispute_settlement"
)
async def dispute(request: Request, settlement_id: str, staff: CurrentStaff, body: Disputed) -> JSONResponse:
    """The institution says what is wrong with its settlement; it may confirm it all the same later."""
    key = staff_key(staff, "settlement.dispute", body, settlement_id)
    done = await wiring_of(request).disputes.dispute(staff, parse_uuid(settlement_id), body.note, key)
    return replayable(done, first_status=200)


@router.post(
    "/{settlement_id}/resolve",
    response_model=Resolved,
    operation_id="redemption_resolve_dispute",
    responses={202: {"model": Resolved, "description": "Upheld: a change that somebody else approves"}},
)
async def resolve(request: Request, settlement_id: str, staff: Writer, body: Resolve) -> JSONResponse:
    """Answers a dispute. Rejected, the settlement stays as it is, and the institution reads why.

    Upheld, the write-offs named become corrections in this very settlement once somebody else approves;
    its next revision is computed anew, and the institution confirms that.
    """
    key = staff_key(staff, "settlement.resolve", body, settlement_id)
    disputes, address = wiring_of(request).disputes, parse_uuid(settlement_id)
    if body.outcome == "rejected":
        return replayable(await disputes.reject(staff, address, body.reason, key), first_status=200)
    withdrawn = [parse_hot_id(text) for text in body.withdraw]
    proposed = await disputes.uphold(staff, address, withdrawn, body.reason, key)
    return replayable(proposed, first_status=202)

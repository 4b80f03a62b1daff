from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services.redemption.operators.operations import Roster, only
from services.redemption.operators.schemas import (
    AssignOperator,
    EndedOperator,
    EndOperator,
    MadeOperator,
    NewOperator,
    OperatorItem,
    OperatorList,
    OperatorName,
    OperatorRule,
    RenameOperator,
    RequireOperators,
    TerminalOperators,
)
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.terminals.routes import SIGNED, signed_terminal, wiring_of
from shared.clock import rfc3339
from shared.http.auth import CurrentStaff
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/redemption/v1", tags=["terminals"])

_OF_INSTITUTION = "/institutions/{institution_id}/operators"


@router.post(
    _OF_INSTITUTION, status_code=201, response_model=MadeOperator, operation_id="redemption_add_operator"
)
async def add(request: Request, institution_id: str, staff: CurrentStaff, body: NewOperator) -> JSONResponse:
    """Names an operator, for some terminals or for all; by the bureau or by the institution's own staff."""
    made = await wiring_of(request).operators.add(
        staff,
        institution_id,
        code=body.code,
        label=body.label,
        terminals=body.terminals,
        key=staff_key(staff, "operator.add", body, institution_id),
    )
    return replayable(made)


@router.get(_OF_INSTITUTION, operation_id="redemption_list_operators")
async def of_institution(request: Request, institution_id: str, staff: CurrentStaff) -> OperatorList:
    """All of them, also those who were ended."""
    found = await wiring_of(request).operators.of_institution(staff, institution_id)
    return OperatorList(
        required=found.required,
        items=[
            OperatorItem(
                code=one.code,
                label=one.label,
                terminal_ids=one.terminals,
                terminal_id=only(one.terminals),
                created_at=rfc3339(one.created_at),
                ended_at=None if one.ended_at is None else rfc3339(one.ended_at),
                end_reason=one.end_reason,
            )
            for one in found.operators
        ],
    )


@router.post(
    _OF_INSTITUTION + "/{code}/terminals",
    response_model=MadeOperator,
    operation_id="redemption_assign_operator",
)
async def assign(
    request: Request, institution_id: str, code: str, staff: CurrentStaff, body: AssignOperator
) -> JSONResponse:
    """Where an operator works from now on; an empty list means every terminal of the institution."""
    done = await wiring_of(request).operators.assign(
        staff,
        institution_id,
        code,
        terminals=body.terminal_ids,
        reason=body.reason,
        key=staff_key(staff, "operator.assign", body, institution_id, code),
    )
    return replayable(done, first_status=200)


@router.post(
    _OF_INSTITUTION + "/{code}/label", response_model=MadeOperator, operation_id="redemption_rename_operator"
)
async def rename(
    request: Request, institution_id: str, code: str, staff: CurrentStaff, body: RenameOperator
) -> JSONResponse:
    """What the institution calls an operator from now on; the code stays, also with what was written off."""
    done = await wiring_of(request).operators.rename(
        staff,
        institution_id,
        code,
        label=body.label,
        reason=body.reason,
        key=staff_key(staff, "operator.rename", body, institution_id, code),
    )
    return replayable(done, first_status=200)


@router.post(
    _OF_INSTITUTION + "/{code}/end", response_model=EndedOperator, operation_id="redemption_end_operator"
)
async def end(
    request: Request, institution_id: str, code: str, staff: CurrentStaff, body: EndOperator
) -> JSONResponse:
    """No terminal takes the code any more; it is not given out again."""
    key = staff_key(staff, "operator.end", body, institution_id, code)
    done = await wiring_of(request).operators.end(staff, institution_id, code, body.reason, key)
    return replayable(done, first_status=200)


@router.post(
    "/institutions/{institution_id}/operator-rule",
    response_model=OperatorRule,
    operation_id="redemption_require_operators",
)
async def require(
    request: Request, institution_id: str, staff: CurrentStaff, body: RequireOperators
) -> JSONResponse:
    """Whether write-offs need an operator of their terminal's list; off until somebody switches it on."""
    done = await wiring_of(request).operators.require(
        staff,
        institution_id,
        required=body.required,
        reason=body.reason,
        key=staff_key(staff, "operator.require", body, institution_id),
    )
    return replayable(done, first_status=200)


# Before the one with an id: the till's own.
@router.get("/terminals/operators", dependencies=[SIGNED], operation_id="redemption_own_operators")
async def own(
    request: Request, terminal: Annotated[SignedTerminal, Depends(signed_terminal)]
) -> TerminalOperators:
    """Who works at the terminal that signs this, for the cashier to choose from."""
    return _names(await wiring_of(request).operators.for_cashier(terminal))


@router.get("/terminals/{terminal_id}/operators", operation_id="redemption_list_terminal_operators")
async def of_terminal(request: Request, terminal_id: str, staff: CurrentStaff) -> TerminalOperators:
    """Who works at a terminal now, for the bureau and the institution itself."""
    return _names(await wiring_of(request).operators.of_terminal(staff, terminal_id))


def _names(found: Roster) -> TerminalOperators:
    return TerminalOperators(
        required=found.required,
        items=[OperatorName(code=one.code, label=one.label) for one in found.operators],
    )

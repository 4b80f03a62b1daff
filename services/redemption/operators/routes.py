from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.redemption.operators.schemas import (
    EndedOperator,
    EndOperator,
    MadeOperator,
    NewOperator,
    OperatorItem,
    OperatorList,
)
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import CurrentStaff
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/redemption/v1/institutions/{institution_id}/operators", tags=["terminals"])


@router.post("", status_code=201, response_model=MadeOperator, operation_id="redemption_add_operator")
async def add(request: Request, institution_id: str, staff: CurrentStaff, body: NewOperator) -> JSONResponse:
    """Names an operator, for one terminal or for all; by the bureau or by the institution's own staff."""
    made = await wiring_of(request).operators.add(
        staff,
        institution_id,
        code=body.code,
        label=body.label,
        terminal_id=body.terminal_id,
        key=staff_key(staff, "operator.add", body, institution_id),
    )
    return replayable(made)


@router.get("", operation_id="redemption_list_operators")
async def of_institution(request: Request, institution_id: str, staff: CurrentStaff) -> OperatorList:
    """All of them, also those who were ended."""
    found = await wiring_of(request).operators.of_institution(staff, institution_id)
    return OperatorList(
        items=[
            OperatorItem(
                code=one.code,
                label=one.label,
                terminal_id=one.terminal_id,
                created_at=rfc3339(one.created_at),
                ended_at=None if one.ended_at is None else rfc3339(one.ended_at),
            )
            for one in found
        ]
    )


@router.post("/{code}/end", response_model=EndedOperator, operation_id="redemption_end_operator")
async def end(
    request: Request, institution_id: str, code: str, staff: CurrentStaff, body: EndOperator
) -> JSONResponse:
    """No terminal takes the code any more; it is not given out again."""
    key = staff_key(staff, "operator.end", body, institution_id, code)
    return replayable(
        await wiring_of(request).operators.end(staff, institution_id, code, key), first_status=200
    )

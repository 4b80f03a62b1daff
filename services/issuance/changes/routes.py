from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse

from services.issuance.campaigns.schemas import ChangeProposed
from services.issuance.changes.operations import Changes
from services.issuance.changes.schemas import OddsChange, QuizRuleChange, StockChange
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/phases/{seq}", tags=["campaigns"])

Seq = Annotated[int, Path(ge=1, le=1000)]


def _changes(request: Request) -> Changes:
    changes: Changes = request.app.state.wiring.changes
    return changes


@router.post("/odds", operation_id="issuance_propose_odds", status_code=202, response_model=ChangeProposed)
async def propose_odds(
    request: Request, slug: str, seq: Seq, staff: Writer, body: OddsChange
) -> JSONResponse:
    """Proposes new odds for a phase; draws made before the approval are untouched."""
    key = staff_key(staff, "odds.propose", body, slug, str(seq))
    return replayable(await _changes(request).propose_odds(staff, slug, seq, body, key), first_status=202)


@router.post(
    "/quiz-rule", operation_id="issuance_propose_quiz_rule", status_code=202, response_model=ChangeProposed
)
async def propose_quiz_rule(
    request: Request, slug: str, seq: Seq, staff: Writer, body: QuizRuleChange
) -> JSONResponse:
    """Proposes a new quiz rule for a phase; attempts that have begun keep theirs."""
    key = staff_key(staff, "quiz_rule.propose", body, slug, str(seq))
    answer = await _changes(request).propose_quiz_rule(staff, slug, seq, body, key)
    return replayable(answer, first_status=202)


@router.post("/stock", operation_id="issuance_propose_stock", status_code=202, response_model=ChangeProposed)
async def propose_stock(
    request: Request, slug: str, seq: Seq, staff: Writer, body: StockChange
) -> JSONResponse:
    """Proposes to put vouchers of a type into a phase, or to take some out."""
    key = staff_key(staff, "stock.propose", body, slug, str(seq))
    return replayable(await _changes(request).propose_stock(staff, slug, seq, body, key), first_status=202)

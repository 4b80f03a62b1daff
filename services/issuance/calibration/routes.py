from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.issuance.calibration.operations import Calibration
from services.issuance.calibration.rules import Verdict
from services.issuance.calibration.schemas import StatisticsPage
from shared.errors import Fault, InvalidRequest
from shared.http.auth import Reader
from shared.http.replies import LIMIT_DEFAULT, Cursor, Limit, decode_cursor, encode_cursor

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/questions", tags=["planning"])

_VerdictQuery = Annotated[Verdict | None, Query(description="only questions with this verdict")]


def _after(cursor: str | None) -> int:
    """The id behind which the page begins. Raises InvalidRequest."""
    match decode_cursor(cursor):
        case None:
            return 0
        case [str() as question_id] if question_id.isdecimal():
            return int(question_id)
        case _:
            raise InvalidRequest(faults=(Fault("query.cursor", "is not a cursor of this list", "cursor"),))


@router.get("/statistics", operation_id="issuance_question_statistics")
async def question_statistics(
    request: Request,
    slug: str,
    _staff: Reader,
    verdict: _VerdictQuery = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> StatisticsPage:
    """How hard each question is, whether it tells good attempts from weak ones, and what to do with it."""
    calibration: Calibration = request.app.state.wiring.calibration
    evaluated = await calibration.statistics(slug, verdict)
    after = _after(cursor)
    rest = [question for question in evaluated.questions if int(question.question_id) > after]
    return StatisticsPage(
        attempts=evaluated.attempts,
        attempts_answered=evaluated.answered,
        items=rest[:limit],
        next_cursor=encode_cursor([rest[limit - 1].question_id]) if len(rest) > limit else None,
    )

from typing import Annotated

from fastapi import APIRouter, Query, Request

from services.issuance.calibration.operations import Calibration, Figured
from services.issuance.calibration.rules import OptionFigures, Verdict
from services.issuance.calibration.schemas import (
    OptionView,
    QuestionStatistics,
    StatisticsPage,
    decimal_text,
)
from shared.clock import rfc3339
from shared.errors import Fault, InvalidRequest
from shared.http.auth import Reader, Writer
from shared.http.jobs import JobRequested
from shared.http.replies import LIMIT_DEFAULT, Cursor, Limit, decode_cursor, encode_cursor

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/questions", tags=["planning"])

_VerdictQuery = Annotated[Verdict | None, Query(description="only questions with this verdict")]


def _calibration(request: Request) -> Calibration:
    calibration: Calibration = request.app.state.wiring.calibration
    return calibration


def _after(cursor: str | None) -> int:
    """The id behind which the page begins. Raises InvalidRequest."""
    match decode_cursor(cursor):
        case None:
            return 0
        case [str() as question_id] if question_id.isdecimal() and len(question_id) <= _ID_DIGITS:
            return int(question_id)
        case _:
            raise InvalidRequest(faults=(Fault("query.cursor", "is not a cursor of this list", "cursor"),))


# What fits in a bigint.
_ID_DIGITS = 18


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
    found = await _calibration(request).page(slug, verdict, after=_after(cursor), limit=limit)
    return StatisticsPage(
        as_of=rfc3339(found.as_of),
        attempts=found.attempts,
        attempts_answered=found.answered,
        items=[_view(pair) for pair in found.questions],
        total=found.total,
        next_cursor=encode_cursor([str(found.questions[-1][0].id)]) if found.more else None,
    )


@router.post("/statistics", operation_id="issuance_compute_statistics", status_code=202)
async def compute_statistics(request: Request, slug: str, staff: Writer) -> JobRequested:
    """Evaluates every attempt of a large campaign in a job, and keeps the figures for the list.

    Later runs add what has come since: a day on which nothing can be answered any more is counted once.
    """
    return JobRequested.model_validate(await _calibration(request).ask(staff, slug))


def _view(pair: Figured) -> QuestionStatistics:
    question, item = pair

    def text(value: float | None) -> str | None:
        return None if value is None else decimal_text(value)

    def option(figures: OptionFigures) -> OptionView:
        return OptionView(
            key=figures.key,
            right=figures.key in question.answer,
            chosen=decimal_text(figures.chosen),
            upper=decimal_text(figures.upper),
            lower=decimal_text(figures.lower),
            finding=figures.finding,
        )

    return QuestionStatistics(
        question_id=str(question.id),
        text=question.text,
        difficulty=question.difficulty,
        retired=question.retired,
        attempts=item.attempts,
        facility=text(item.facility),
        facility_low=text(item.facility_low),
        facility_high=text(item.facility_high),
        discrimination=text(item.discrimination),
        point_biserial=text(item.point_biserial),
        options=[option(figures) for figures in item.options],
        verdict=item.verdict,
    )

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from services.issuance.bank.operations import Bank
from services.issuance.bank.rules import State
from services.issuance.bank.schemas import (
    BankSummary,
    QuestionChanged,
    QuestionEdit,
    QuestionsRetired,
    QuestionView,
    RetireMany,
    StateChange,
)
from services.issuance.bank.store import Filters, Version
from shared.clock import rfc3339
from shared.errors import NotFound
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    encode_cursor,
    position_of_number,
    replayable,
    staff_key,
)

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/questions", tags=["questions"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_CSV = "text/csv"
_BIGINT_DIGITS = 18

QuestionId = Annotated[str, Path(max_length=32)]
_Category = Annotated[str | None, Query(max_length=50, description="exact; empty: without one")]
_Difficulty = Annotated[int | None, Query(ge=1, le=3)]
_State = Annotated[
    State | Literal["all"], Query(description="`all`: in use or not; `replaced`: older versions")
]
_Words = Annotated[str | None, Query(max_length=100, description="words of the question's text")]


def _bank(request: Request) -> Bank:
    bank: Bank = request.app.state.wiring.bank
    return bank


def _number(question_id: str) -> int:
    """Raises NotFound for what no question has ever been called."""
    if not (question_id.isascii() and question_id.isdecimal() and len(question_id) <= _BIGINT_DIGITS):
        raise NotFound
    return int(question_id)


def _filters(category: str | None, difficulty: int | None, state: str, words: str | None) -> Filters:
    kept: dict[str, State | None] = {
        "all": None,
        "active": "active",
        "retired": "retired",
        "replaced": "replaced",
    }
    return Filters(category, difficulty, kept[state], words or None)


@router.get("", operation_id="issuance_list_questions")
async def list_questions(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only staff get here
    *,
    category: _Category = None,
    difficulty: _Difficulty = None,
    state: _State = "active",
    q: _Words = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[QuestionView]:
    """The bank with its answers, for clerks, in the order in which the questions came."""
    filters = _filters(category, difficulty, state, q)
    after = position_of_number(cursor) or 0
    found, total = await _bank(request).page(slug, filters, limit=limit, after=after)
    return CountedPage(
        total=total,
        items=[_view(version) for version in found[:limit]],
        next_cursor=encode_cursor([found[limit - 1].id]) if len(found) > limit else None,
    )


@router.get("/summary", operation_id="issuance_summarise_questions")
async def summarise_questions(request: Request, slug: str, staff: Reader) -> BankSummary:  # noqa: ARG001 - the same
    """How many questions there are of each difficulty and category: what a blueprint can ask for."""
    return await _bank(request).summary(slug)


@router.get(
    "/export.xlsx",
    operation_id="issuance_export_questions",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "The bank as the import takes it"}},
)
async def export_questions(
    request: Request,
    slug: str,
    staff: Writer,  # noqa: ARG001 - it holds every answer
    *,
    category: _Category = None,
    difficulty: _Difficulty = None,
    state: _State = "active",
    q: _Words = None,
) -> Response:
    """The bank as a workbook, to be corrected and imported again; a large one comes as CSV only."""
    content = await _bank(request).export(slug, _filters(category, difficulty, state, q))
    name = f"attachment; filename=\"questions.xlsx\"; filename*=UTF-8''{quote('题库.xlsx')}"
    return Response(content, media_type=_XLSX, headers={"Content-Disposition": name})


@router.get(
    "/export.csv",
    operation_id="issuance_export_questions_csv",
    response_class=Response,
    responses={200: {"content": {_CSV: {}}, "description": "The bank as the import takes it"}},
)
async def export_questions_csv(
    request: Request,
    slug: str,
    staff: Writer,  # noqa: ARG001 - the same
    *,
    category: _Category = None,
    difficulty: _Difficulty = None,
    state: _State = "active",
    q: _Words = None,
) -> StreamingResponse:
    """The bank as CSV, however large it is, to be corrected and imported again."""
    parts = await _bank(request).export_csv(slug, _filters(category, difficulty, state, q))
    name = f"attachment; filename=\"questions.csv\"; filename*=UTF-8''{quote('题库.csv')}"
    return StreamingResponse(parts, media_type=_CSV, headers={"Content-Disposition": name})


@router.get("/{question_id}/versions", operation_id="issuance_list_question_versions")
async def list_question_versions(
    request: Request,
    slug: str,
    question_id: QuestionId,
    staff: Reader,  # noqa: ARG001 - only staff get here
) -> list[QuestionView]:
    """All versions of a question, the first one first."""
    return [_view(version) for version in await _bank(request).versions(slug, _number(question_id))]


@router.put("/{question_id}", operation_id="issuance_edit_question", response_model=QuestionChanged)
async def edit_question(
    request: Request, slug: str, question_id: QuestionId, staff: Writer, body: QuestionEdit
) -> JSONResponse:
    """Corrects a question. What people see becomes a new version; attempts keep the one that they showed."""
    key = staff_key(staff, "question.edit", body, slug, question_id)
    answer = await _bank(request).edit(staff, slug, _number(question_id), body, key)
    return replayable(answer, first_status=200)


@router.post("/retire", operation_id="issuance_retire_questions", response_model=QuestionsRetired)
async def retire_questions(request: Request, slug: str, staff: Writer, body: RetireMany) -> JSONResponse:
    """Takes several questions out of use for one reason: all of them or none."""
    wanted = {int(question_id) for question_id in body.question_ids}
    key = staff_key(staff, "question.retire_many", body, slug)
    answer = await _bank(request).retire_many(staff, slug, wanted, body.reason, key)
    return replayable(answer, first_status=200)


@router.post("/{question_id}/retire", operation_id="issuance_retire_question", response_model=QuestionChanged)
async def retire_question(
    request: Request, slug: str, question_id: QuestionId, staff: Writer, body: StateChange
) -> JSONResponse:
    """Takes a question out of use; attempts that have it keep it."""
    key = staff_key(staff, "question.retire", body, slug, question_id)
    answer = await _bank(request).retire(staff, slug, _number(question_id), body.reason, key)
    return replayable(answer, first_status=200)


@router.post(
    "/{question_id}/reactivate", operation_id="issuance_reactivate_question", response_model=QuestionChanged
)
async def reactivate_question(
    request: Request, slug: str, question_id: QuestionId, staff: Writer, body: StateChange
) -> JSONResponse:
    """Puts a question back into use."""
    key = staff_key(staff, "question.reactivate", body, slug, question_id)
    answer = await _bank(request).reactivate(staff, slug, _number(question_id), body.reason, key)
    return replayable(answer, first_status=200)


def _view(version: Version) -> QuestionView:
    return QuestionView(
        question_id=str(version.id),
        first_question_id=str(version.first_id),
        version=version.version,
        state=version.state,
        text=version.text,
        multiple=len(version.answer) > 1,
        options=dict(version.options),
        answer=list(version.answer),
        explanation=version.explanation,
        difficulty=version.difficulty,
        category=version.category,
        created_at=rfc3339(version.created_at),
        retired_at=None if version.retired_at is None else rfc3339(version.retired_at),
        retired_reason=version.retired_reason,
    )

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, File, Query, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from services.issuance.questions.operations import Questions
from services.issuance.questions.schemas import QuestionsDraft, QuestionsReport
from shared.documents.reports import ImportReport
from shared.http.auth import Writer
from shared.http.jobs import JobRequested
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}/questions", tags=["questions"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _questions(request: Request) -> Questions:
    questions: Questions = request.app.state.wiring.questions
    return questions


@router.post("", operation_id="issuance_add_questions", status_code=201, response_model=QuestionsReport)
async def add_questions(request: Request, slug: str, staff: Writer, body: QuestionsDraft) -> JSONResponse:
    """Adds questions to a campaign's bank; what is wrong with one does not hold up the others."""
    key = staff_key(staff, "questions.add", body, slug)
    return replayable(await _questions(request).add(staff, slug, body.questions, key))


@router.post(
    "/import",
    operation_id="issuance_import_questions",
    response_model=ImportReport,
    responses={
        202: {
            "model": JobRequested,
            "description": "More than 5,000 rows, or `background=true`: a job has the report",
        }
    },
)
async def import_questions(
    request: Request,
    slug: str,
    staff: Writer,
    file: Annotated[UploadFile, File(description=".xlsx or .csv")],
    *,
    dry_run: Annotated[bool, Query()] = False,
    background: Annotated[bool, Query()] = False,
) -> Response:
    """Imports questions from a workbook or CSV; `dry_run=true` says what would happen."""
    done = await _questions(request).take_in(
        staff, slug, await file.read(), dry_run=dry_run, background=background
    )
    if isinstance(done, ImportReport):
        return JSONResponse(done.model_dump())
    return JSONResponse(done, status_code=202)


@router.get(
    "/template.xlsx",
    operation_id="issuance_question_template",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "An .xlsx to fill in"}},
)
async def question_template(request: Request, slug: str, staff: Writer) -> Response:  # noqa: ARG001 - staff only
    """The workbook that the import understands, with an example and instructions."""
    content = await _questions(request).template(slug)
    name = f"attachment; filename=\"questions.xlsx\"; filename*=UTF-8''{quote('题库导入模板.xlsx')}"
    return Response(content, media_type=_XLSX, headers={"Content-Disposition": name})

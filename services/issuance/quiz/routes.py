import msgspec
from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from services.issuance.holds.routes import note_sighting
from services.issuance.quiz.operations import Quizzes
from services.issuance.quiz.schemas import (
    AnswersBody,
    AttemptView,
    HotAnswers,
    HotStart,
    MarkView,
    StartBody,
)
from shared.http.auth import current_citizen
from shared.http.hot import answer, citizen_of, decode, hot_post
from shared.ratelimit import QUIZ_PER_PERSON, RateLimiter

router = APIRouter(prefix="/issuance/v1", tags=["quiz"])

_START = msgspec.json.Decoder(HotStart)
_ANSWERS = msgspec.json.Decoder(HotAnswers)


@hot_post(
    router,
    "/campaigns/{slug}/quiz-attempts",
    body=StartBody,
    reply=AttemptView,
    operation_id="issuance_start_quiz_attempt",
    summary="Start an attempt at the quiz; never shows the answers",
    dependencies=[Depends(current_citizen)],
)
async def start_quiz_attempt(request: Request) -> Response:
    citizen = citizen_of(request)
    body = await decode(request, _START)
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(QUIZ_PER_PERSON, citizen.person_id.hex)
    await note_sighting(request, citizen, request.path_params["slug"])
    quizzes: Quizzes = request.app.state.wiring.quizzes
    attempt = await quizzes.start(citizen, request.path_params["slug"], body.request_no)
    return answer(attempt.reply, replayed=attempt.replayed)


@hot_post(
    router,
    "/quiz-attempts/{attempt_id}/answers",
    body=AnswersBody,
    reply=MarkView,
    status_code=200,
    operation_id="issuance_submit_quiz_answers",
    summary="Submit the answers of an attempt; marks them and grants its chances",
    dependencies=[Depends(current_citizen)],
)
async def submit_quiz_answers(request: Request) -> Response:
    citizen = citizen_of(request)
    body = await decode(request, _ANSWERS)
    quizzes: Quizzes = request.app.state.wiring.quizzes
    mark = await quizzes.submit(
        citizen,
        request.path_params["attempt_id"],
        body.request_no,
        body.answers,
        attempt_token=body.attempt_token,
    )
    return answer(mark.reply, replayed=mark.replayed, first_status=200)

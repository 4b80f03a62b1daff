from fastapi import APIRouter, Request

from services.issuance.attempts.operations import Attempts
from services.issuance.attempts.schemas import AttemptAsLeft, DraftBody, DraftKept
from shared.http.auth import CurrentCitizen
from shared.ratelimit import DRAFT_PER_PERSON, RateLimiter

router = APIRouter(prefix="/issuance/v1", tags=["quiz"])


def _attempts(request: Request) -> Attempts:
    attempts: Attempts = request.app.state.wiring.attempts
    return attempts


@router.get("/campaigns/{slug}/quiz-attempts/current", operation_id="issuance_get_current_quiz_attempt")
async def get_current_attempt(request: Request, slug: str, citizen: CurrentCitizen) -> AttemptAsLeft:
    """The citizen's attempt that is open, else the last one with its result: after a line was lost."""
    return await _attempts(request).current(citizen, slug)


@router.get("/quiz-attempts/{attempt_id}", operation_id="issuance_get_quiz_attempt")
async def get_attempt(request: Request, attempt_id: str, citizen: CurrentCitizen) -> AttemptAsLeft:
    """An attempt as it was left: its questions with the seconds left, or its result."""
    return await _attempts(request).as_left(citizen, attempt_id)


@router.put("/quiz-attempts/{attempt_id}/draft", operation_id="issuance_keep_quiz_draft")
async def keep_draft(
    request: Request, attempt_id: str, citizen: CurrentCitizen, body: DraftBody
) -> DraftKept:
    """Keeps the answers chosen so far, for a phone that may lose its line. They are never marked."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(DRAFT_PER_PERSON, citizen.person_id.hex)
    return await _attempts(request).keep_draft(citizen, attempt_id, body.answers)

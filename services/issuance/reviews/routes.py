from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.issuance.activities.rules import State
from services.issuance.activities.schemas import ActivityChannel
from services.issuance.reviews.operations import Reviews
from services.issuance.reviews.schemas import ClaimBody, Claimed, ReviewBody, Reviewed, ReviewItem
from services.issuance.reviews.store import Queue
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import parse_hot_id

router = APIRouter(prefix="/issuance/v1/activities", tags=["reviews"])


def _reviews(request: Request) -> Reviews:
    reviews: Reviews = request.app.state.wiring.reviews
    return reviews


@router.get("", operation_id="issuance_list_activities")
async def list_activities(
    request: Request,
    staff: Reader,
    *,
    status: State = "pending",
    campaign: Annotated[str | None, Query(max_length=64)] = None,
    channel: ActivityChannel | None = None,
    claim: Literal["any", "mine", "free"] = "any",
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[ReviewItem]:
    """What waits for a decision, oldest first; or what was decided, newest first. Persons are masked."""
    mine = staff.id if claim == "mine" else None
    queue = Queue(status, slug=campaign, channel=channel, claimed_by=mine, free=claim == "free")
    items, following, total = await _reviews(request).page(
        queue, limit=limit, after=position_of_moment(cursor)
    )
    return CountedPage(
        items=items,
        total=total,
        next_cursor=None if following is None else encode_cursor([following[0].isoformat(), following[1]]),
    )


@router.post("/claim", operation_id="issuance_claim_activities")
async def claim_activities(request: Request, staff: Writer, body: ClaimBody) -> Claimed:
    """Takes the oldest that wait into hand for 15 minutes, so that two reviewers do not look at the same."""
    key = staff_key(staff, "activity.claim", body)
    queue = Queue("pending", slug=body.campaign, channel=body.channel)
    return Claimed(items=await _reviews(request).claim(staff, queue, limit=body.limit, key=key))


@router.post("/{activity_id}/release", operation_id="issuance_release_activity", status_code=204)
async def release_activity(request: Request, activity_id: str, staff: Writer) -> None:
    """Gives back what this reviewer has in hand."""
    await _reviews(request).release(staff, parse_hot_id(activity_id))


@router.get("/{activity_id}", operation_id="issuance_get_activity")
async def get_activity(request: Request, activity_id: str, staff: Reader) -> ReviewItem:  # noqa: ARG001 - the same
    """An activity with its evidence, what is like it, and what was decided."""
    return await _reviews(request).one(parse_hot_id(activity_id))


@router.post("/{activity_id}/review", operation_id="issuance_review_activity", response_model=Reviewed)
async def review_activity(
    request: Request, activity_id: str, staff: Writer, body: ReviewBody
) -> JSONResponse:
    """Accepts an activity, which grants its chances, or rejects it with a reason."""
    key = staff_key(staff, "activity.review", body, activity_id)
    answer = await _reviews(request).review(staff, parse_hot_id(activity_id), body, key)
    return replayable(answer, first_status=200)

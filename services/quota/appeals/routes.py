from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import JSONResponse

from services.quota.appeals.operations import Appeals, appeal_view
from services.quota.appeals.rules import AppealStatus
from services.quota.appeals.schemas import AnswerBody, AppealView, Lodge
from services.quota.programmes.routes import ProgrammeReader
from shared.http.auth import Writer, staff_with
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
from shared.identity.staff import Role, Staff
from shared.ids import parse_uuid

router = APIRouter(prefix="/quota/v1/programmes/{slug}", tags=["attribution"])

Hospital = Annotated[Staff, Depends(staff_with(Role.HOSPITAL))]


def _appeals(request: Request) -> Appeals:
    appeals: Appeals = request.app.state.wiring.appeals
    return appeals


@router.post(
    "/events/{event_id:path}/appeals",
    operation_id="quota_lodge_card_appeal",
    status_code=201,
    response_model=AppealView,
)
async def lodge_appeal(
    request: Request, slug: str, event_id: str, staff: Hospital, body: Lodge
) -> JSONResponse:
    """A hospital does not agree with where an event of its own was counted."""
    key = staff_key(staff, "card_appeal.lodge", body, slug, event_id)
    done = await _appeals(request).lodge(staff, slug, event_id, body.reason, key)
    return replayable(done, first_status=201)


@router.get("/appeals", operation_id="quota_list_card_appeals")
async def list_appeals(
    request: Request,
    slug: str,
    staff: ProgrammeReader,
    *,
    status: AppealStatus | None = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[AppealView]:
    """Appeals, newest first; a hospital sees its own."""
    found, total = await _appeals(request).page(
        staff, slug, status=status, limit=limit, after=position_of_moment(cursor)
    )
    last = found[limit - 1] if len(found) > limit else None
    return CountedPage(
        total=total,
        items=[appeal_view(appeal) for appeal in found[:limit]],
        next_cursor=encode_cursor([last.lodged_at.isoformat(), last.id]) if last else None,
    )


@router.post(
    "/appeals/{appeal_id}/answer", operation_id="quota_answer_card_appeal", response_model=AppealView
)
async def answer_appeal(
    request: Request, slug: str, appeal_id: str, staff: Writer, body: AnswerBody
) -> JSONResponse:
    """Answers an appeal, once; what follows from it is done by a change of its own."""
    key = staff_key(staff, "card_appeal.answer", body, slug, appeal_id)
    done = await _appeals(request).answer(staff, slug, parse_uuid(appeal_id), body, key)
    return replayable(done, first_status=200)

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.issuance.deliveries.operations import Deliveries
from services.issuance.deliveries.schemas import (
    DeadLetter,
    GrantsReported,
    PreferencesView,
    PreferencesWanted,
    Retried,
)
from shared.http.auth import CurrentCitizen, Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    StaffBody,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import parse_hot_id

router = APIRouter(prefix="/issuance/v1", tags=["notices"])


def _deliveries(request: Request) -> Deliveries:
    deliveries: Deliveries = request.app.state.wiring.deliveries
    return deliveries


@router.get("/me/notice-preferences", operation_id="issuance_get_notice_preferences")
async def get_notice_preferences(request: Request, citizen: CurrentCitizen) -> PreferencesView:
    """How the citizen is told beside the own inbox: WeChat consents that are left, and SMS."""
    return await _deliveries(request).preferences(citizen)


@router.put("/me/notice-preferences", operation_id="issuance_set_notice_preferences")
async def set_notice_preferences(
    request: Request, citizen: CurrentCitizen, body: PreferencesWanted
) -> PreferencesView:
    """Sets language and SMS; what is left out stays. SMS off forgets the phone."""
    return await _deliveries(request).set_preferences(citizen, body)


@router.post(
    "/me/notice-grants",
    operation_id="issuance_report_notice_grants",
    status_code=201,
    response_model=PreferencesView,
)
async def report_notice_grants(
    request: Request, citizen: CurrentCitizen, body: GrantsReported
) -> JSONResponse:
    """Counts what the citizen agreed to when the mini-program asked."""
    return replayable(await _deliveries(request).report_grants(citizen, body))


@router.get("/notices/dead-letters", operation_id="issuance_list_dead_letters")
async def list_dead_letters(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[DeadLetter]:
    """Notices that failed too often and wait for staff, newest first."""
    items, last = await _deliveries(request).dead_letters(limit=limit, after=position_of_moment(cursor))
    return Page(items=items, next_cursor=encode_cursor([last[0].isoformat(), last[1]]) if last else None)


@router.post(
    "/notices/dead-letters/{letter_id}/retry",
    operation_id="issuance_retry_dead_letter",
    response_model=Retried,
)
async def retry_dead_letter(
    request: Request, staff: Writer, letter_id: str, body: StaffBody | None = None
) -> JSONResponse:
    """Has a dead letter tried again, with all its attempts."""
    key = staff_key(staff, "notice.retry", body or StaffBody(), letter_id)
    answer = await _deliveries(request).retry(staff, parse_hot_id(letter_id), key)
    return replayable(answer, first_status=200)

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.signals.schemas import Capacity, DayQueued, Declare, FailedDay
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    StaffBody,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import HotId, parse_hot_id
from shared.outbox.store import DeadRow

router = APIRouter(prefix="/redemption/v1", tags=["risk"])


@router.post(
    "/institutions/{institution_id}/capacity",
    response_model=Capacity,
    operation_id="redemption_declare_capacity",
)
async def declare(request: Request, institution_id: str, staff: Writer, body: Declare) -> JSONResponse:
    """How many write-offs an hour an institution can do: for rankings, and for the signal `capacity`."""
    key = staff_key(staff, "institution.capacity", body, institution_id)
    done = await wiring_of(request).signals.declare(staff, institution_id, body.hourly, key)
    return replayable(done, first_status=200)


@router.get("/risk/dead-letters", operation_id="redemption_list_failed_days")
async def failed_days(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    institution_id: Annotated[str | None, Query(max_length=SHORT_MAX)] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[FailedDay]:
    """Days that could not be judged after many tries, newest first; they wait for staff."""
    after = position_of_moment(cursor)
    found, names, total = await wiring_of(request).signals.dead(
        limit=limit, after=after, institution_id=institution_id
    )
    last = found[limit - 1] if len(found) > limit else None
    return CountedPage(
        total=total,
        items=[_failed(row, names) for row in found[:limit]],
        next_cursor=encode_cursor([last.created_at.isoformat(), last.id]) if last else None,
    )


@router.post(
    "/risk/dead-letters/{letter_id}/retry",
    response_model=DayQueued,
    operation_id="redemption_retry_failed_day",
)
async def retry_day(
    request: Request, letter_id: str, staff: Writer, body: StaffBody | None = None
) -> JSONResponse:
    """Has a day that failed too often tried again, with all its attempts."""
    key = staff_key(staff, "risk.day_retry", body or StaffBody(), letter_id)
    done = await wiring_of(request).signals.retry(staff, parse_hot_id(letter_id), key)
    return replayable(done, first_status=200)


def _failed(row: DeadRow, names: Mapping[str, str]) -> FailedDay:
    return FailedDay(
        id=str(HotId(row.bucket, row.id)),
        campaign_id=row.payload["campaign_id"],
        institution_id=row.payload["institution_id"],
        institution=names.get(row.payload["institution_id"]),
        day=row.payload["day"],
        attempts=row.attempt,
        error=row.error,
        created_at=rfc3339(row.created_at),
    )

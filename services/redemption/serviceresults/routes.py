"""Results of directed services, from tills; what staff see of their way to the health code."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from services.redemption.serviceresults.schemas import (
    STATUS,
    Content,
    DeadResult,
    ResultItem,
    ResultStatus,
    ResultTaken,
    Retried,
    RetryResult,
    ServiceResult,
    ServiceResultBody,
    Status,
)
from services.redemption.serviceresults.store import Item
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.terminals.routes import SIGNED, signed_post, signed_terminal, wiring_of
from shared.clock import rfc3339
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import HotId, parse_hot_id

router = APIRouter(prefix="/redemption/v1", tags=["service results"])

_NOT_DELIVERED: list[Status] = ["waiting", "due", "failed", "undeliverable"]


@signed_post(
    router,
    "/redemptions/{redemption_id}/service-result",
    struct=ServiceResultBody,
    body=ServiceResult,
    reply=ResultTaken,
    status_code=202,
    operation_id="redemption_report_service_result",
)
async def report(request: Request, terminal: SignedTerminal, body: ServiceResultBody) -> Response:
    """Takes the result of a directed service; a job carries it to the health code, never twice in effect."""
    address = parse_hot_id(request.path_params["redemption_id"])
    content = Content(body.kind, body.report_no, body.result, body.performed_at)
    done = await wiring_of(request).service_results.report(terminal, address, body.request_no, content)
    return replayable(done, first_status=202)


@router.get(
    "/redemptions/{redemption_id}/service-result",
    dependencies=[SIGNED],
    operation_id="redemption_find_service_result",
)
async def find(
    request: Request, redemption_id: str, terminal: Annotated[SignedTerminal, Depends(signed_terminal)]
) -> ResultStatus:
    """How far the result of a write-off of this institution has come; never what it says."""
    found = await wiring_of(request).service_results.status_of(terminal, parse_hot_id(redemption_id))
    return ResultStatus.model_validate(_told(found))


@router.get("/service-results", operation_id="redemption_list_service_results")
async def results(
    request: Request,
    _staff: Reader,
    status: Annotated[Status | None, Query(description=f"none: all but delivered. {STATUS}")] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[ResultItem]:
    """Service results and how far they have come, the newest first; never what they say."""
    wanted = _NOT_DELIVERED if status is None else [status]
    found = await wiring_of(request).service_results.page(
        wanted, limit=limit, after=position_of_moment(cursor)
    )
    page, more = found[:limit], len(found) > limit
    return Page(
        items=[
            ResultItem.model_validate(
                {**_told(one), "institution_id": one.institution_id, "terminal_id": one.terminal_id}
            )
            for one in page
        ],
        next_cursor=encode_cursor([page[-1].reported_at.isoformat(), page[-1].redemption_id])
        if more
        else None,
    )


@router.get("/service-results/dead-letters", operation_id="redemption_list_dead_service_results")
async def dead(
    request: Request, _staff: Reader, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Page[DeadResult]:
    """Deliveries that failed too often and wait for staff, the newest first."""
    found = await wiring_of(request).service_results.dead(limit=limit, after=position_of_moment(cursor))
    page, more = found[:limit], len(found) > limit
    return Page(
        items=[
            DeadResult(
                id=str(HotId(row.bucket, row.id)),
                redemption_id=str(row.payload["redemption_id"]),
                attempts=row.attempt,
                error=row.error,
                created_at=rfc3339(row.created_at),
            )
            for row in page
        ],
        next_cursor=encode_cursor([page[-1].created_at.isoformat(), page[-1].id]) if more else None,
    )


@router.post(
    "/service-results/dead-letters/{dead_id}/retry",
    response_model=Retried,
    operation_id="redemption_retry_service_result",
)
async def retry(request: Request, dead_id: str, staff: Writer, body: RetryResult) -> JSONResponse:
    """Has a delivery tried again, with all its attempts."""
    key = staff_key(staff, "service_result.retry", body, dead_id)
    done = await wiring_of(request).service_results.retry(staff, parse_hot_id(dead_id), key)
    return replayable(done, first_status=200)


def _told(found: Item) -> dict[str, Any]:
    return {
        "redemption_id": str(HotId(found.bucket, found.redemption_id)),
        "status": found.status,
        "attempts": found.attempts,
        "reported_at": rfc3339(found.reported_at),
        "delivered_at": None if found.delivered_at is None else rfc3339(found.delivered_at),
    }

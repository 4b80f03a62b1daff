"""Uploads of offline write-offs, and the day's close."""

from fastapi import APIRouter, Request, Response

from services.redemption.offline import operations
from services.redemption.offline.schemas import (
    ClosedItemReply,
    DayClose,
    DayCloseBody,
    DayClosed,
    DayClosedReply,
    OperatorTotalsReply,
    TotalsReply,
    Upload,
    UploadBody,
    UploadResult,
)
from services.redemption.offline.store import Line
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.terminals.routes import signed_post, wiring_of
from services.redemption.writeoff.operations import Asked
from shared.clock import rfc3339
from shared.http.hot import answer
from shared.http.replies import replayable
from shared.ids import HotId

router = APIRouter(prefix="/redemption/v1", tags=["write-off"])


@signed_post(
    router,
    "/batches",
    struct=UploadBody,
    body=Upload,
    reply=UploadResult,
    status_code=200,
    operation_id="redemption_upload_batch",
)
async def upload(request: Request, terminal: SignedTerminal, body: UploadBody) -> Response:
    """Write-offs made without a line, each judged by its time of use; one outcome each, in order."""
    items = [
        Asked(item.request_no, item.voucher, item.bill_fen, item.used_at, item.operator)
        for item in body.items
    ]
    done = await wiring_of(request).offline.upload(terminal, operations.Upload(body.batch_no, items))
    return replayable(done, first_status=200)


@signed_post(
    router,
    "/terminals/day-close",
    struct=DayCloseBody,
    body=DayClose,
    reply=DayClosed,
    status_code=200,
    operation_id="redemption_close_day",
)
async def close_day(request: Request, terminal: SignedTerminal, body: DayCloseBody) -> Response:
    """Compares the till's totals of a day with the platform's; where they differ, line by line."""
    day = await wiring_of(request).offline.close_day(
        terminal, body.date, count=body.count, applied_fen=body.applied_fen
    )
    reply = DayClosedReply(
        matched=day.matched,
        server=TotalsReply(day.count, day.applied_fen),
        items=None if day.lines is None else [_item(line) for line in day.lines],
        operators=None
        if day.operators is None
        else [OperatorTotalsReply(one.operator, one.count, one.fen) for one in day.operators],
    )
    return answer(reply, first_status=200)


def _item(line: Line) -> ClosedItemReply:
    return ClosedItemReply(
        id=str(HotId(line.bucket, line.id)),
        request_no=line.request_no,
        voucher_type=line.voucher_type,
        applied_fen=line.applied_fen,
        redeemed_at=rfc3339(line.redeemed_at),
        operator=line.operator,
    )

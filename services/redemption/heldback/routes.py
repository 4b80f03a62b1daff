import contextlib
from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic_core import PydanticCustomError

from services.redemption.heldback.schemas import HeldBackItem
from services.redemption.heldback.store import Filters, Held, Position
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.errors import Fault, InvalidRequest
from shared.http.auth import CurrentStaff
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    decode_cursor,
    encode_cursor,
    parse_moment,
)
from shared.ids import HotId, parse_uuid

# Before the settlements' own routes: `held-back` is no id.
router = APIRouter(prefix="/redemption/v1/settlements", tags=["settlement"])

Word = Annotated[str | None, Query(max_length=SHORT_MAX)]


@router.get("/held-back", operation_id="redemption_list_held_back")
async def list_held_back(
    request: Request,
    staff: CurrentStaff,
    *,
    campaign: Word = None,
    institution_id: Word = None,
    run_id: Word = None,
    waiting: bool = False,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[HeldBackItem]:
    """Write-offs that settlement runs left out, and why; `waiting=true` only those in no settlement yet.

    An institution sees its own.
    """
    run = None if run_id is None else parse_uuid(run_id)
    filters = Filters(campaign, institution_id, run, waiting)
    after = _position(cursor)
    found, total = await wiring_of(request).held_back.page(staff, filters, limit=limit, after=after)
    last = found[limit - 1] if len(found) > limit else None
    return CountedPage(
        total=total,
        items=[_item(held) for held in found[:limit]],
        next_cursor=encode_cursor([last.run_at.isoformat(), last.run_id, last.redemption_id])
        if last
        else None,
    )


def _position(cursor: str | None) -> Position | None:
    match decode_cursor(cursor):
        case None:
            return None
        case [str() as moment, str() as run_id, str() as redemption_id]:
            with contextlib.suppress(ValueError, PydanticCustomError):
                return parse_moment(moment), UUID(run_id), UUID(redemption_id)
        case _:
            pass
    raise InvalidRequest(faults=(Fault("query.cursor", "is not a cursor of this list", "cursor"),))


def _item(held: Held) -> HeldBackItem:
    due_from = held.received_at + timedelta(days=held.hold_days)
    return HeldBackItem.model_validate(
        {
            "run_id": str(held.run_id),
            "run_at": rfc3339(held.run_at),
            "redemption_id": str(HotId(held.bucket, held.redemption_id)),
            "institution_id": held.institution_id,
            "institution": held.institution,
            "request_no": held.request_no,
            "voucher_type": held.voucher_type,
            "applied_fen": held.applied_fen,
            "redeemed_at": rfc3339(held.redeemed_at),
            "received_at": rfc3339(held.received_at),
            "cause": held.cause,
            "reasons": list(held.reasons),
            "due_from": rfc3339(due_from) if held.cause == "hold_period" else None,
            "settlement_id": None if held.settlement_id is None else str(held.settlement_id),
        }
    )

"""Writing off by id number."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.redemption.manual.operations import Asked
from services.redemption.manual.schemas import ManualItem, RedeemManually, RedeemManuallyBody
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.terminals.routes import signed_post, wiring_of
from services.redemption.writeoff.routes import replied
from services.redemption.writeoff.schemas import Redemption
from shared.clock import rfc3339
from shared.http.auth import Reader
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    encode_cursor,
    position_of_moment,
)
from shared.http.replies import Limit as PageLimit
from shared.ids import HotId
from shared.ratelimit import MANUAL_PER_TERMINAL

router = APIRouter(prefix="/redemption/v1/redemptions", tags=["write-off"])


@signed_post(
    router,
    "/manual",
    struct=RedeemManuallyBody,
    body=RedeemManually,
    reply=Redemption,
    operation_id="redemption_redeem_manually",
)
async def redeem(request: Request, terminal: SignedTerminal, body: RedeemManuallyBody) -> Response:
    """Writes off by id number, for people without a phone, where the campaign allows it; marked manual."""
    wiring = wiring_of(request)
    await wiring.limiter.hit(MANUAL_PER_TERMINAL, terminal.id)
    asked = Asked(
        body.request_no, body.id_number, body.voucher_type, body.reason, body.bill_fen, body.operator
    )
    return replied(await wiring.manual.redeem(terminal, asked))


@router.get("/manual", operation_id="redemption_list_manual")
async def listed(
    request: Request,
    _staff: Reader,
    campaign: Annotated[str, Query(max_length=64)],
    limit: PageLimit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[ManualItem]:
    """A campaign's manual write-offs with their reasons, the newest first."""
    after = position_of_moment(cursor)
    found, total = await wiring_of(request).manual.page(campaign, limit=limit, after=after)
    page, more = found[:limit], len(found) > limit
    last = page[-1].item if more else None
    return CountedPage(
        total=total,
        items=[
            ManualItem.model_validate(
                {
                    "redemption_id": str(HotId(one.item.bucket, one.item.redemption_id)),
                    "institution_id": one.item.institution_id,
                    "institution": one.item.institution,
                    "terminal_id": one.item.terminal_id,
                    "terminal": one.item.terminal,
                    "voucher_type": one.item.voucher_type,
                    "applied_fen": one.item.applied_fen,
                    "status": one.item.state,
                    "reason": one.reason,
                    "at": rfc3339(one.item.at),
                }
            )
            for one in page
        ],
        next_cursor=None if last is None else encode_cursor([last.at.isoformat(), last.redemption_id]),
    )

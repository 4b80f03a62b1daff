from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.redemption.disputes.store import Dispute as DisputeOf
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.payees.operations import shown as shown_account
from services.redemption.settlement.operations import Shown, by_payer
from services.redemption.settlement.rules import Item, Line, Status, counts_by_type
from services.redemption.settlement.schemas import (
    Confirm,
    Dispute,
    LineItem,
    Settle,
    SettledItem,
    SettlementDetail,
    SettlementItem,
    SettlementPage,
    SettlementState,
)
from services.redemption.settlement.store import Filters
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import CurrentStaff, Writer
from shared.http.jobs import JobRequested
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Day,
    Limit,
    Page,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import HotId, parse_uuid

router = APIRouter(prefix="/redemption/v1/settlements", tags=["settlement"])

Word = Annotated[str | None, Query(max_length=SHORT_MAX)]


@router.post("", status_code=202, response_model=JobRequested, operation_id="redemption_request_settlements")
async def request_settlements(request: Request, staff: Writer, body: Settle) -> JSONResponse:
    """Settles a period for every institution of a campaign, by a job.

    Write-offs of earlier settled periods that came late are included; what is in a settlement already
    never is again, so that the same period may be asked for twice.
    """
    key = staff_key(staff, "settlement.request", body)
    asked = await wiring_of(request).settlements.request(staff, body.campaign, body.first, body.last, key)
    return replayable(asked, first_status=202)


@router.get("", operation_id="redemption_list_settlements")
async def list_settlements(
    request: Request,
    staff: CurrentStaff,
    *,
    campaign: Word = None,
    institution_id: Word = None,
    status: Status | None = None,
    first: Annotated[Day | None, Query(alias="from")] = None,
    last: Annotated[Day | None, Query(alias="to")] = None,
    disputed: Annotated[bool, Query(description="only those whose dispute waits for an answer")] = False,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> SettlementPage:
    """Settlements, newest first, of periods that touch `from` to `to`; an institution sees its own."""
    filters = Filters(institution_id=institution_id, status=status, first=first, last=last, disputed=disputed)
    found = await wiring_of(request).settlements.page(
        staff, campaign, filters, limit=limit, after=position_of_moment(cursor)
    )
    last_shown = found.items[limit - 1].settlement if len(found.items) > limit else None
    totals = found.totals
    return SettlementPage(
        items=[SettlementItem.model_validate(_item(shown)) for shown in found.items[:limit]],
        next_cursor=encode_cursor([last_shown.created_at.isoformat(), last_shown.id]) if last_shown else None,
        total=totals.settlements,
        count=totals.count,
        amount_fen=totals.amount_fen,
        by_funding_source=dict(totals.by_payer),
        payers=dict(totals.payers),
    )


@router.get("/{settlement_id}", operation_id="redemption_get_settlement")
async def get_settlement(request: Request, settlement_id: str, staff: CurrentStaff) -> SettlementDetail:
    """A settlement with its lines per voucher type, its disputes, what was left out of it, and the payee."""
    detail = await wiring_of(request).settlements.one(staff, parse_uuid(settlement_id))
    shown = detail.shown
    earlier = [
        {
            "revision": revision,
            "amount_fen": sum(line.amount_fen for line in lines),
            "lines": _lines(shown, lines),
        }
        for revision, lines in enumerate(detail.earlier, start=1)
    ]
    return SettlementDetail.model_validate(
        {
            **_item(shown),
            "lines": _lines(shown, shown.lines),
            "disputes": [_dispute(one) for one in detail.disputes],
            "earlier": earlier,
            "held_back": [asdict(one) for one in detail.held_back],
            "payee": None if detail.payee is None else shown_account(detail.payee),
        }
    )


@router.get("/{settlement_id}/items", operation_id="redemption_list_settled")
async def list_settled(
    request: Request,
    settlement_id: str,
    staff: CurrentStaff,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[SettledItem]:
    """What is in a settlement, write-off by write-off, in the order of use."""
    found = await wiring_of(request).settlements.items(
        staff, parse_uuid(settlement_id), limit=limit, after=position_of_moment(cursor)
    )
    last = found[limit - 1] if len(found) > limit else None
    return Page(
        items=[_settled(item) for item in found[:limit]],
        next_cursor=encode_cursor([last.redeemed_at.isoformat(), last.id]) if last else None,
    )


@router.post(
    "/{settlement_id}/confirm", response_model=SettlementState, operation_id="redemption_confirm_settlement"
)
async def confirm(
    request: Request, settlement_id: str, staff: CurrentStaff, body: Confirm | None = None
) -> JSONResponse:
    """The institution confirms its settlement; it can be paid then."""
    key = staff_key(staff, "settlement.confirm", body or Confirm(), settlement_id)
    done = await wiring_of(request).settlements.confirm(staff, parse_uuid(settlement_id), key)
    return replayable(done, first_status=200)


def _lines(shown: Shown, lines: Sequence[Line]) -> list[LineItem]:
    return [
        LineItem(
            kind=line.kind,
            voucher_type=line.voucher_type,
            count=line.count,
            amount_fen=line.amount_fen,
            by_funding_source=by_payer(shown.payers, line.split_fen),
        )
        for line in lines
    ]


def _dispute(one: DisputeOf) -> dict[str, object]:
    return {
        "note": one.note,
        "at": rfc3339(one.raised_at),
        "outcome": one.outcome,
        "reason": one.reason,
        "ended_at": None if one.ended_at is None else rfc3339(one.ended_at),
        "withdrawn": [str(address) for address in one.withdrawn],
    }


def _item(shown: Shown) -> dict[str, object]:
    one = shown.settlement
    disputed = one.disputed_at is not None and one.dispute_note is not None
    return {
        "id": str(one.id),
        "campaign": shown.campaign,
        "institution_id": one.institution_id,
        "institution": one.institution,
        "first": one.first.isoformat(),
        "last": one.last.isoformat(),
        "count": one.count,
        "corrections": one.corrections,
        "amount_fen": one.amount_fen,
        "by_voucher_type": counts_by_type(shown.lines),
        "by_funding_source": by_payer(shown.payers, one.split_fen),
        "payers": {payer.key: payer.name for payer in shown.payers},
        "status": one.status,
        "dispute": Dispute(note=one.dispute_note or "", at=rfc3339(one.disputed_at))
        if disputed and one.disputed_at
        else None,
        "revision": one.revision,
        "created_at": rfc3339(one.created_at),
        "confirmed_at": None if one.confirmed_at is None else rfc3339(one.confirmed_at),
        "paid_at": None if one.paid_at is None else rfc3339(one.paid_at),
    }


def _settled(item: Item) -> SettledItem:
    return SettledItem(
        redemption_id=str(HotId(item.bucket, item.id)),
        kind=item.kind,
        request_no=item.request_no,
        voucher_type=item.voucher_type,
        redeemed_at=rfc3339(item.redeemed_at),
        amount_fen=item.amount_fen,
        reason=item.reason,
        operator=item.operator,
    )

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.records.operations import Found, Search
from services.redemption.records.schemas import Source, State, WriteOffDetail, WriteOffItem, WriteOffPage
from services.redemption.records.store import Filters, WriteOff
from services.redemption.settlement.operations import by_payer
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import CurrentStaff
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Day,
    Limit,
    encode_cursor,
    position_of_moment,
)
from shared.ids import HotId, parse_hot_id

# `redemptions` is the tills' and signed.
router = APIRouter(prefix="/redemption/v1/write-offs", tags=["write-off"])

Word = Annotated[str | None, Query(max_length=SHORT_MAX)]


@router.get("", operation_id="redemption_list_write_offs")
async def list_write_offs(
    request: Request,
    staff: CurrentStaff,
    *,
    campaign: Word = None,
    institution_id: Word = None,
    terminal_id: Word = None,
    voucher_id: Annotated[
        str | None, Query(max_length=SHORT_MAX, description="alone, or with institution_id")
    ] = None,
    request_no: Word = None,
    status: State | None = None,
    source: Source | None = None,
    first: Annotated[Day | None, Query(alias="from", description="day of use, included")] = None,
    last: Annotated[Day | None, Query(alias="to", description="day of use, included")] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> WriteOffPage:
    """Write-offs, newest first, or all of one voucher; an institution sees its own."""
    records = wiring_of(request).records
    if voucher_id is not None:
        found = await records.of_voucher(staff, parse_hot_id(voucher_id), institution_id)
        return _page(found, found.items, next_cursor=None)
    filters = Filters(
        institution_id=institution_id,
        terminal_id=terminal_id,
        request_no=request_no,
        state=status,
        source=source,
    )
    search = Search(campaign, first, last, filters)
    found = await records.page(staff, search, limit=limit, after=position_of_moment(cursor))
    more = found.items[limit - 1] if len(found.items) > limit else None
    cursor = encode_cursor([more.redeemed_at.isoformat(), more.id]) if more else None
    return _page(found, found.items[:limit], next_cursor=cursor)


@router.get("/{redemption_id}", operation_id="redemption_view_write_off")
async def view_write_off(request: Request, redemption_id: str, staff: CurrentStaff) -> WriteOffDetail:
    """A write-off with what became of it: reversal, correction, holds, and the settlement it is in."""
    found, payers, holds = await wiring_of(request).records.one(staff, parse_hot_id(redemption_id))
    reported = found["result_reported_at"]
    plain = WriteOff(**{name: found[name] for name in WriteOff.__slots__})
    return WriteOffDetail.model_validate(
        {
            **_item(plain),
            "payable_fen": found["payable_fen"],
            "by_funding_source": by_payer(payers, found["split_fen"]),
            "payers": {payer.key: payer.name for payer in payers},
            "result_reported_at": None if reported is None else rfc3339(reported),
            "reversal": _reversal(found),
            "correction": _correction(found),
            "settlement": _settlement(found),
            "holds": [
                {
                    "id": str(one["id"]),
                    "whole_institution": one["redemption_id"] is None,
                    "reason": one["reason"],
                    "placed_at": rfc3339(one["placed_at"]),
                    "released_at": None if one["released_at"] is None else rfc3339(one["released_at"]),
                }
                for one in holds
            ],
        }
    )


def _page(found: Found, items: Sequence[WriteOff], *, next_cursor: str | None) -> WriteOffPage:
    return WriteOffPage(
        items=[WriteOffItem(**_item(one)) for one in items],
        next_cursor=next_cursor,
        total=found.total,
        applied_fen=found.applied_fen,
    )


def _item(one: WriteOff) -> dict[str, Any]:
    return {
        "id": str(HotId(one.bucket, one.id)),
        "voucher_id": str(HotId(one.bucket, one.voucher_id)),
        "campaign": one.campaign,
        "institution_id": one.institution_id,
        "institution": one.institution,
        "terminal_id": one.terminal_id,
        "voucher_type": one.voucher_type,
        "kind": one.kind,
        "request_no": one.request_no,
        "bill_fen": one.bill_fen,
        "applied_fen": one.applied_fen,
        "redeemed_at": rfc3339(one.redeemed_at),
        "received_at": rfc3339(one.received_at),
        "source": one.source,
        "status": one.state,
        "settlement_id": None if one.settlement_id is None else str(one.settlement_id),
        "operator": one.operator,
        "terminal": one.terminal,
        "operator_label": one.operator_label,
    }


def _reversal(found: dict[str, Any]) -> dict[str, str] | None:
    if found["reversed_at"] is None:
        return None
    return {
        "at": rfc3339(found["reversed_at"]),
        "reason": found["reversal_reason"],
        "by": found["reversed_by"],
        "terminal_id": found["reversed_at_terminal"],
    }


def _correction(found: dict[str, Any]) -> dict[str, Any] | None:
    if found["corrected_at"] is None:
        return None
    settlement = found["correction_settlement_id"]
    return {
        "amount_fen": found["corrected_fen"],
        "reason": found["correction_reason"],
        "at": rfc3339(found["corrected_at"]),
        "settlement_id": None if settlement is None else str(settlement),
    }


def _settlement(found: dict[str, Any]) -> dict[str, str] | None:
    if found["settlement_id"] is None:
        return None
    return {
        "id": str(found["settlement_id"]),
        "first": found["period_from"].isoformat(),
        "last": found["period_to"].isoformat(),
        "status": found["settlement_status"],
    }

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.issuance.campaigns.schemas import ChangeProposed
from services.issuance.vouchers.operations import Search, Vouchers
from services.issuance.vouchers.schemas import (
    CodeLookUp,
    Revocation,
    StaffVoucher,
    StaffVoucherDetail,
    Status,
)
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Day,
    Limit,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import parse_hot_id

router = APIRouter(prefix="/issuance/v1/vouchers", tags=["vouchers"])


def _vouchers(request: Request) -> Vouchers:
    vouchers: Vouchers = request.app.state.wiring.vouchers
    return vouchers


@router.get("", operation_id="issuance_search_vouchers")
async def search_vouchers(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    campaign: Annotated[str | None, Query(max_length=64)] = None,
    holder: Annotated[str | None, Query(max_length=64, description="a person's id")] = None,
    voucher_type: Annotated[str | None, Query(max_length=64)] = None,
    status: Annotated[Status | None, Query()] = None,
    issued_from: Annotated[Day | None, Query(description="day of issue, inclusive, China's time")] = None,
    issued_to: Annotated[Day | None, Query(description="day of issue, inclusive, China's time")] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[StaffVoucher]:
    """Vouchers of a campaign or of a person, newest first; holders are masked."""
    search = Search(
        campaign=campaign,
        holder=None if holder is None else parse_hot_id(holder),
        voucher_type=voucher_type,
        status=status,
        issued_from=issued_from,
        issued_to=issued_to,
    )
    items, last, total = await _vouchers(request).page(search, limit=limit, after=position_of_moment(cursor))
    following = encode_cursor([last[0].isoformat(), last[1]]) if last else None
    return CountedPage(items=items, next_cursor=following, total=total)


@router.get("/{voucher_id}", operation_id="issuance_view_voucher")
async def view_voucher(request: Request, staff: Reader, voucher_id: str) -> StaffVoucherDetail:  # noqa: ARG001 - only readers get here
    """A voucher with what moved its money."""
    return await _vouchers(request).one(parse_hot_id(voucher_id))


@router.post("/lookup", operation_id="issuance_look_up_voucher")
async def look_up_voucher(request: Request, staff: Reader, body: CodeLookUp) -> StaffVoucherDetail:  # noqa: ARG001 - only readers get here
    """The voucher of a code that its holder reads out, or of a QR code that was just shown."""
    return await _vouchers(request).by_code(body.code)


@router.post(
    "/{voucher_id}/revoke",
    operation_id="issuance_propose_revocation",
    status_code=202,
    response_model=ChangeProposed,
)
async def propose_revocation(
    request: Request, staff: Writer, voucher_id: str, body: Revocation
) -> JSONResponse:
    """Proposes to revoke a voucher: its value and its piece go back, and its holder is told the reason."""
    key = staff_key(staff, "voucher.revoke", body, voucher_id)
    answer = await _vouchers(request).propose_revocation(staff, parse_hot_id(voucher_id), body, key)
    return replayable(answer, first_status=202)

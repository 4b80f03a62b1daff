from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from services.redemption.rankings.schemas import Ranking
from services.redemption.terminals.routes import wiring_of
from shared.http.auth import staff_with
from shared.identity.staff import READERS, Role, Staff

router = APIRouter(prefix="/redemption/v1/rankings", tags=["figures"])

_MONTH = r"^(19|20|21)[0-9]{2}-(0[1-9]|1[0-2])$"
_SLUG_MAX = 100


@router.get("", operation_id="redemption_rank_institutions")
async def ranking(
    request: Request,
    staff: Annotated[Staff, Depends(staff_with(*READERS, Role.INSTITUTION))],
    campaign: Annotated[str, Query(max_length=_SLUG_MAX)],
    month: Annotated[str | None, Query(pattern=_MONTH, examples=["2020-11"])] = None,
) -> Ranking:
    """Institutions by live write-offs of a month; ties share a rank. An institution sees its own row."""
    first = None if month is None else date.fromisoformat(f"{month}-01")
    return await wiring_of(request).rankings.of_month(staff, campaign, first)

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.quota.programmes.routes import ProgrammeReader
from services.quota.rankings.operations import Rankings
from services.quota.rankings.schemas import MONTH_FORM, ChangeProposed, Freeze, RankingView
from shared.http.auth import Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/quota/v1/programmes/{slug}/rankings", tags=["rankings"])

_EDITION_MAX = 10_000


def _rankings(request: Request) -> Rankings:
    rankings: Rankings = request.app.state.wiring.rankings
    return rankings


@router.get("", operation_id="quota_get_ranking")
async def get_ranking(
    request: Request,
    slug: str,
    staff: ProgrammeReader,
    month: Annotated[
        str | None, Query(pattern=MONTH_FORM, description="YYYY-MM; this month if left out")
    ] = None,
    edition: Annotated[int | None, Query(ge=1, le=_EDITION_MAX)] = None,
) -> RankingView:
    """The ranking of a month: live until it is frozen, then as it was published."""
    return await _rankings(request).ranking(staff, slug, month, edition)


@router.post("/freeze", operation_id="quota_propose_freeze", status_code=202, response_model=ChangeProposed)
async def propose_freeze(request: Request, slug: str, staff: Writer, body: Freeze) -> JSONResponse:
    """Proposes to freeze a month that is over; later events then count in the next open month.

    Of a month that is frozen already this makes a further edition, which needs a reason.
    """
    key = staff_key(staff, "ranking.freeze", body, slug)
    return replayable(await _rankings(request).propose_freeze(staff, slug, body, key), first_status=202)

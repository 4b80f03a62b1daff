from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.quota.editions.operations import RankingEditions
from services.quota.editions.schemas import ChangeProposed, Comparison, Editions, Freeze
from services.quota.rankings.routes import EDITION_MAX
from services.quota.rankings.schemas import MONTH_FORM
from shared.http.auth import Reader, Writer
from shared.http.replies import replayable, staff_key

router = APIRouter(prefix="/quota/v1/programmes/{slug}/rankings", tags=["rankings"])


def _editions(request: Request) -> RankingEditions:
    editions: RankingEditions = request.app.state.wiring.editions
    return editions


@router.post("/freeze", operation_id="quota_propose_freeze", status_code=202, response_model=ChangeProposed)
async def propose_freeze(request: Request, slug: str, staff: Writer, body: Freeze) -> JSONResponse:
    """Proposes to freeze a month that is over; later events then count in the next open month.

    Months are frozen in their order. Of a month that is frozen already this makes a further edition, which
    needs a reason.
    """
    key = staff_key(staff, "ranking.freeze", body, slug)
    return replayable(await _editions(request).propose_freeze(staff, slug, body, key), first_status=202)


@router.get("/editions", operation_id="quota_list_ranking_editions")
async def list_ranking_editions(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    month: Annotated[str | None, Query(pattern=MONTH_FORM, description="all months if left out")] = None,
) -> Editions:
    """What was published of which month, newest first, with the reason of each correction."""
    return await _editions(request).editions(slug, month)


@router.get("/compare", operation_id="quota_compare_ranking_editions")
async def compare_ranking_editions(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    month: Annotated[str, Query(pattern=MONTH_FORM)],
    before: Annotated[int, Query(ge=1, le=EDITION_MAX)],
    after: Annotated[int, Query(ge=1, le=EDITION_MAX)],
) -> Comparison:
    """What a correction changed: the hospitals whose lines differ between two editions of a month."""
    return await _editions(request).compare(slug, month, before, after)

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from services.quota.hospitals.routes import PartQuery
from services.quota.programmes.routes import ProgrammeReader
from services.quota.rankings.operations import Rankings
from services.quota.rankings.schemas import MONTH_FORM, RankingView

router = APIRouter(prefix="/quota/v1/programmes/{slug}/rankings", tags=["rankings"])

EDITION_MAX = 10_000


@router.get("", operation_id="quota_get_ranking")
async def get_ranking(
    request: Request,
    slug: str,
    staff: ProgrammeReader,
    query: PartQuery,
    *,
    month: Annotated[
        str | None, Query(pattern=MONTH_FORM, description="YYYY-MM; this month if left out")
    ] = None,
    edition: Annotated[int | None, Query(ge=1, le=EDITION_MAX)] = None,
    by: Annotated[Literal["level"] | None, Query(description="adds a list for each level")] = None,
) -> RankingView:
    """The ranking of a month: live until it is frozen, then as it was published."""
    rankings: Rankings = request.app.state.wiring.rankings
    return await rankings.ranking(staff, slug, month, edition, with_levels=by is not None, part=query.part())

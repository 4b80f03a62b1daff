from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import JSONResponse, Response

from services.redemption.institutions.routes import XLSX
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.payments.schemas import Proposed
from services.redemption.rankings.schemas import MONTH_FORM, Freeze, FrozenMonth, FrozenMonths, Ranking
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import Reader, Writer, staff_with
from shared.http.replies import replayable, staff_key
from shared.identity.staff import READERS, Role, Staff

router = APIRouter(prefix="/redemption/v1/rankings", tags=["figures"])

_EDITION_MAX = 10_000

Campaign = Annotated[str, Query(max_length=SHORT_MAX)]
Month = Annotated[
    str | None, Query(pattern=MONTH_FORM, examples=["2020-11"], description="this month if left out")
]
Edition = Annotated[
    int | None, Query(ge=1, le=_EDITION_MAX, description="of a frozen month; the latest one if left out")
]


@router.get("", operation_id="redemption_rank_institutions")
async def ranking(
    request: Request,
    staff: Annotated[Staff, Depends(staff_with(*READERS, Role.INSTITUTION))],
    campaign: Campaign,
    month: Month = None,
    edition: Edition = None,
) -> Ranking:
    """Institutions by live write-offs of a month, with fair measures beside the plain counts.

    Live until the month is frozen, then as it was published. An institution sees its own row.
    """
    return await wiring_of(request).rankings.of_month(staff, campaign, month, edition)


@router.get("/months", operation_id="redemption_list_frozen_months")
async def frozen_months(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    campaign: Campaign,
) -> FrozenMonths:
    """The months that were frozen, with every edition, the latest first."""
    found = await wiring_of(request).rankings.frozen(campaign)
    return FrozenMonths(
        items=[
            FrozenMonth(
                month=f"{one.month:%Y-%m}",
                edition=one.edition,
                reason=one.reason,
                as_of=rfc3339(one.as_of),
                frozen_at=rfc3339(one.frozen_at),
            )
            for one in found
        ]
    )


@router.get(
    "/ranking.xlsx",
    operation_id="redemption_ranking_workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "A line per institution"}},
)
async def ranking_workbook(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    campaign: Campaign,
    month: Month = None,
    edition: Edition = None,
) -> Response:
    """The ranking as a workbook, as `GET …/rankings` tells it."""
    content = await wiring_of(request).rankings.workbook(campaign, month, edition)
    name = quote(f"ranking-{campaign}-{month or 'now'}.xlsx")
    return Response(
        content,
        media_type=XLSX,
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


@router.get(
    "/ranking.csv",
    operation_id="redemption_ranking_table",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "A line per institution"}},
)
async def ranking_table(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    campaign: Campaign,
    month: Month = None,
    edition: Edition = None,
) -> Response:
    """The ranking as CSV in UTF-8, as `GET …/rankings` tells it."""
    content = await wiring_of(request).rankings.table(campaign, month, edition)
    name = quote(f"ranking-{campaign}-{month or 'now'}.csv")
    return Response(
        content,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"},
    )


@router.post("/freeze", status_code=202, response_model=Proposed, operation_id="redemption_propose_freeze")
async def propose_freeze(request: Request, staff: Writer, body: Freeze) -> JSONResponse:
    """Proposes to freeze a month that is over: what happens later never changes it.

    Of a month that is frozen already this makes a further edition, which needs a reason.
    """
    key = staff_key(staff, "ranking.freeze", body)
    proposed = await wiring_of(request).rankings.propose_freeze(staff, body, key)
    return replayable(proposed, first_status=202)

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response

from services.issuance.holds.errors import AwardOnHold, AwardWithdrawn
from services.issuance.holds.routes import note_sighting
from services.issuance.lottery.operations import Lottery
from services.issuance.lottery.schemas import (
    AwardView,
    Chances,
    ChanceView,
    DrawBody,
    DrawView,
    HotDraw,
)
from services.issuance.lottery.store import Award, Chance
from shared.clock import rfc3339
from shared.http.auth import CurrentCitizen, current_citizen, kit_of
from shared.http.hot import answer, citizen_of, decode, hot_post
from shared.http.replies import (
    LIMIT_DEFAULT,
    Cursor,
    Limit,
    Page,
    encode_cursor,
    position_of_moment,
)
from shared.ids import HotId
from shared.ratelimit import DRAW_PER_PERSON, RateLimiter

router = APIRouter(prefix="/issuance/v1", tags=["lottery"])

_DRAW = msgspec.json.Decoder(HotDraw)
Slug = Annotated[str | None, Query(max_length=64, description="only of this campaign")]


def _lottery(request: Request) -> Lottery:
    lottery: Lottery = request.app.state.wiring.lottery
    return lottery


@hot_post(
    router,
    "/campaigns/{slug}/draws",
    body=DrawBody,
    reply=DrawView,
    operation_id="issuance_draw",
    summary="Draw: spends the oldest chance and answers with all that is needed to check it",
    dependencies=[Depends(current_citizen)],
)
async def draw(request: Request) -> Response:
    citizen = citizen_of(request)
    body = await decode(request, _DRAW)
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(DRAW_PER_PERSON, citizen.person_id.hex)
    await note_sighting(request, citizen, request.path_params["slug"])
    drawn = await _lottery(request).draw(
        citizen, request.path_params["slug"], body.request_no, body.client_seed
    )
    return answer(drawn.reply, replayed=drawn.replayed)


@router.get("/me/chances", operation_id="issuance_list_chances")
async def list_chances(
    request: Request,
    citizen: CurrentCitizen,
    campaign: Slug = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Chances:
    """The citizen's chances to draw, newest first, and how many can be drawn."""
    before = position_of_moment(cursor)
    available, found = await _lottery(request).chances(citizen, campaign, before=before, limit=limit + 1)
    return Chances(
        available=available,
        items=[_chance(chance) for chance in found[:limit]],
        next_cursor=_behind(found[limit - 1]) if len(found) > limit else None,
    )


@router.get("/me/awards", operation_id="issuance_list_awards")
async def list_awards(
    request: Request,
    citizen: CurrentCitizen,
    campaign: Slug = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> Page[AwardView]:
    """What the citizen has won, newest first."""
    before = position_of_moment(cursor)
    found = await _lottery(request).awards(citizen, campaign, before=before, limit=limit + 1)
    now = kit_of(request).clock.now()
    return Page(
        items=[_award(award, over=award.over(now)) for award in found[:limit]],
        next_cursor=_behind(found[limit - 1]) if len(found) > limit else None,
    )


def _behind(row: Chance | Award) -> str:
    at = row.granted_at if isinstance(row, Chance) else row.won_at
    return encode_cursor([at.isoformat(), row.address.uuid])


def _chance(chance: Chance) -> ChanceView:
    return ChanceView(
        id=str(chance.address),
        campaign=chance.campaign,
        channel=chance.channel,
        granted_at=rfc3339(chance.granted_at),
        state=chance.state,
    )


def _award(award: Award, *, over: bool) -> AwardView:
    note = AwardOnHold.zh if award.held else AwardWithdrawn.zh if award.withdrawn else None
    return AwardView(
        id=str(award.address),
        campaign=award.campaign,
        phase=award.phase,
        state="expired" if over else award.state,
        won_at=rfc3339(award.won_at),
        expires_at=rfc3339(award.expires_at),
        claimed_at=rfc3339(award.claimed_at) if award.claimed_at else None,
        voucher_id=str(HotId(award.address.bucket, award.voucher_id)) if award.voucher_id else None,
        voucher_type=award.voucher_type,
        on_hold=award.held,
        note=note,
    )

from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from services.issuance.lottery.operations import DrawAudits, Lottery
from services.issuance.lottery.schemas import (
    AwardView,
    Chances,
    ChanceView,
    DrawAudit,
    DrawBody,
    DrawView,
    HotDraw,
    LogHead,
    LogLine,
    OddsVersionView,
    PhaseAudit,
)
from services.issuance.lottery.store import AuditedPhase, Award, Chance, Logged
from shared.clock import rfc3339
from shared.http.auth import CurrentCitizen, current_citizen, kit_of
from shared.http.caching import etagged
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
from shared.rates import from_ppm, rate_text

router = APIRouter(prefix="/issuance/v1", tags=["lottery"])

_DRAW = msgspec.json.Decoder(HotDraw)
# The number of draws grows while a phase is open.
_AUDIT_CACHE = "public, max-age=2"
# The log of a closed phase is final.
_LOG_CACHE = "public, max-age=86400"
_JSON_LINES = "application/x-ndjson"
_SEQ_MAX = 32_767

Slug = Annotated[str | None, Query(max_length=64, description="only of this campaign")]
Seq = Annotated[int, Path(ge=1, le=_SEQ_MAX)]


def _lottery(request: Request) -> Lottery:
    lottery: Lottery = request.app.state.wiring.lottery
    return lottery


def _audits(request: Request) -> DrawAudits:
    audits: DrawAudits = request.app.state.wiring.draw_audits
    return audits


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
        items=[
            _award(award, over=award.state == "open" and award.expires_at <= now) for award in found[:limit]
        ],
        next_cursor=_behind(found[limit - 1]) if len(found) > limit else None,
    )


@router.get("/campaigns/{slug}/draw-audit", operation_id="issuance_audit_draws", response_model=DrawAudit)
async def audit_draws(request: Request, slug: str) -> Response:
    """The odds and the draws of every phase; seed and log once it has closed. Public."""
    found = DrawAudit(phases=[_phase(slug, phase) for phase in await _audits(request).audit(slug)])
    return etagged(request, found.model_dump(by_alias=True), cache_control=_AUDIT_CACHE)


@router.get(
    "/campaigns/{slug}/phases/{seq}/draw-log",
    operation_id="issuance_get_draw_log",
    response_class=StreamingResponse,
    responses={200: {"content": {_JSON_LINES: {}}, "description": "the phase, then one line for each draw"}},
)
async def get_draw_log(request: Request, slug: str, seq: Seq) -> StreamingResponse:
    """Every draw of a closed phase, without persons, for anybody to recompute. Public."""
    audits = _audits(request)
    phase = await audits.published(slug, seq)
    headers = {
        "Cache-Control": _LOG_CACHE,
        "Content-Disposition": f'attachment; filename="{slug}-{seq}-draws.jsonl"',
    }
    return StreamingResponse(_lines(audits, slug, phase), media_type=_JSON_LINES, headers=headers)


async def _lines(audits: DrawAudits, slug: str, phase: AuditedPhase) -> AsyncIterator[bytes]:
    encoder = msgspec.json.Encoder()
    yield encoder.encode(LogHead(slug, phase.seq, phase.seed_commitment, phase.seed or "")) + b"\n"
    async for page in audits.draws(phase):
        yield encoder.encode_lines([_logged(draw) for draw in page])


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
    """`over`: its time is over, though the job has not come to it yet."""
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
    )


def _phase(slug: str, phase: AuditedPhase) -> PhaseAudit:
    versions = zip(phase.odds, phase.odds_from, strict=True)
    log_url = f"{router.prefix}/campaigns/{slug}/phases/{phase.seq}/draw-log"
    return PhaseAudit(
        seq=phase.seq,
        seed_commitment=phase.seed_commitment,
        odds_versions=[
            OddsVersionView(odds=rate_text(from_ppm(odds)), begins_at=rfc3339(begins_at))
            for odds, begins_at in versions
        ],
        draws=phase.draws,
        log_roots=[],
        seed=phase.seed,
        log_url=log_url if phase.seed else None,
    )


def _logged(draw: Logged) -> LogLine:
    return LogLine(
        chance_id=str(HotId(draw.bucket, draw.chance_id)),
        client_seed=draw.client_seed,
        odds=rate_text(from_ppm(draw.odds_ppm)),
        value=draw.value.hex(),
        won=draw.won,
    )

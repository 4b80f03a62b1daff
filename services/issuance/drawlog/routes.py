from collections.abc import AsyncIterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.responses import StreamingResponse

from services.issuance.drawlog.operations import DrawLogs
from services.issuance.drawlog.schemas import DrawAudit, LogHead, LogRoot, OddsVersionView, PhaseAudit
from services.issuance.drawlog.store import AuditedPhase, Root
from shared.clock import rfc3339
from shared.http.caching import etagged
from shared.http.client import stop_floods_of_anybody
from shared.rates import from_ppm, rate_text

router = APIRouter(
    prefix="/issuance/v1/campaigns/{slug}", tags=["lottery"], dependencies=[Depends(stop_floods_of_anybody)]
)

# The number of draws grows while a phase is open.
_AUDIT_CACHE = "public, max-age=2"
# The log of a closed phase is final.
_LOG_CACHE = "public, max-age=86400"
_JSON_LINES = "application/x-ndjson"
_SEQ_MAX = 32_767

Seq = Annotated[int, Path(ge=1, le=_SEQ_MAX)]


def _logs(request: Request) -> DrawLogs:
    logs: DrawLogs = request.app.state.wiring.draw_logs
    return logs


@router.get("/draw-audit", operation_id="issuance_audit_draws", response_model=DrawAudit)
async def audit_draws(request: Request, slug: str) -> Response:
    """What the draws of every phase can be checked against. Public.

    Commitment, odds, number of draws and hourly roots appear while it runs; seed and log after it closed.
    """
    phases = await _logs(request).audit(slug)
    found = DrawAudit(phases=[_phase(slug, phase) for phase in phases])
    return etagged(request, found.model_dump(by_alias=True), cache_control=_AUDIT_CACHE)


@router.get(
    "/phases/{seq}/draw-log",
    operation_id="issuance_get_draw_log",
    response_class=StreamingResponse,
    responses={200: {"content": {_JSON_LINES: {}}, "description": "the phase, then one line for each draw"}},
)
async def get_draw_log(request: Request, slug: str, seq: Seq) -> StreamingResponse:
    """Every draw of a closed phase, without persons, for anybody to recompute. Public."""
    logs = _logs(request)
    phase = await logs.published(slug, seq)
    headers = {
        "Cache-Control": _LOG_CACHE,
        "Content-Disposition": f'attachment; filename="{slug}-{seq}-draws.jsonl"',
    }
    return StreamingResponse(_lines(logs, slug, phase), media_type=_JSON_LINES, headers=headers)


async def _lines(logs: DrawLogs, slug: str, phase: AuditedPhase) -> AsyncIterator[bytes]:
    head = LogHead(slug, phase.seq, phase.seed_commitment, phase.seed or "")
    yield msgspec.json.encode(head) + b"\n"
    async for page in logs.lines(phase):
        yield "".join(f"{line}\n" for line in page).encode()


def _phase(slug: str, phase: AuditedPhase) -> PhaseAudit:
    versions = zip(phase.odds, phase.odds_from, strict=True)
    log_url = f"/issuance/v1/campaigns/{slug}/phases/{phase.seq}/draw-log"
    return PhaseAudit(
        seq=phase.seq,
        seed_commitment=phase.seed_commitment,
        odds_versions=[
            OddsVersionView(odds=rate_text(from_ppm(odds)), begins_at=rfc3339(begins_at))
            for odds, begins_at in versions
        ],
        draws=phase.draws,
        log_roots=[_root(root) for root in phase.roots],
        seed=phase.seed,
        log_url=log_url if phase.seed else None,
    )


def _root(root: Root) -> LogRoot:
    return LogRoot(
        at=rfc3339(root.at), root=root.root.hex(), draws=root.draws, sealed_at=rfc3339(root.sealed_at)
    )

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.redemption.casefiles.rules import Action
from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.risk.operations import Verdict
from services.redemption.risk.rules import CaseKind, CaseStatus, Decision, Filters, Shown
from services.redemption.risk.schemas import (
    CaseAction,
    CaseDetail,
    CaseItem,
    Decide,
    Decided,
    EvidenceItem,
    Release,
    Released,
    Reopen,
    Reopened,
)
from services.redemption.risk.store import Item
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    encode_cursor,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.ids import HotId, parse_uuid

router = APIRouter(prefix="/redemption/v1/risk/cases", tags=["risk"])

Word = Annotated[str | None, Query(max_length=SHORT_MAX)]


@router.get("", operation_id="redemption_list_cases")
async def list_cases(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    campaign: Word = None,
    institution_id: Word = None,
    status: CaseStatus | None = None,
    kind: CaseKind | None = None,
    decision: Decision | None = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[CaseItem]:
    """Cases, newest first: signals of cash-out and collusion, and conflicts of offline write-offs."""
    filters = Filters(institution_id=institution_id, status=status, kind=kind, decision=decision)
    found, total = await wiring_of(request).cases.page(
        campaign, filters, limit=limit, after=position_of_moment(cursor)
    )
    last = found[limit - 1] if len(found) > limit else None
    return CountedPage(
        total=total,
        items=[CaseItem(**_case(case)) for case in found[:limit]],
        next_cursor=encode_cursor([last.opened_at.isoformat(), last.id]) if last else None,
    )


@router.get("/{case_id}", operation_id="redemption_get_case")
async def get_case(
    request: Request,
    case_id: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CaseDetail:
    """A case with the write-offs that are its evidence, a page of them at a time; no person is told."""
    case, found, history = await wiring_of(request).cases.one(
        parse_uuid(case_id), limit=limit, after=position_of_moment(cursor)
    )
    last = found[limit - 1] if len(found) > limit else None
    return CaseDetail(
        **_case(case),
        items=[_item(item) for item in found[:limit]],
        actions=[_action(action) for action in history],
        next_cursor=encode_cursor([last.redeemed_at.isoformat(), last.id]) if last else None,
    )


@router.post("/{case_id}/decide", response_model=Decided, operation_id="redemption_decide_case")
async def decide(request: Request, case_id: str, staff: Writer, body: Decide) -> JSONResponse:
    """Dismisses a case, watches on, holds its write-offs back, or pauses the till or the institution."""
    key = staff_key(staff, "risk.decide", body, case_id)
    verdict = Verdict(body.decision, body.note, body.terminal_id)
    done = await wiring_of(request).cases.decide(staff, parse_uuid(case_id), verdict, key)
    return replayable(done, first_status=200)


@router.post("/{case_id}/release", response_model=Released, operation_id="redemption_release_case")
async def release(request: Request, case_id: str, staff: Writer, body: Release) -> JSONResponse:
    """Ends the holds of a case that was decided so: its write-offs are settled with the next period."""
    key = staff_key(staff, "risk.release", body, case_id)
    done = await wiring_of(request).cases.release(staff, parse_uuid(case_id), body.reason, key)
    return replayable(done, first_status=200)


@router.post("/{case_id}/reopen", response_model=Reopened, operation_id="redemption_reopen_case")
async def reopen(request: Request, case_id: str, staff: Writer, body: Reopen) -> JSONResponse:
    """Takes a decision back, with what it did: holds end, what it paused works again."""
    key = staff_key(staff, "risk.reopen", body, case_id)
    done = await wiring_of(request).cases.reopen(staff, parse_uuid(case_id), body.reason, key)
    return replayable(done, first_status=200)


def _action(action: Action) -> CaseAction:
    return CaseAction(
        action=action.action,
        decision=action.decision,
        note=action.note,
        effect=action.effect,
        by=f"staff:{action.staff_id}",
        at=rfc3339(action.at),
    )


def _case(case: Shown) -> dict[str, Any]:
    return {
        "id": str(case.id),
        "kind": case.kind,
        "status": case.status,
        "campaign": case.campaign,
        "institution_id": case.institution_id,
        "institution": case.institution,
        "terminal_id": case.terminal_id,
        "terminal": case.terminal,
        "score": case.score,
        "suggested": case.suggested,
        "first": None if case.first is None else case.first.isoformat(),
        "last": None if case.last is None else case.last.isoformat(),
        "evidence": case.evidence,
        "redemptions": case.count,
        "opened_at": rfc3339(case.opened_at),
        "decided_at": None if case.decided_at is None else rfc3339(case.decided_at),
        "decided_by": None if case.decided_by is None else f"staff:{case.decided_by}",
        "decision": case.decision,
        "note": case.note,
    }


def _item(item: Item) -> EvidenceItem:
    return EvidenceItem(
        redemption_id=str(HotId(item.bucket, item.id)),
        terminal_id=item.terminal_id,
        terminal=item.terminal,
        voucher_type=item.voucher_type,
        redeemed_at=rfc3339(item.redeemed_at),
        bill_fen=item.bill_fen,
        applied_fen=item.applied_fen,
        source=item.source,
        status=item.state,
        settled=item.settled,
        held=item.held,
    )

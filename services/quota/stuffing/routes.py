from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse

from services.quota.signals.rules import Reason, Signal, sentence
from services.quota.stuffing.operations import CONFIRM, WITHDRAW, ChangeKind, StuffingCases
from services.quota.stuffing.rules import CaseStatus
from services.quota.stuffing.schemas import (
    CaseDetail,
    CaseItem,
    CaseReason,
    Decide,
    Decided,
    EvidenceItem,
    Proposal,
    Proposed,
)
from services.quota.stuffing.store import Case, Filters, Item
from shared.clock import rfc3339
from shared.errors import Fault, InvalidRequest
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    decode_cursor,
    encode_cursor,
    parse_moment,
    position_of_moment,
    replayable,
    staff_key,
)
from shared.identity.staff import Staff
from shared.ids import parse_uuid

router = APIRouter(prefix="/quota/v1/programmes/{slug}/stuffing-cases", tags=["stuffing"])

Word = Annotated[str | None, Query(max_length=64)]


def _cases(request: Request) -> StuffingCases:
    cases: StuffingCases = request.app.state.wiring.stuffing
    return cases


@router.get("", operation_id="quota_list_stuffing_cases")
async def list_cases(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    hospital_id: Word = None,
    status: CaseStatus | None = None,
    kind: Signal | None = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[CaseItem]:
    """Days of codes that look as if cards were made up, newest first."""
    found, total = await _cases(request).page(
        slug, Filters(hospital_id, status, kind), limit=limit, after=position_of_moment(cursor)
    )
    last = found[limit - 1] if len(found) > limit else None
    return CountedPage(
        total=total,
        items=[CaseItem(**_case(case)) for case in found[:limit]],
        next_cursor=encode_cursor([last.opened_at.isoformat(), last.id]) if last else None,
    )


@router.get("/{case_id}", operation_id="quota_get_stuffing_case")
async def get_case(
    request: Request,
    slug: str,
    case_id: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CaseDetail:
    """A case with the cards that are its evidence, a page of them at a time."""
    case, found = await _cases(request).one(slug, parse_uuid(case_id), limit=limit, after=_position(cursor))
    last = found[limit - 1] if len(found) > limit else None
    return CaseDetail(
        **_case(case),
        items=[_item(case, item) for item in found[:limit]],
        next_cursor=encode_cursor([last.at.isoformat(), last.event_id]) if last else None,
    )


@router.post("/{case_id}/decide", response_model=Decided, operation_id="quota_decide_stuffing_case")
async def decide(request: Request, slug: str, case_id: str, staff: Writer, body: Decide) -> JSONResponse:
    """Watches on, or dismisses a case; its cards go on counting in full."""
    key = staff_key(staff, "stuffing.decide", body, slug, case_id)
    done = await _cases(request).decide(
        staff, slug, parse_uuid(case_id), status=body.status, reason=body.reason, key=key
    )
    return replayable(done, first_status=200)


@router.post(
    "/{case_id}/confirm",
    status_code=202,
    response_model=Proposed,
    operation_id="quota_confirm_stuffing_case",
)
async def confirm(request: Request, slug: str, case_id: str, staff: Writer, body: Proposal) -> JSONResponse:
    """Proposes that it was stuffing: once approved, its cards that nobody used are not effective."""
    return await _proposed(request, staff, (slug, case_id), CONFIRM, body)


@router.post(
    "/{case_id}/withdraw",
    status_code=202,
    response_model=Proposed,
    operation_id="quota_withdraw_stuffing_case",
)
async def withdraw(request: Request, slug: str, case_id: str, staff: Writer, body: Proposal) -> JSONResponse:
    """Proposes to take a confirmation back: once approved, its cards are effective again."""
    return await _proposed(request, staff, (slug, case_id), WITHDRAW, body)


async def _proposed(
    request: Request, staff: Staff, of: tuple[str, str], kind: ChangeKind, body: Proposal
) -> JSONResponse:
    slug, case_id = of
    key = staff_key(staff, kind, body, slug, case_id)
    done = await _cases(request).propose(
        staff, slug, parse_uuid(case_id), kind=kind, reason=body.reason, key=key
    )
    return replayable(done, first_status=202)


def _case(case: Case) -> dict[str, Any]:
    reasons = [Reason(**reason) for reason in case.reasons]
    return {
        "id": str(case.id),
        "kind": case.kind,
        "status": case.status,
        "hospital_id": case.hospital_id,
        "hospital": case.hospital,
        "scene": case.code,
        "day": case.day.isoformat(),
        "score": case.score,
        "reasons": [_reason(one) for one in reasons],
        "why": sentence(reasons, "zh"),
        "why_en": sentence(reasons, "en"),
        "cards": case.cards,
        "not_effective": case.void,
        "opened_at": rfc3339(case.opened_at),
        "decided_at": rfc3339(case.decided_at) if case.decided_at else None,
        "reason": case.reason,
        "change_id": str(case.change_id) if case.change_id else None,
    }


def _reason(reason: Reason) -> CaseReason:
    return CaseReason(
        code=reason.code,
        value=reason.value,
        threshold=reason.threshold,
        told=sentence([reason], "zh"),
        told_en=sentence([reason], "en"),
    )


def _item(case: Case, item: Item) -> EvidenceItem:
    # The same device in two cases has two names: a case says nothing about other days.
    device = None if item.device is None else f"{(item.device ^ case.id.int) & 0xFFFFFF:06x}"
    return EvidenceItem(
        event_id=item.event_id,
        at=rfc3339(item.at),
        device=device,
        used=item.used,
        stands=item.stands,
        effective=item.stands and not item.void,
    )


def _position(cursor: str | None) -> tuple[Any, str] | None:
    """Raises InvalidRequest for a made-up cursor."""
    position = decode_cursor(cursor)
    if position is None:
        return None
    try:
        at, event_id = position
        return parse_moment(at), str(event_id)
    except ValueError:
        fault = Fault("query.cursor", "is not a cursor of this list", "cursor")
        raise InvalidRequest(faults=(fault,)) from None

"""The changes of a service over HTTP: list, approve, reject (api.md section 1)."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, StringConstraints

from shared.approvals import Approvals, Listed
from shared.clock import rfc3339
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    Body,
    CountedPage,
    Cursor,
    Limit,
    encode_cursor,
    position_of_moment,
)
from shared.ids import parse_uuid

Status = Literal["pending", "applied", "rejected"]
_TARGET_LENGTH_MAX = 200


class ChangeItem(BaseModel):
    change_id: str
    kind: str
    target: str
    proposed_by: str
    proposed_at: str
    body: dict[str, Any]
    before: dict[str, Any]
    reason: str | None
    status: Status
    proposed_by_name: str
    decided_by: str | None
    decided_by_name: str | None
    decided_at: str | None
    decision_reason: str | None


class Decision(BaseModel):
    change_id: str
    status: Literal["applied", "rejected"]


class Approve(Body):
    pass


class Reject(Body):
    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, strip_whitespace=True)]


def _item(listed: Listed) -> ChangeItem:
    change = listed.change
    return ChangeItem(
        change_id=str(change.id),
        kind=change.kind,
        target=change.target,
        proposed_by=str(change.proposed_by),
        proposed_at=rfc3339(change.proposed_at),
        body=change.body,
        before=change.before,
        reason=change.reason,
        status=change.status,
        proposed_by_name=listed.proposed_by_name,
        decided_by=None if listed.decided_by is None else str(listed.decided_by),
        decided_by_name=listed.decided_by_name,
        decided_at=None if listed.decided_at is None else rfc3339(listed.decided_at),
        decision_reason=listed.decision_reason,
    )


def approvals_router(approvals: Approvals) -> APIRouter:
    service = approvals.service
    router = APIRouter(prefix=f"/{service}/v1/changes", tags=["changes"])

    @router.get("", operation_id=f"{service}_changes")
    async def changes(
        staff: Reader,  # noqa: ARG001 - only readers get here
        status: Annotated[Status | None, Query()] = None,
        target: Annotated[str | None, Query(max_length=_TARGET_LENGTH_MAX)] = None,
        limit: Limit = LIMIT_DEFAULT,
        cursor: Cursor = None,
    ) -> CountedPage[ChangeItem]:
        """Changes, newest first; `target` is that of the items, such as `settlement:…`."""
        found = await approvals.page(status, limit=limit, after=position_of_moment(cursor), target=target)
        more = len(found) > limit
        last = found[limit - 1] if more else None
        return CountedPage(
            total=await approvals.how_many(status, target=target),
            items=[_item(listed) for listed in found[:limit]],
            next_cursor=encode_cursor([last.change.proposed_at.isoformat(), last.change.id])
            if last
            else None,
        )

    @router.post("/{change_id}/approve", operation_id=f"{service}_change_approve")
    async def approve(change_id: str, staff: Writer, body: Approve | None = None) -> Decision:  # noqa: ARG001 - an empty body is part of the contract
        """Applies the change: by somebody other than its proposer."""
        return Decision.model_validate(await approvals.approve(staff, parse_uuid(change_id)))

    @router.post("/{change_id}/reject", operation_id=f"{service}_change_reject")
    async def reject(change_id: str, staff: Writer, body: Reject) -> Decision:
        """Rejects the change, with a reason."""
        return Decision.model_validate(await approvals.reject(staff, parse_uuid(change_id), body.reason))

    return router

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from services.console.audit.operations import AuditDesk
from services.console.audit.schemas import AuditItem, audit_item
from shared.audit.store import Filter
from shared.http.auth import Reader
from shared.http.replies import (
    LIMIT_DEFAULT,
    CountedPage,
    Cursor,
    Limit,
    Moment,
    encode_cursor,
    position_of_number,
)

Word = Annotated[str | None, Query(max_length=200)]
# Several actions.
Words = Annotated[str | None, Query(max_length=1000)]
Time = Annotated[Moment | None, Query()]

router = APIRouter(prefix="/console/v1", tags=["audit"])


def _desk(request: Request) -> AuditDesk:
    desk: AuditDesk = request.app.state.wiring.audit
    return desk


def _filter(
    actor: Word = None,
    action: Words = None,
    object: Word = None,  # noqa: A002 - the word of the contract
    since: Time = None,
    until: Time = None,
) -> Filter:
    return Filter(actor=actor, action=action, object=object, since=since, until=until)


@router.get("/audit-log", operation_id="console_audit_log")
async def audit_log(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    wanted: Annotated[Filter, Depends(_filter)],
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[AuditItem]:
    """What staff did, the newest first.

    Filters are exact: `actor` such as `staff:<id>`, `action` such as `staff.create` (several with commas
    between them), `object` such as `change:<id>` (or `change:` for all of its kind); `since` is included,
    `until` is not.
    """
    page = await _desk(request).page(wanted, limit=limit, before_seq=position_of_number(cursor))
    more = len(page.entries) > limit
    return CountedPage(
        items=[audit_item(stored, page.usernames.get(stored.entry.actor)) for stored in page.entries[:limit]],
        next_cursor=encode_cursor([page.entries[limit - 1].seq]) if more else None,
        total=page.total,
    )

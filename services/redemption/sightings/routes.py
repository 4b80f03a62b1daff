from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request

from services.redemption.institutions.rules import SHORT_MAX
from services.redemption.sightings.schemas import SeenTerminalItem
from services.redemption.sightings.store import Filters, SeenTerminal
from services.redemption.terminals.routes import wiring_of
from shared.clock import rfc3339
from shared.errors import Fault, InvalidRequest
from shared.http.auth import CurrentStaff
from shared.http.replies import LIMIT_DEFAULT, CountedPage, Cursor, Limit, decode_cursor, encode_cursor

router = APIRouter(prefix="/redemption/v1/terminals", tags=["terminals"])

_CURSOR_PARTS = 2
_DAYS_MAX = 3650
_SKEW_MAX = 1_000_000_000


@router.get("", operation_id="redemption_find_terminals")
async def list_terminals(
    request: Request,
    staff: CurrentStaff,
    *,
    institution_id: Annotated[str | None, Query(max_length=SHORT_MAX)] = None,
    status: Literal["pending", "active", "paused", "revoked"] | None = None,
    silent_days: Annotated[
        int | None, Query(ge=0, le=_DAYS_MAX, description="live ones not seen for so many days")
    ] = None,
    skew_seconds: Annotated[
        int | None, Query(ge=0, le=_SKEW_MAX, description="clock off by so much, either way")
    ] = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[SeenTerminalItem]:
    """Terminals with when they were last seen, how their clocks stand and what they run.

    An institution's own staff see its own.
    """
    found, total = await wiring_of(request).sightings.page(
        staff,
        Filters(institution_id=institution_id, status=status, skew_seconds=skew_seconds),
        silent_days=silent_days,
        limit=limit,
        after=_position(cursor),
    )
    last = found[limit - 1] if len(found) > limit else None
    return CountedPage(
        total=total,
        items=[_item(one) for one in found[:limit]],
        next_cursor=None if last is None else encode_cursor([last.institution_id, last.id]),
    )


def _position(cursor: str | None) -> tuple[str, str] | None:
    position = decode_cursor(cursor)
    if position is None:
        return None
    if len(position) != _CURSOR_PARTS or not all(isinstance(part, str) for part in position):
        raise InvalidRequest(faults=(Fault("query.cursor", "is not a cursor of this list", "cursor"),))
    return position[0], position[1]


def _item(seen: SeenTerminal) -> SeenTerminalItem:
    return SeenTerminalItem.model_validate(
        {
            "terminal_id": seen.id,
            "institution_id": seen.institution_id,
            "institution": seen.institution,
            "label": seen.label,
            "status": seen.status,
            "device_id": seen.device_id,
            "activated_at": None if seen.activated_at is None else rfc3339(seen.activated_at),
            "last_seen_at": None if seen.last_seen_at is None else rfc3339(seen.last_seen_at),
            "clock_skew_seconds": seen.clock_skew_seconds,
            "version": seen.version,
        }
    )

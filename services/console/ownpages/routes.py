"""The first page of an institution's own clerk: what was written off, what waits for them, their tills."""

import asyncio
from typing import Annotated

from fastapi import Depends, Request, Response

from services.console.institutionpages.operations import campaigns_of
from services.console.institutionpages.rules import SKEW_SECONDS_SHOWN
from services.console.institutionpages.rules import STATES as KEPT_STATES
from services.console.ownpages.rules import at_work, standing
from services.console.pages.routes import Visitor, page_router, visitor_with
from services.console.settlementpages.rules import STATES
from services.console.writeoffpages.rules import STATES as USED_STATES
from shared.clients.services import at
from shared.clock import CHINA, local_day
from shared.errors import NotFound
from shared.http.auth import kit_of
from shared.identity.staff import Role

_NEWEST = 5
_WAITING = 20
_TERMINALS = 200

router = page_router("/console/own")

Own = Annotated[Visitor, Depends(visitor_with(Role.INSTITUTION))]


@router.get("")
async def home(request: Request, visitor: Own) -> Response:
    """Everything on it is asked for in the clerk's name, so that the services show their rows only."""
    institution_id, calls = visitor.staff.institution_id, visitor.calls
    if institution_id is None:
        raise NotFound
    today = local_day(kit_of(request).clock.now(), CHINA.key)
    day, month = today.isoformat(), today.replace(day=1).isoformat()
    here, used = ("redemption", "institutions", institution_id), at("redemption", "write-offs")
    settled = at("redemption", "settlements")
    campaigns, record, of_day, of_month, drafts, newest, left, terminals, operators = await asyncio.gather(
        campaigns_of(calls),
        calls.get(at(*here)),
        calls.get(used, {"from": day, "to": day, "limit": _NEWEST}),
        calls.get(used, {"from": month, "to": day, "status": "redeemed", "limit": 1}),
        calls.get(settled, {"status": "draft", "limit": _WAITING}),
        calls.get(settled, {"limit": _NEWEST}),
        calls.get(f"{settled}/held-back", {"waiting": "true", "limit": 1}),
        calls.get(at("redemption", "terminals"), {"limit": _TERMINALS}),
        calls.get(at(*here, "operators")),
    )
    return visitor.page(
        "ownpages/home.html",
        here="own-home",
        record=record,
        campaigns=campaigns,
        day=day,
        month=month,
        of_day=of_day,
        of_month=of_month,
        drafts=standing(drafts["items"]),
        drafts_total=drafts["total"],
        newest=newest["items"],
        left=left["total"],
        terminals=at_work(terminals["items"]),
        operators=[one for one in operators["items"] if one["ended_at"] is None],
        operators_required=operators["required"],
        kept_states=KEPT_STATES,
        states=STATES,
        used_states=USED_STATES,
        skew_shown=SKEW_SECONDS_SHOWN,
    )

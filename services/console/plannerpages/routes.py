"""The odds planner: odds, pass score, days and attempts on sliders, and what the next days will bring."""

from typing import Annotated, Any

from fastapi import Query, Response

from services.console.campaignpages.rules import percent_of
from services.console.pages.routes import BureauReader, page_router
from services.console.pages.schemas import EXPORTED_MAX
from services.console.plannerpages.rules import (
    CHARTS,
    COUNTS,
    DAYS_SHOWN_MAX,
    call_of,
    date_of,
    drawing,
    plan_of,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

router = page_router("/console/planner")

Typed = Annotated[str, Query(max_length=12)]
Slug = Annotated[str, Query(max_length=64)]


@router.get("")
async def planner(
    visitor: BureauReader,
    *,
    campaign: Slug = "",
    phase: int | None = None,
    days: Typed = "",
    odds: Typed = "",
    pass_score: Typed = "",
    daily_attempts: Typed = "",
) -> Response:
    """The plan stands in the address: it can be kept, and sent to a colleague."""
    campaigns = await visitor.calls.every(at("issuance", "campaigns"), {}, most=EXPORTED_MAX)
    shown: dict[str, Any] = {"campaigns": campaigns, "forecast": None, "refused": None}
    if not campaigns:
        return visitor.page("plannerpages/planner.html", here="planner", campaign=None, **shown)
    chosen = next((one for one in campaigns if one["slug"] == (campaign or campaigns[0]["slug"])), None)
    if chosen is None:
        raise NotFound
    phases = {one["seq"]: one for one in chosen["phases"]}
    running = [one for one in chosen["phases"] if one["state"] != "closed"] or chosen["phases"]
    seq = phase or running[0]["seq"]
    if seq not in phases:
        raise NotFound
    plan = plan_of(
        phases[seq],
        {"days": days, "odds": odds, "pass_score": pass_score, "daily_attempts": daily_attempts},
    )
    try:
        path = at("issuance", "campaigns", chosen["slug"], "forecast")
        shown["forecast"] = await visitor.calls.post(path, call_of(seq, plan))
    except Refused as refused:
        shown["refused"] = refused
    forecast = shown["forecast"]
    return visitor.page(
        "plannerpages/planner.html",
        here="planner",
        status=shown["refused"].status if shown["refused"] else 200,
        campaign=chosen,
        campaign_choices=[(one["slug"], one["title"], one["title"]) for one in campaigns],
        phase_choices=[(n, f"第 {n} 期", f"Phase {n}") for n in phases],
        phase=phases[seq],
        plan=plan,
        names={one["key"]: one["name"] for one in chosen["voucher_types"]},
        charts=[(key, zh, en, drawing(forecast["daily"], key)) for key, zh, en in CHARTS] if forecast else [],
        counts=COUNTS,
        days_max=DAYS_SHOWN_MAX,
        date_of=date_of,
        percent_of=percent_of,
        writes=visitor.staff.has(*WRITERS),
        **shown,
    )

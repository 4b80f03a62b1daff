"""Stock: what was put in, where it went, what is let go next, and how long it lasts."""

from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Response

from services.console.pages.routes import BureauReader, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from services.console.stockpages.rules import (
    COUNTS,
    HEADER,
    PHASE_STATES,
    WIDTHS,
    chosen,
    row,
    runs_short,
    sums,
)
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

router = page_router("/console/stock")

Word = Annotated[str, Query(max_length=64)]


@dataclass(frozen=True, slots=True)
class _Found:
    campaigns: list[dict[str, Any]]
    campaign: dict[str, Any]
    stock: dict[str, Any]


async def _look(visitor: Visitor, slug: str) -> _Found | None:
    """None while there is no campaign. Raises NotFound for one that is none."""
    campaigns = await visitor.calls.every(at("issuance", "campaigns"), {}, most=EXPORTED_MAX)
    if not campaigns:
        return None
    campaign = next((one for one in campaigns if one["slug"] == (slug or campaigns[0]["slug"])), None)
    if campaign is None:
        raise NotFound
    stock = await visitor.calls.get(at("issuance", "campaigns", campaign["slug"], "stock"))
    return _Found(campaigns, campaign, stock)


@router.get("")
async def stock(
    visitor: BureauReader, *, campaign: Word = "", phase: Word = "", voucher_type: Word = ""
) -> Response:
    found = await _look(visitor, campaign)
    if found is None:
        return visitor.page("stockpages/stock.html", here="stock", found=None, writes=False)
    items = chosen(found.stock["items"], phase, voucher_type)
    kinds = [(one["key"], one["name"], one["name"]) for one in found.campaign["voucher_types"]]
    seqs = [one["seq"] for one in found.campaign["phases"]]
    return visitor.page(
        "stockpages/stock.html",
        here="stock",
        found=found,
        campaigns=[(one["slug"], one["title"], one["title"]) for one in found.campaigns],
        phases=[("", "全部", "All"), *((str(n), f"第 {n} 期", f"Phase {n}") for n in seqs)],
        types=[("", "全部", "All"), *kinds],
        phase=phase,
        voucher_type=voucher_type,
        query=urlencode({"campaign": found.campaign["slug"], "phase": phase, "voucher_type": voucher_type}),
        items=[(item, runs_short(item)) for item in items],
        short=[item for item in items if runs_short(item)],
        totals=sums(items),
        counts=COUNTS,
        phase_states=PHASE_STATES,
        writes=visitor.staff.has(*WRITERS),
    )


@router.get("/export.xlsx")
async def export(
    visitor: BureauReader, *, campaign: Word = "", phase: Word = "", voucher_type: Word = ""
) -> Response:
    found = await _look(visitor, campaign)
    if found is None:
        raise NotFound
    items = chosen(found.stock["items"], phase, voucher_type)
    return await listed_file(f"库存-{found.campaign['title']}", HEADER, [*map(row, items)], WIDTHS)

"""What settlements left to a later period, and why."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Response

from services.console.heldbackpages.rules import EXPORT_HEADER, EXPORT_WIDTHS, export_row
from services.console.institutionpages.operations import NOTHING_FOUND, campaigns_of, picked
from services.console.institutionpages.routes import Cursor, InstitutionReader, Word
from services.console.pages.routes import page_router
from services.console.pages.schemas import EXPORTED_MAX, listed_file
from services.console.settlementpages.rules import CAUSES
from shared.clients.services import at
from shared.identity.staff import READERS

_LIMIT = 50

# Before the settlements' own routes: `held-back` is no id.
router = page_router("/console/settlements/held-back")


async def _filters(
    *, campaign: Word = "", institution_id: Word = "", waiting: bool = False
) -> dict[str, str]:
    return {
        "campaign": campaign,
        "institution_id": institution_id.strip(),
        "waiting": "true" if waiting else "false",
    }


Filters = Annotated[dict[str, str], Depends(_filters)]


@router.get("")
async def held_back(
    visitor: InstitutionReader, chosen: Filters, institution: Word = "", cursor: Cursor = None
) -> Response:
    reads = visitor.staff.has(*READERS)
    pick = await picked(visitor.calls, institution.strip(), chosen["institution_id"], chooses=reads)
    chosen["institution_id"] = pick.institution_id
    asked = {name: value for name, value in chosen.items() if value}
    found: dict[str, Any] = dict(NOTHING_FOUND)
    campaigns = campaigns_of(visitor.calls)
    if pick.unclear:
        known = await campaigns
    else:
        query = {**asked, "limit": _LIMIT, "cursor": cursor}
        path = at("redemption", "settlements", "held-back")
        known, found = await asyncio.gather(campaigns, visitor.calls.get(path, query))
    return visitor.page(
        "heldbackpages/held_back.html",
        here="settlements" if reads else "own-settlements",
        found=found,
        pick=pick,
        chosen=chosen,
        query=urlencode(asked),
        first=cursor is None,
        campaigns=known,
        causes=CAUSES,
        reads=reads,
    )


@router.get("/export.xlsx")
async def export(visitor: InstitutionReader, chosen: Filters) -> Response:
    asked = {name: value for name, value in chosen.items() if value}
    names = (await campaigns_of(visitor.calls)).type_names
    path = at("redemption", "settlements", "held-back")
    items = await visitor.calls.every(path, asked, most=EXPORTED_MAX)
    rows = [export_row(one, names) for one in items]
    return await listed_file("暂不结算的核销", EXPORT_HEADER, rows, EXPORT_WIDTHS)

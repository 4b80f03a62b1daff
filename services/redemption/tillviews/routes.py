from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from services.redemption.offline.rules import ITEMS_MAX
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.terminals.routes import SIGNED, signed_terminal, wiring_of
from services.redemption.tillviews.schemas import OwnTerminal
from shared.clock import rfc3339
from shared.vouchers.offline import LATE_ARRIVAL

router = APIRouter(prefix="/redemption/v1", tags=["terminals"])


@router.get("/terminals/self", dependencies=[SIGNED], operation_id="redemption_own_terminal")
async def own(request: Request, terminal: Annotated[SignedTerminal, Depends(signed_terminal)]) -> OwnTerminal:
    """What the terminal that signs this is, what it accepts, and what it may take in without a line."""
    view = await wiring_of(request).till_views.of(terminal)
    return OwnTerminal.model_validate(
        {
            "terminal_id": terminal.id,
            "label": view.own.label,
            "status": view.own.status,
            "institution": {
                "id": terminal.institution_id,
                "name": view.own.institution,
                "status": view.own.institution_status,
            },
            "voucher_types": [
                {
                    "campaign": one.campaign,
                    "key": one.key,
                    "name": one.name,
                    "kind": one.kind,
                    "by_id_number": one.by_id_number,
                    "reports_result": one.reports_result,
                }
                for one in view.types
            ],
            "offline": {
                "items_max": ITEMS_MAX,
                "late_hours": LATE_ARRIVAL // timedelta(hours=1),
                "days": [
                    {
                        "campaign": one.slug,
                        "count_per_day": one.count_per_day,
                        "fen_per_day": one.fen_per_day,
                    }
                    for one in view.campaigns
                ],
            },
            "server_time": rfc3339(view.at),
        }
    )

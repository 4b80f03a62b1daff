"""Institutions ranked by their write-offs: live, and the months that were frozen."""

import asyncio
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Form, Response
from fastapi.responses import RedirectResponse

from services.console.institutionpages.operations import campaigns_of
from services.console.institutionpages.routes import BureauWriter, Word
from services.console.pages.routes import OUR_FORM, BureauReader, RequestNo, Visitor, page_router
from services.console.riskpages.rules import DONE
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_WORD_LENGTH_MAX = 100
_NOTE_LENGTH_MAX = 500
_RANKING = "/console/institution-rankings"

router = page_router()

Note = Annotated[str, Form(max_length=_NOTE_LENGTH_MAX)]
Typed = Annotated[str, Form(max_length=_WORD_LENGTH_MAX)]


async def _ranking_page(
    visitor: Visitor,
    campaign: str,
    month: str,
    edition: str = "",
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    values: dict[str, Any] = {"refused": None, "done": None, "reason": "", "month_typed": "", **shown}
    campaigns = await campaigns_of(visitor.calls)
    chosen = campaigns.chosen(campaign)
    ranking, months = None, []
    if chosen:
        query = {"campaign": chosen, "month": month or None, "edition": edition or None}
        ranking, frozen = await asyncio.gather(
            visitor.calls.get(at("redemption", "rankings"), query),
            visitor.calls.get(at("redemption", "rankings", "months"), {"campaign": chosen}),
        )
        months = frozen["items"]
    return visitor.page(
        "institutionrankpages/ranking.html",
        here="institution-rankings",
        status=values["refused"].status if values["refused"] else 200,
        campaigns=campaigns,
        campaign=chosen,
        ranking=ranking,
        months=months,
        query=urlencode({"campaign": chosen, **({"month": month} if month else {})}),
        done_words=DONE,
        writes=visitor.staff.has(*WRITERS),
        **values,
    )


@router.get(_RANKING)
async def ranking(
    visitor: BureauReader,
    *,
    campaign: Word = "",
    month: Word = "",
    edition: Word = "",
    done: str | None = None,
) -> Response:
    return await _ranking_page(visitor, campaign, month, edition, done=done)


@router.get(f"{_RANKING}/ranking.{{kind}}")
async def ranking_file(
    visitor: BureauReader, kind: str, *, campaign: Word = "", month: Word = "", edition: Word = ""
) -> Response:
    if kind not in {"xlsx", "csv"}:
        raise NotFound
    query = {"campaign": campaign, "month": month or None, "edition": edition or None}
    return await visitor.file(at("redemption", "rankings", f"ranking.{kind}"), f"机构排名.{kind}", query)


@router.post(f"{_RANKING}/freeze", dependencies=[OUR_FORM])
async def freeze(
    visitor: BureauWriter,
    *,
    campaign: Typed = "",
    month: Typed = "",
    reason: Note = "",
    request_no: RequestNo = "",
) -> Response:
    """Proposes to publish a month as it is; somebody else approves."""
    body = {
        "campaign": campaign,
        "month": month,
        "reason": reason or None,
        "request_no": request_no or None,
    }
    try:
        await visitor.calls.post(at("redemption", "rankings", "freeze"), body)
    except Refused as refused:
        return await _ranking_page(visitor, campaign, "", refused=refused, reason=reason, month_typed=month)
    query = urlencode({"campaign": campaign, "month": month, "done": "proposed"})
    return RedirectResponse(f"{_RANKING}?{query}", status_code=303)

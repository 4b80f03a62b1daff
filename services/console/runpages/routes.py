"""Settling a period: the form that asks for it, and how far the job is."""

from typing import Annotated

from fastapi import Form, Request, Response
from fastapi.responses import RedirectResponse

from services.console.pages.routes import OUR_FORM, BureauReader, RequestNo, page_router
from services.console.settlementpages.routes import BASE, BureauWriter, Typed, filters, list_page
from services.console.settlementpages.rules import ENDED, JOB_STATES
from shared.clients.integrity import Refused
from shared.clients.services import at

_DAY_LENGTH = 10
# Tells htmx that there is nothing more to ask.
_STOP_POLLING = 286

router = page_router(BASE)


@router.post("", dependencies=[OUR_FORM])
async def run(
    visitor: BureauWriter,
    *,
    campaign: Typed = "",
    first: Annotated[str, Form(alias="from", max_length=_DAY_LENGTH)] = "",
    last: Annotated[str, Form(alias="to", max_length=_DAY_LENGTH)] = "",
    request_no: RequestNo = "",
) -> Response:
    """Has a period settled by a job, and shows how far it is."""
    body = {"campaign": campaign, "from": first, "to": last, "request_no": request_no or None}
    try:
        asked = await visitor.calls.post(at("redemption", "settlements"), body)
    except Refused as refused:
        chosen = await filters(campaign=campaign)
        return await list_page(visitor, chosen, refused=refused, period=(first, last))
    return RedirectResponse(f"{BASE}/runs/{asked['job_id']}", status_code=303)


@router.get("/runs/{job_id}")
async def progress(request: Request, visitor: BureauReader, job_id: str) -> Response:
    """How far a run is; a browser with scripts asks every second until it has ended."""
    job = await visitor.calls.get(at("redemption", "jobs", job_id))
    ended = job["state"] in ENDED
    asks_itself = request.headers.get("hx-request") == "true"
    return visitor.page(
        "runpages/run.html",
        here="settlements",
        status=_STOP_POLLING if ended and asks_itself else 200,
        job=job,
        ended=ended,
        job_states=JOB_STATES,
    )

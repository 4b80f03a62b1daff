"""The job centre: awaited jobs, what waits in the queues, and dead letters with another try."""

from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.jobpages.operations import QueueWatch
from services.console.jobpages.rules import LETTERS, SERVICES, STATES, letters_of
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from shared.clients.integrity import Refused
from shared.clients.services import at
from shared.errors import Busy, NotFound
from shared.identity.staff import WRITERS

_PATH = "/console/jobs"
_JOBS_SHOWN = 50

router = page_router(_PATH)

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Word = Annotated[str, Query(max_length=32)]
Text = Annotated[str, Form(max_length=200)]


async def _items(
    visitor: Visitor, service: str, path: Sequence[str], query: dict[str, str | int | bool | None]
) -> list[dict[str, Any]] | None:
    """None where the service does not answer: the others are shown all the same."""
    try:
        items: list[dict[str, Any]] = (await visitor.calls.get(at(service, *path), query))["items"]
    except (Busy, Refused):
        return None
    return items


async def _centre(
    visitor: Visitor,
    *,
    service: str = "",
    state: str = "",
    refused: Refused | None = None,
    done: bool = False,
) -> Response:
    watch: QueueWatch = visitor.request.app.state.wiring.queue_watch
    wanted = [service] if service in SERVICES else list(SERVICES)
    query = {"state": state if state in STATES else None, "limit": _JOBS_SHOWN}
    jobs = [(one, await _items(visitor, one, ("jobs",), query)) for one in wanted]
    letters = [(one, await _items(visitor, one.service, one.path, {})) for one in LETTERS]
    rows = [(owner, job) for owner, found in jobs for job in found or ()]
    rows.sort(key=lambda row: row[1]["created_at"], reverse=True)
    return visitor.page(
        "jobpages/jobs.html",
        here="jobs",
        status=refused.status if refused else 200,
        jobs=rows[:_JOBS_SHOWN],
        silent=[owner for owner, found in jobs if found is None],
        letters=letters,
        queues=await watch.look(),
        services=SERVICES,
        states=STATES,
        service=service,
        state=state,
        refused=refused,
        done=done,
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("")
async def centre(
    visitor: BureauReader, service: Word = "", state: Word = "", *, done: bool = False
) -> Response:
    return await _centre(visitor, service=service, state=state, done=done)


@router.get("/{service}/{job_id}")
async def job(visitor: BureauReader, service: str, job_id: str) -> Response:
    """One job; while it runs, its part of the page asks for itself again."""
    if service not in SERVICES:
        raise NotFound
    found = await visitor.calls.get(at(service, "jobs", job_id))
    return visitor.page(
        "jobpages/job.html", here="jobs", job=found, service=service, services=SERVICES, states=STATES
    )


@router.post("/retry", dependencies=[OUR_FORM])
async def retry(visitor: Writer, kind: Text = "", letter: Text = "", request_no: RequestNo = "") -> Response:
    letters = letters_of(kind)
    if letters is None:
        raise NotFound
    path = at(letters.service, *letters.path, letter, "retry")
    try:
        await visitor.calls.post(path, {"request_no": request_no})
    except Refused as refused:
        return await _centre(visitor, refused=refused)
    return RedirectResponse(f"{_PATH}?{urlencode({'done': 'true'})}", status_code=303)

"""The job centre: awaited jobs, what waits in the queues, and dead letters with another try or given up."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, Form, Query, Response
from fastapi.responses import RedirectResponse

from services.console.jobpages.operations import QueueWatch
from services.console.jobpages.rules import (
    KINDS,
    PERIODICS,
    SERVICES,
    STATES,
    failure_words,
    kind_words,
    result_lines,
)
from services.console.pages.routes import (
    OUR_FORM,
    BureauReader,
    RequestNo,
    Visitor,
    page_router,
    visitor_with,
)
from services.console.pages.schemas import EXPORTED_MAX, language_for, listed_file
from shared.clients.integrity import Refused
from shared.clients.services import answered, at
from shared.errors import NotFound
from shared.identity.staff import WRITERS, Role

_PATH = "/console/jobs"
_JOBS_SHOWN = 50
_LETTERS_SHOWN = 50
_HEADER = ("任务", "服务", "提交", "结束", "状态", "进度（%）", "失败原因", "编号")
_WIDTHS = (24, 12, 20, 20, 10, 12, 50, 38)

_LETTERS_HEADER = ("事项", "产生", "已试次数", "失败原因", "原文", "编号")
_LETTERS_WIDTHS = (24, 20, 10, 50, 60, 38)

router = page_router(_PATH)

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Administrator = Annotated[Visitor, Depends(visitor_with(Role.ADMIN))]
Word = Annotated[str, Query(max_length=64)]
Text = Annotated[str, Form(max_length=500)]


async def _by_service(service: str, ask: Callable[[str], Awaitable[Any]]) -> dict[str, Any]:
    """What the services say of their jobs; None of one that does not answer: the others are shown."""
    wanted = [service] if service in SERVICES else list(SERVICES)
    found = await asyncio.gather(*(answered(ask(at(one, "jobs"))) for one in wanted))
    return dict(zip(wanted, found, strict=True))


def _newest(found: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    rows = [(owner, job) for owner, jobs in found.items() for job in jobs]
    return sorted(rows, key=lambda row: row[1]["created_at"], reverse=True)


def _of_state(state: str) -> str | None:
    return state if state in STATES else None


async def _centre(
    visitor: Visitor,
    *,
    service: str = "",
    state: str = "",
    kind: str = "",
    refused: Refused | None = None,
    done: str = "",
) -> Response:
    watch: QueueWatch = visitor.request.app.state.wiring.queue_watch
    asked = {"kind": kind if kind in KINDS else None, "limit": _LETTERS_SHOWN}
    letters, jobs, queues = await asyncio.gather(
        visitor.calls.get(at("console", "dead-letters"), asked),
        _by_service(
            service,
            lambda path: visitor.calls.get(path, {"state": _of_state(state), "limit": _JOBS_SHOWN}),
        ),
        watch.look(),
    )
    return visitor.page(
        "jobpages/jobs.html",
        here="jobs",
        status=refused.status if refused else 200,
        jobs=_newest({owner: page["items"] for owner, page in jobs.items() if page})[:_JOBS_SHOWN],
        total=sum(page["total"] for page in jobs.values() if page),
        silent=[owner for owner, page in jobs.items() if page is None],
        letters=letters,
        queues=queues,
        services=SERVICES,
        states=STATES,
        kinds=KINDS,
        periodics=PERIODICS,
        kind_words=kind_words,
        failure_words=failure_words,
        service=service,
        state=state,
        kind=kind,
        refused=refused,
        done=done,
        export=f"{_PATH}/export.xlsx?{urlencode({'service': service, 'state': state})}",
        may_write=visitor.staff.has(*WRITERS),
        may_give_up=visitor.staff.has(Role.ADMIN),
    )


@router.get("")
async def centre(
    visitor: BureauReader, service: Word = "", state: Word = "", kind: Word = "", done: Word = ""
) -> Response:
    return await _centre(visitor, service=service, state=state, kind=kind, done=done)


@router.get("/export.xlsx")
async def export(visitor: BureauReader, service: Word = "", state: Word = "") -> Response:
    place = 1 if language_for(visitor.request) == "en" else 0
    query = {"state": _of_state(state)}
    found = await _by_service(service, lambda path: visitor.calls.every(path, query, most=EXPORTED_MAX))
    rows = [
        (
            kind_words(job["kind"])[place],
            SERVICES[owner][place],
            job["created_at"][:19].replace("T", " "),
            (job["finished_at"] or "")[:19].replace("T", " "),
            STATES[job["state"]][place],
            job["progress"],
            job["error"] or "",
            job["id"],
        )
        for owner, job in _newest({owner: jobs or () for owner, jobs in found.items()})[:EXPORTED_MAX]
    ]
    return await listed_file("后台任务", _HEADER, rows, _WIDTHS)


@router.get("/letters.xlsx")
async def letters_file(visitor: BureauReader, kind: Word = "") -> Response:
    place = 1 if language_for(visitor.request) == "en" else 0
    asked = {"kind": kind if kind in KINDS else None}
    rows = [
        (
            kind_words(letter["kind"])[place],
            letter["created_at"][:19].replace("T", " "),
            letter["attempts"],
            failure_words(letter["error"])[place],
            letter["error"] or "",
            letter["id"],
        )
        for letter in await visitor.calls.every(at("console", "dead-letters"), asked, most=EXPORTED_MAX)
    ]
    return await listed_file("死信", _LETTERS_HEADER, rows, _LETTERS_WIDTHS)


@router.get("/{service}/{job_id}")
async def job(visitor: BureauReader, service: str, job_id: str) -> Response:
    """One job; while it runs, its part of the page asks for itself again."""
    if service not in SERVICES:
        raise NotFound
    found = await visitor.calls.get(at(service, "jobs", job_id))
    return visitor.page(
        "jobpages/job.html",
        here="jobs",
        job=found,
        service=service,
        services=SERVICES,
        states=STATES,
        kind_words=kind_words,
        lines=result_lines(found["result"]),
    )


@router.post("/letters/{letter_id}/retry", dependencies=[OUR_FORM])
async def retry(visitor: Writer, letter_id: str, request_no: RequestNo = "") -> Response:
    try:
        await visitor.calls.post(
            at("console", "dead-letters", letter_id, "retry"), {"request_no": request_no}
        )
    except Refused as refused:
        return await _centre(visitor, refused=refused)
    return RedirectResponse(f"{_PATH}?done=retried", status_code=303)


@router.post("/letters/{letter_id}/put-aside", dependencies=[OUR_FORM])
async def put_aside(
    visitor: Administrator, letter_id: str, reason: Text = "", request_no: RequestNo = ""
) -> Response:
    body = {"reason": reason, "request_no": request_no}
    try:
        await visitor.calls.post(at("console", "dead-letters", letter_id, "put-aside"), body)
    except Refused as refused:
        return await _centre(visitor, refused=refused)
    return RedirectResponse(f"{_PATH}?done=aside", status_code=303)

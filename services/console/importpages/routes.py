"""The import centre: every import with its page and history, and the page of those without their own."""

import asyncio
import io
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import RedirectResponse

from services.console.importpages.rules import (
    ACTIONS,
    IMPORTS,
    JOB_SERVICES,
    JOBS,
    Batch,
    Import,
    batch_of_entry,
    batch_of_job,
    import_of,
    in_words,
    newest,
)
from services.console.importpages.schemas import Target, target_in
from services.console.jobpages.rules import STATES
from services.console.pages.routes import OUR_FORM, BureauReader, Visitor, page_router, visitor_with
from services.console.pages.schemas import EXPORTED_MAX, XLSX, attached, listed_file
from services.console.tablepages.schemas import no_file, sent_file
from shared.clients.integrity import Refused
from shared.clients.services import Upload, at
from shared.documents.faultsheets import fault_sheet
from shared.documents.reports import ImportFault
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_BASE = "/console/imports"
_STATES = {**STATES, "undone": ("已撤销", "undone", "ended")}
_SHOWN = 50
_SHOWN_BESIDE = 10
_FAULTS_HEADER = ("行", "列", "原因")
_FAULTS_WIDTHS = (8, 20, 70)
_HEADER = ("时间", "导入", "导入人", "对象", "文件指纹", "总行数", "已导入", "有问题", "状态", "失败原因")
_WIDTHS = (20, 20, 16, 40, 16, 10, 10, 10, 10, 50)

router = page_router(_BASE)

BureauWriter = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Wanted = Annotated[Target, Depends(target_in)]
Word = Annotated[str, Query(max_length=32)]


async def _batches(visitor: Visitor, wanted: Import | None, most: int = _SHOWN) -> list[Batch]:
    """Of the audit log, and the jobs that are under way or failed: those that succeeded are in the log."""
    actions = wanted.actions if wanted else ACTIONS
    kinds = wanted.jobs if wanted else JOBS
    log, *jobs = await asyncio.gather(
        visitor.calls.every(at("console", "audit-log"), {"action": ",".join(actions)}, most=most)
        if actions
        else _nothing(),
        *(visitor.calls.every(at(service, "jobs"), {}, most=most) for service in JOB_SERVICES),
    )
    done = [batch_of_entry(entry) for entry in log]
    found = [
        batch_of_job(service, job)
        for service, listed in zip(JOB_SERVICES, jobs, strict=True)
        for job in listed
        if job["kind"] in kinds and (job["state"] != "succeeded" or (job["result"] or {}).get("errors"))
    ]
    return newest([*done, *found], most)


async def _nothing() -> list[dict[str, Any]]:
    return []


async def _choices(visitor: Visitor, scope: str | None) -> list[tuple[str, str, str]]:
    """Campaigns or programmes, newest first; none for what belongs to a year."""
    if scope not in {"campaign", "programme"}:
        return []
    service = "issuance" if scope == "campaign" else "quota"
    found = await visitor.calls.every(at(service, f"{scope}s"), {}, most=EXPORTED_MAX)
    return [(one["slug"], one["title"], one["title"]) for one in found]


@router.get("")
async def centre(visitor: BureauReader, kind: Word = "") -> Response:
    wanted = import_of(kind) if kind else None
    areas = list(dict.fromkeys(one.area for one in IMPORTS))
    return visitor.page(
        "importpages/centre.html",
        here="imports",
        areas=[(area, [one for one in IMPORTS if one.area == area]) for area in areas],
        imports=IMPORTS,
        kind=kind,
        batches=await _batches(visitor, wanted),
        states=_STATES,
        may_write=visitor.staff.has(*WRITERS),
    )


@router.get("/export.xlsx")
async def export(visitor: BureauReader, kind: Word = "") -> Response:
    rows = [
        (
            one.at[:16].replace("T", " "),
            one.what.name[0],
            one.who or "",
            one.about,
            one.file,
            *("" if figure is None else figure for figure in (one.rows, one.taken, one.faulty)),
            _STATES[one.state][0],
            one.error or "",
        )
        for one in await _batches(visitor, import_of(kind) if kind else None, EXPORTED_MAX)
    ]
    return await listed_file("导入记录", _HEADER, rows, _WIDTHS)


@router.get("/jobs/{service}/{job_id}/faults.xlsx")
async def faults_of_job(visitor: BureauReader, service: str, job_id: str) -> Response:
    """What a job could not take in: rows, columns and reasons; the file itself is not kept."""
    if service not in JOB_SERVICES:
        raise NotFound
    job = await visitor.calls.get(at(service, "jobs", job_id))
    faults = in_words((job["result"] or {}).get("errors", []))
    rows = [(fault["row"], fault["column"] or "", fault["message"]) for fault in faults]
    return await listed_file("不能导入的行", _FAULTS_HEADER, rows, _FAULTS_WIDTHS)


def _known(key: str) -> Import:
    """Raises NotFound, also for an import with a page of its own."""
    found = import_of(key)
    if found is None or found.scope is None:
        raise NotFound
    return found


async def _page(visitor: Visitor, what: Import, target: Target, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    values = {"refused": None, "report": None, "checked": False, "file_name": "", "job_id": None, **shown}
    choices = await _choices(visitor, what.scope)
    if what.scope in {"campaign", "programme"} and not target.slug and choices:
        target = Target(slug=choices[0][0], basis=target.basis, year=target.year, source=target.source)
    return visitor.page(
        "importpages/one.html",
        here="imports",
        what=what,
        target=target,
        choices=choices,
        blank=f"{_BASE}/{what.key}/template.xlsx?{urlencode(target.given())}",
        batches=(await _batches(visitor, what))[:_SHOWN_BESIDE],
        states=STATES,
        **values,
    )


@router.get("/{key}")
async def one(visitor: BureauWriter, key: str, target: Wanted) -> Response:
    what = import_of(key)
    if what is not None and what.path:
        return RedirectResponse(what.path, status_code=303)
    return await _page(visitor, _known(key), target)


@router.get("/{key}/template.xlsx")
async def template(visitor: BureauWriter, key: str, target: Wanted) -> Response:
    what = _known(key)
    query = {"year": target.year} if what.scope == "year" else None
    return await visitor.file(target.path(what, "template.xlsx"), f"{what.name[0]}导入模板.xlsx", query)


@router.post("/{key}", dependencies=[OUR_FORM])
async def take_in(
    visitor: BureauWriter,
    key: str,
    *,
    file: Annotated[UploadFile | None, File()] = None,
    step: Annotated[Literal["check", "import", "errors"], Form()] = "check",
    slug: Annotated[str, Form(max_length=100)] = "",
    basis: Annotated[str, Form(max_length=40)] = "",
    year: Annotated[int, Form(ge=2000, le=2100)] = 2020,
    source: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Checks a file and keeps nothing; takes it in; or gives it back with its faults."""
    what, target = _known(key), Target(slug=slug, basis=basis.strip(), year=year, source=source.strip())
    sheet = sent_file(file) or no_file()
    content = await asyncio.to_thread(sheet.content.read)
    again = {"file": Upload(sheet.name, io.BytesIO(content))}
    query = {"dry_run": step != "import"}
    try:
        path, fields = target.path(what, "import"), target.asked(what)
        report = await visitor.calls.upload(path, again, fields, query=query)
    except Refused as refused:
        return await _page(visitor, what, target, refused=refused, status=refused.status)
    if "job_id" in report:
        return await _page(visitor, what, target, job_id=report["job_id"], file_name=sheet.name)
    report["errors"] = in_words(report["errors"])
    if step == "errors":
        faults = [ImportFault.model_validate(fault) for fault in report["errors"]]
        marked = await asyncio.to_thread(fault_sheet, content, faults)
        return attached(marked, XLSX, f"问题-{sheet.name.rpartition('.')[0]}.xlsx")
    return await _page(visitor, what, target, report=report, checked=step == "check", file_name=sheet.name)

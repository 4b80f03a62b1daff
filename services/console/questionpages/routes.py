"""The question bank: what is in it, how its questions do, taking them out of use, and the import."""

import asyncio
import io
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import File, Form, Query, Response, UploadFile
from fastapi.responses import RedirectResponse

from services.console.pages.routes import OUR_FORM, BureauReader, RequestNo, Visitor, page_router
from services.console.pages.schemas import EXPORTED_MAX, XLSX, attached, listed_file
from services.console.questionpages.rules import (
    DIFFICULTIES,
    DIFFICULTY_NAMES,
    STATE_BADGES,
    STATES,
    STATISTICS_HEADER,
    STATISTICS_WIDTHS,
    VERDICT_CHOICES,
    VERDICTS,
    statistics_row,
    two_places,
)
from services.console.tablepages.schemas import no_file, sent_file
from shared.clients.integrity import Refused
from shared.clients.services import Upload, at
from shared.documents.faultsheets import fault_sheet
from shared.documents.reports import ImportFault
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_WORD_LENGTH_MAX = 100
_CURSOR_LENGTH_MAX = 500
_REASON_LENGTH_MAX = 1000
_LIMIT = 50
_BASE = "/console/questions"

router = page_router(_BASE)

Word = Annotated[str, Query(max_length=_WORD_LENGTH_MAX)]
Cursor = Annotated[str | None, Query(max_length=_CURSOR_LENGTH_MAX)]
Act = Literal["retire", "reactivate"]


def _path(slug: str, *segments: str) -> str:
    return at("issuance", "campaigns", slug, "questions", *segments)


async def _campaigns(visitor: Visitor) -> list[tuple[str, str, str]]:
    """As a choice, newest first. Raises NotFound while there is none."""
    found = await visitor.calls.every(at("issuance", "campaigns"), {}, most=EXPORTED_MAX)
    if not found:
        raise NotFound
    return [(one["slug"], one["title"], one["title"]) for one in found]


async def _bank_page(visitor: Visitor, slug: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    values = {
        "refused": None,
        "done": None,
        "state": "active",
        "difficulty": "",
        "category": "",
        "q": "",
        "cursor": None,
        **shown,
    }
    asked = {name: values[name] for name in ("state", "difficulty", "category", "q") if values[name]}
    bank, summary = await asyncio.gather(
        visitor.calls.get(_path(slug), {**asked, "limit": _LIMIT, "cursor": values["cursor"]}),
        visitor.calls.get(_path(slug, "summary")),
    )
    return visitor.page(
        "questionpages/bank.html",
        here="questions",
        status=values["refused"].status if values["refused"] else 200,
        slug=slug,
        campaigns=await _campaigns(visitor),
        bank=bank,
        summary=summary,
        categories=[("", "全部", "All")]
        + [
            (name, name, name)
            for name in sorted({cell["category"] or "" for cell in summary["cells"]})
            if name
        ],
        query=urlencode({"campaign": slug, **asked}),
        difficulties=DIFFICULTIES,
        difficulty_names=DIFFICULTY_NAMES,
        states=STATES,
        state_badges=STATE_BADGES,
        writes=visitor.staff.has(*WRITERS),
        **values,
    )


@router.get("")
async def bank(
    visitor: BureauReader,
    *,
    campaign: Word = "",
    state: Word = "active",
    difficulty: Word = "",
    category: Word = "",
    q: Word = "",
    cursor: Cursor = None,
    done: str | None = None,
) -> Response:
    slug = campaign or (await _campaigns(visitor))[0][0]
    return await _bank_page(
        visitor, slug, state=state, difficulty=difficulty, category=category, q=q, cursor=cursor, done=done
    )


@router.get("/export.xlsx")
async def export(
    visitor: BureauReader,
    *,
    campaign: Word,
    state: Word = "active",
    difficulty: Word = "",
    category: Word = "",
    q: Word = "",
) -> Response:
    asked = {"state": state, "difficulty": difficulty, "category": category, "q": q}
    query = {name: value for name, value in asked.items() if value}
    return await visitor.file(_path(campaign, "export.xlsx"), "题库.xlsx", query)


async def _statistics_page(
    visitor: Visitor,
    slug: str,
    verdict: str = "",
    cursor: str | None = None,
    **shown: Any,  # noqa: ANN401 - what the template shows
) -> Response:
    """Chosen rows and what was typed stay when retiring them is refused."""
    values = {"refused": None, "done": "", "chosen": (), "reason": "", **shown}
    query = {"verdict": verdict or None, "limit": _LIMIT, "cursor": cursor}
    return visitor.page(
        "questionpages/statistics.html",
        here="question-statistics",
        status=values["refused"].status if values["refused"] else 200,
        slug=slug,
        campaigns=await _campaigns(visitor),
        verdict=verdict,
        cursor=cursor,
        **values,
        found=await visitor.calls.get(_path(slug, "statistics"), query),
        verdicts=VERDICTS,
        verdict_choices=VERDICT_CHOICES,
        difficulty_names=DIFFICULTY_NAMES,
        two_places=two_places,
        writes=visitor.staff.has(*WRITERS),
    )


@router.get("/statistics")
async def statistics(
    visitor: BureauReader,
    *,
    campaign: Word = "",
    verdict: Word = "",
    cursor: Cursor = None,
    done: Annotated[str, Query(max_length=8)] = "",
) -> Response:
    slug = campaign or (await _campaigns(visitor))[0][0]
    return await _statistics_page(visitor, slug, verdict, cursor, done=done)


@router.post("/{slug}/retire", dependencies=[OUR_FORM])
async def retire_many(
    visitor: BureauReader,
    *,
    slug: str,
    question_id: Annotated[list[str], Form(max_length=_LIMIT)] = [],  # noqa: B006 - FastAPI copies it
    reason: Annotated[str, Form(max_length=_REASON_LENGTH_MAX)] = "",
    verdict: Annotated[str, Form(max_length=_WORD_LENGTH_MAX)] = "",
    request_no: RequestNo = "",
) -> Response:
    """Takes the chosen rows of the statistics out of use, for one reason: all of them or none."""
    body = {"question_ids": question_id, "reason": reason, "request_no": request_no or None}
    try:
        done = await visitor.calls.post(_path(slug, "retire"), body)
    except Refused as refused:
        return await _statistics_page(
            visitor, slug, verdict, refused=refused, chosen=question_id, reason=reason
        )
    query = {"campaign": slug, "verdict": verdict, "done": done["retired"]}
    return RedirectResponse(f"{_BASE}/statistics?{urlencode(query)}", status_code=303)


@router.get("/statistics.xlsx")
async def statistics_file(visitor: BureauReader, *, campaign: Word, verdict: Word = "") -> Response:
    query = {"verdict": verdict or None}
    items = await visitor.calls.every(_path(campaign, "statistics"), query, most=EXPORTED_MAX)
    return await listed_file("题目统计", STATISTICS_HEADER, [*map(statistics_row, items)], STATISTICS_WIDTHS)


@router.post("/{slug}/{question_id}/{act}", dependencies=[OUR_FORM])
async def move(
    visitor: BureauReader,
    *,
    slug: str,
    question_id: str,
    act: Act,
    reason: Annotated[str, Form(max_length=_REASON_LENGTH_MAX)] = "",
    request_no: RequestNo = "",
) -> Response:
    """Takes a question out of use, or puts it back."""
    body = {"reason": reason, "request_no": request_no or None}
    try:
        await visitor.calls.post(_path(slug, question_id, act), body)
    except Refused as refused:
        return await _bank_page(visitor, slug, refused=refused)
    return RedirectResponse(f"{_BASE}?{urlencode({'campaign': slug, 'done': act})}", status_code=303)


def _import_page(visitor: Visitor, slug: str, **shown: Any) -> Response:  # noqa: ANN401 - what the template shows
    values = {"refused": None, "report": None, "checked": False, "file_name": "", "job_id": None, **shown}
    return visitor.page("questionpages/import.html", here="questions", slug=slug, **values)


@router.get("/{slug}/import")
async def import_form(visitor: BureauReader, slug: str) -> Response:
    return _import_page(visitor, slug)


@router.get("/{slug}/import/template.xlsx")
async def template(visitor: BureauReader, slug: str) -> Response:
    return await visitor.file(_path(slug, "template.xlsx"), "题库导入模板.xlsx")


@router.post("/{slug}/import", dependencies=[OUR_FORM])
async def take_in(
    visitor: BureauReader,
    slug: str,
    file: Annotated[UploadFile | None, File()] = None,
    step: Annotated[Literal["check", "import", "errors"], Form()] = "check",
) -> Response:
    """Checks a file and keeps nothing; takes it in; or gives it back with its faults."""
    sheet = sent_file(file) or no_file()
    content = await asyncio.to_thread(sheet.content.read)
    again = Upload(sheet.name, io.BytesIO(content))
    try:
        query = {"dry_run": step != "import"}
        report = await visitor.calls.upload(_path(slug, "import"), {"file": again}, query=query)
    except Refused as refused:
        return _import_page(visitor, slug, refused=refused, status=refused.status)
    if "job_id" in report:
        return _import_page(visitor, slug, job_id=report["job_id"], file_name=sheet.name)
    if step == "errors":
        faults = [ImportFault.model_validate(fault) for fault in report["errors"]]
        marked = await asyncio.to_thread(fault_sheet, content, faults)
        return attached(marked, XLSX, f"问题-{sheet.name.rpartition('.')[0]}.xlsx")
    return _import_page(visitor, slug, report=report, checked=step == "check", file_name=sheet.name)

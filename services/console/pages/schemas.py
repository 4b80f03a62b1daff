"""What the pages send: HTML out of the templates, under a policy that lets nothing else in."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import quote, urlencode

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, StreamingResponse
from jinja2 import Environment, PackageLoader, PrefixLoader, StrictUndefined
from starlette.datastructures import FormData
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from services.console.pages.rules import fault_words, next_step
from shared.clients.integrity import Refused
from shared.clients.services import Download
from shared.clock import rfc3339
from shared.documents.papers import Cell, Grid, Lines, Paper
from shared.documents.workbooks import workbook
from shared.errors import Refusal
from shared.http.auth import kit_of
from shared.http.problems import language_of
from shared.integrity import Figure
from shared.money import yuan
from shared.vouchers.categories import category_name

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LANGUAGE_COOKIE = "hv_lang"
_LANGUAGES = ("zh", "en")
_STATIC = files("services.console.pages") / "static"
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Whoever needs more than so many rows of a list needs a report.
EXPORTED_MAX = 5000
_ABSENT = "–"
_STATUSES = {
    "published": ("进行中", "running"),
    "paused": ("已暂停", "paused"),
    "ended": ("已结束", "ended"),
}


@cache
def static_files() -> dict[str, tuple[bytes, str, str]]:
    """Name (with its folder) → content, media type, and a version that changes with the content.

    Licences and checksums of vendored files are kept beside them and not served.
    """
    found = {}
    for name, file in _files_in(_STATIC):
        media_type = _MEDIA_TYPES.get(PurePosixPath(name).suffix)
        if media_type is not None:
            content = file.read_bytes()
            found[name] = (content, media_type, hashlib.sha256(content).hexdigest()[:12])
    return found


def _files_in(folder: Traversable, path: str = "") -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _files_in(entry, f"{path}{entry.name}/")
        else:
            yield f"{path}{entry.name}", entry


def _static(name: str) -> str:
    return f"/console/static/{name}?v={static_files()[name][2]}"


def _number(value: int) -> str:
    return f"{value:,}"


def _short(value: int) -> str:
    """For a narrow place: 12,345 as it is, 1,234,567 as 1.23M."""
    if abs(value) < 100_000:  # noqa: PLR2004 - six digits with their separator fit above a column
        return _number(value)
    return f"{value / 1e6:.3g}M" if abs(value) >= 1_000_000 else f"{value / 1e3:.3g}k"  # noqa: PLR2004 - a million


def _percent(share: Decimal | str | None) -> str:
    """Of a rate as we compute it, or as the services write it."""
    return _ABSENT if share is None else f"{Decimal(share) * 100:.1f}%"


def _when(moment: str) -> str:
    """A moment as the services write it, for people: to the minute, in their time zone."""
    return moment[:16].replace("T", " ")


def _figure(value: Figure) -> str:
    if value is None:
        return _ABSENT
    return _number(value) if isinstance(value, int) else str(value)


def _share(part: int, whole: int) -> float:
    """Percent, for a drawing: a tenth is less than a pixel."""
    return round(max(0, min(100, part * 100 / whole)), 1) if whole else 0


def _rooms_of_pages() -> list[str]:
    """Every room with templates; a template is named by its room: `tablepages/table_check.html`."""
    rooms = files("services.console").iterdir()
    return [room.name for room in rooms if room.is_dir() and (room / "templates").is_dir()]


def _environment() -> Environment:
    environment = Environment(
        loader=PrefixLoader({room: PackageLoader(f"services.console.{room}") for room in _rooms_of_pages()}),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        number=_number, short=_short, percent=_percent, yuan=yuan, figure=_figure, when=_when
    )
    environment.globals.update(next_step=next_step, fault_words=fault_words)
    environment.globals.update(share=_share, static=_static, category_name=category_name)
    return environment


_TEMPLATES = _environment()


@cache
def _compile_all() -> None:
    for name in _TEMPLATES.list_templates():
        _TEMPLATES.get_template(name)


@asynccontextmanager
async def templates_at_hand() -> AsyncIterator[None]:
    """A lifespan of the app: nobody is kept waiting for a page because they are its first reader."""
    task = asyncio.create_task(asyncio.to_thread(_compile_all))
    try:
        yield
    finally:
        await task


def language_for(request: Request) -> str:
    """The switch in the address, else what the browser remembers of it, else what the browser prefers."""
    chosen = request.query_params.get("lang") or request.cookies.get(LANGUAGE_COOKIE)
    return chosen if chosen in _LANGUAGES else language_of(request.headers)


def page(request: Request, template: str, *, status_code: int = 200, **shown: Any) -> HTMLResponse:  # noqa: ANN401 - what the template shows
    language = language_for(request)

    def t(zh: str, en: str) -> str:
        return en if language == "en" else zh

    html = _TEMPLATES.get_template(template).render(
        language=language,
        switch=_switch(request, language),
        t=t,
        demo=kit_of(request).settings.demo,
        statuses={status: t(*words) for status, words in _STATUSES.items()},
        swapped=request.headers.get("hx-request") == "true",
        posted=_posted(request, refused=shown.get("refused") is not None),
        **shown,
    )
    response = HTMLResponse(html, status_code, headers={"content-security-policy": PAGE_POLICY})
    if request.query_params.get("lang") == language:
        response.set_cookie(LANGUAGE_COOKIE, language, path="/", httponly=True, samesite="strict")
    return response


@dataclass(frozen=True, slots=True)
class Posted:
    """Which form was refused, by its address, and what was typed into it. Empty for every other page."""

    path: str = ""
    form: Mapping[str, str] = field(default_factory=dict)


def keep_typed(request: Request, form: FormData) -> None:
    """For the page that may say no to this form."""
    values = {name: value for name, value in form.items() if isinstance(value, str)}
    request.state.posted = Posted(request.url.path, values)


def _posted(request: Request, *, refused: bool) -> Posted:
    kept: Posted = getattr(request.state, "posted", Posted())
    return kept if refused else Posted()


def _switch(request: Request, language: str) -> str:
    """This very page in the other language."""
    query = {**request.query_params, "lang": "zh" if language == "en" else "en"}
    return "?" + urlencode(query)


def refused_page(request: Request, refused: Refused) -> HTMLResponse:
    """What a service refused, in its words."""
    return page(
        request,
        "pages/refused.html",
        status_code=refused.status,
        status=refused.status,
        refused=refused,
        request_id=request.state.request_id,
    )


def unanswered_page(request: Request, refusal: Refusal) -> HTMLResponse:
    """What this service refused itself."""
    sentence = refusal.detail(language_for(request))
    faults = [{"loc": one.loc, "message": one.message, "code": one.code} for one in refusal.faults]
    problem = {"code": refusal.code, "detail": sentence, "errors": faults}
    response = refused_page(request, Refused(refusal.status, problem))
    if refusal.retry_after_seconds is not None:
        response.headers["retry-after"] = str(refusal.retry_after_seconds)
    return response


class Relayed(StreamingResponse):
    """Another service's file, part by part as it comes; its source ends however this does."""

    def __init__(self, download: Download, name: str) -> None:
        super().__init__(download.parts(), media_type=download.media_type)
        self.headers["content-disposition"] = _attachment(name)
        self._download = download

    @override
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._download.close()


def attached(content: bytes, media_type: str, name: str) -> Response:
    return Response(content, media_type=media_type, headers={"content-disposition": _attachment(name)})


async def listed_file(
    title: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], widths: Sequence[int]
) -> Response:
    """A list as a workbook. One that was cut at `EXPORTED_MAX` says so."""
    grid = Grid(header, rows, widths)
    cut = (Lines((f"仅导出前 {EXPORTED_MAX} 条，请缩小筛选范围。",)),) if len(rows) >= EXPORTED_MAX else ()
    content = await asyncio.to_thread(workbook, [Paper("列表", title, (*cut, grid))])
    return attached(content, XLSX, f"{title}.xlsx")


def _attachment(name: str) -> str:
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def shown_time(moment: datetime) -> str:
    return rfc3339(moment.replace(microsecond=0)).replace("T", " ")

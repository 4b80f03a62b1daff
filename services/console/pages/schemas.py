"""What the pages send: HTML out of the templates, under a policy that lets nothing else in."""

import hashlib
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from shared.clock import rfc3339
from shared.errors import Refusal
from shared.http.auth import kit_of
from shared.http.problems import language_of
from shared.integrity import Figure
from shared.money import yuan

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
LANGUAGE_COOKIE = "hv_lang"
_LANGUAGES = ("zh", "en")
_STATIC = files("services.console.pages") / "static"
_MEDIA_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_ABSENT = "–"
_STATUSES = {
    "published": ("进行中", "running"),
    "paused": ("已暂停", "paused"),
    "ended": ("已结束", "ended"),
}


@cache
def static_files() -> dict[str, tuple[bytes, str, str]]:
    """Name → content, media type, and a version that changes with the content."""
    found = {}
    for file in _STATIC.iterdir():
        content = file.read_bytes()
        media_type = _MEDIA_TYPES[f".{file.name.rpartition('.')[2]}"]
        found[file.name] = (content, media_type, hashlib.sha256(content).hexdigest()[:12])
    return found


def _static(name: str) -> str:
    return f"/console/static/{name}?v={static_files()[name][2]}"


def _number(value: int) -> str:
    return f"{value:,}"


def _percent(share: Decimal | None) -> str:
    return _ABSENT if share is None else f"{share * 100:.1f}%"


def _figure(value: Figure) -> str:
    if value is None:
        return _ABSENT
    return _number(value) if isinstance(value, int) else str(value)


def _share(part: int, whole: int) -> float:
    """Percent, for a drawing: a tenth is less than a pixel."""
    return round(max(0, min(100, part * 100 / whole)), 1) if whole else 0


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("services.console.pages"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(number=_number, percent=_percent, yuan=yuan, figure=_figure)
    environment.globals.update(share=_share, static=_static)
    return environment


_TEMPLATES = _environment()


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
        t=t,
        demo=kit_of(request).settings.demo,
        statuses={status: t(*words) for status, words in _STATUSES.items()},
        **shown,
    )
    response = HTMLResponse(html, status_code, headers={"content-security-policy": PAGE_POLICY})
    if request.query_params.get("lang") == language:
        response.set_cookie(LANGUAGE_COOKIE, language, path="/", httponly=True, samesite="strict")
    return response


def refused_page(request: Request, refusal: Refusal) -> HTMLResponse:
    response = page(
        request,
        "refused.html",
        status_code=refusal.status,
        status=refusal.status,
        sentence=refusal.detail(language_for(request)),
        code=refusal.code,
        request_id=request.state.request_id,
    )
    if refusal.retry_after_seconds is not None:
        response.headers["retry-after"] = str(refusal.retry_after_seconds)
    return response


def shown_time(moment: datetime) -> str:
    return rfc3339(moment.replace(microsecond=0)).replace("T", " ")

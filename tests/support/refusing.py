"""Forms of the console that are refused: what a person then sees in the browser.

The pages, their forms and everything they read are the real ones; only the service's last word is chosen, on
the wire and in the service's own problem document, so that each form can meet each refusal.
"""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from services.console.pages.rules import next_step
from shared.errors import Refusal, Unauthenticated
from shared.http.problems import language_of, problem_response
from tests.support.browser import Tab, look

ERRORS = Path(__file__).resolve().parents[2] / "docs" / "errors.md"
_COLUMNS = 5
_TRIES = 5
SCREENS = ((390, 844), (1366, 768))
_REQUEST_ID = "0123456789abcdef0123456789abcdef"

_FORMS = """
[...document.querySelectorAll('main form[method=post]')].map((form) => form.getAttribute('action'))
"""
# As a person would: unfolds what is folded, leaves what is filled in, and sends it.
_FILL_AND_SEND = """
(action) => {
  const form = [...document.querySelectorAll('main form[method=post]')]
    .find((one) => one.getAttribute('action') === action);
  for (let up = form; up; up = up.parentElement) if (up.tagName === 'DETAILS') up.open = true;
  const typed = {};
  for (const field of form.elements) {
    if (!field.name || field.type === 'hidden' || field.readOnly) continue;
    if (field.type === 'file') {
      const definition = field.accept.includes('.yaml');
      const files = new DataTransfer();
      const [text, name] = definition ? ['title: 试', '定义.yaml'] : ['甲,乙\\n1,2\\n', '名单.csv'];
      files.items.add(new File([text], name));
      field.files = files.files;
    } else if (field.type === 'text' || field.tagName === 'TEXTAREA') {
      if (!field.value) field.value = field.inputMode ? '3' : '核对无误';
      typed[field.name] = field.value;
    } else if (field.type === 'number') {
      field.value = field.value || '3';
      typed[field.name] = field.value;
    } else if (['date', 'month', 'datetime-local'].includes(field.type)) {
      field.value = field.value || { date: '2031-05-06', month: '2031-05' }[field.type] || '2031-05-06T08:00';
      typed[field.name] = field.value;
    } else if (field.type === 'password') field.value = 'Nobody-9-Knows-It';
    else if (field.tagName === 'SELECT') typed[field.name] = field.value;
  }
  form.noValidate = true;
  form.requestSubmit(form.querySelector('button[type=submit]:not([disabled])'));
  return typed;
}
"""
_SEEN = """
([action, typed]) => {
  const notice = document.querySelector('main [role=alert]');
  const form = [...document.querySelectorAll('main form[method=post]')]
    .find((one) => one.getAttribute('action') === action);
  const lost = Object.entries(typed).filter(([name, value]) =>
    !form || ![...form.elements].some((field) => field.name === name && field.value === value));
  return {
    said: notice.innerText, lost: lost.map(([name]) => name),
    focused: document.activeElement === notice,
    folded: Boolean(form) && Object.keys(typed).length > 0 && form.getClientRects().length === 0,
  };
}
"""
# The page that refused the form before has this one too; only its notice has to go.
_READY = """
(action) => {
  document.querySelector('main [role=alert]')?.remove();
  return [...document.querySelectorAll('main form[method=post]')]
    .some((one) => action === null || one.getAttribute('action') === action);
}
"""
_WIDER = "document.documentElement.scrollWidth - innerWidth"


@dataclass(slots=True)
class Mood:
    """What the services say to whatever would change something, while it is set; `asked` counts that."""

    refusals: Iterator[Refusal] | None = None
    said: list[Refusal] = field(default_factory=list)

    def of(self, app: FastAPI) -> FastAPI:
        """The service, with this mood."""
        app.add_middleware(_Refusing, mood=self)
        return app


class _Refusing:
    def __init__(self, app: ASGIApp, mood: Mood) -> None:
        self._app, self._mood = app, mood

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusals = self._mood.refusals
        if refusals is None or scope["type"] != "http" or scope["method"] == "GET":
            await self._app(scope, receive, send)
            return
        refusal = next(refusals)
        self._mood.said.append(refusal)
        language = language_of(Headers(scope=scope))
        answer = problem_response(refusal, language=language, request_id=_REQUEST_ID)
        await answer(scope, receive, send)


def documented(where: str = "") -> list[Refusal]:
    """One of each row of docs/errors.md, `where` it is named; who must sign in gets a form instead."""
    rows = [line.strip("| ").split(" | ") for line in ERRORS.read_text("utf-8").splitlines()]
    found = []
    for row in rows:
        if len(row) != _COLUMNS or not row[1].isdecimal() or where not in row[4]:
            continue
        words = {"code": row[0].split("`")[-2], "status": int(row[1]), "zh": row[2], "en": row[3]}
        if words["status"] != Unauthenticated.status:
            found.append(type("Documented", (Refusal,), words)())
    return found


def step_of(refusal: Refusal, language: str) -> str:
    return next_step(refusal.status, refusal.code)[language == "en"]


def _shape(action: str) -> str:
    return re.sub(r"[0-9a-f-]{32,}|\b\d+\b", "#", action)


async def faults_of_refused_forms(
    tab: Tab, address: str, paths: Iterable[str], mood: Mood, refusals: Sequence[Refusal], *, name: str
) -> tuple[list[str], set[str]]:
    """Sends each form of these pages, has it refused, and tells what a person would miss; and which forms."""
    faults: list[str] = []
    done: set[str] = set()
    mood.refusals = itertools.cycle(refusals)
    try:
        for path in paths:
            await _open(tab, f"{address}/console/{path}")
            for action in await tab.evaluate(_FORMS):
                if _shape(action) not in done:
                    done.add(_shape(action))
                    found = await _refuse(tab, f"{address}/console/{path}", action, mood)
                    faults += [f"{action}: {fault}" for fault in found]
                    if len(done) % 10 == 1:
                        await look(tab, f"console-refused-{name}-{len(done)}", width=1366, height=768)
    finally:
        mood.refusals = None
    return faults, done


async def _open(tab: Tab, page: str) -> None:
    """On busy cores a page may run out of its time; whoever reads it opens it again."""
    for _ in range(_TRIES):
        await tab.open(page)
        if await tab.page.evaluate(_READY, None):
            return


async def _refuse(tab: Tab, page: str, action: str, mood: Mood) -> list[str]:
    for _ in range(_TRIES):
        if not await tab.page.evaluate(_READY, action):
            await _open(tab, page)
        before = len(mood.said)
        typed = await tab.page.evaluate(_FILL_AND_SEND, action)
        await tab.until("document.querySelector('main [role=alert]') !== null")
        seen: dict[str, Any] = await tab.page.evaluate(_SEEN, [action, typed])
        if "busy" not in seen["said"]:
            break
    faults = []
    if len(mood.said) == before:
        # A page that looks something up first says its own no, or the real service's.
        if not any(step_of(one, "zh") in seen["said"] for one in documented()):
            faults.append(f"says {seen['said']}")
    else:
        refusal = mood.said[-1]
        needed = (refusal.detail("zh"), refusal.code, step_of(refusal, "zh"))
        faults += [f"{refusal.code}: does not say “{one}”" for one in needed if one not in seen["said"]]
    if seen["lost"]:
        faults.append(f"loses {seen['lost']}")
    if seen["folded"]:
        faults.append("is folded away")
    if not seen["focused"]:
        faults.append("the notice has no focus")
    return faults + await wider(tab)


async def wider(tab: Tab) -> list[str]:
    found = []
    for width, height in SCREENS:
        await tab.size(width=width, height=height)
        if (by := await tab.evaluate(_WIDER)) > 0:
            found.append(f"is {by} px wider than {width}")
    return found

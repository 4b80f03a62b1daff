"""The `curl` steps that the documents print, as requests that can be held against the OpenAPI documents."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from deploy.site.schemas import Shapes

ROOT = Path(__file__).resolve().parents[2]
PAGES = (
    "guides/frontend-first-voucher.md",
    "guides/till-first-write-off.md",
    "draws.md",
    "runbooks/README.md",
    "runbooks/ServiceNotScraped.md",
    "runbooks/WorkerGone.md",
)
_FENCED = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)
_BASE = re.compile(r"^(\$BASE|http://127\.0\.0\.1:8000)")
_CAMPAIGN = re.compile(r"^CAMPAIGN=(\S+)$", re.MULTILINE)
_BODY = re.compile(r"^BODY='(.*)'$")
_SENT = re.compile(r" -d (?:'(\{.*?\})'(?=\s|\)|$)|(\"\$BODY\"|@\S+))")
_TARGET = re.compile(r"(?:\$BASE|\$CAMPAIGN|http://127\.0\.0\.1:8000)/[^\s\"')]+")
_METHOD = re.compile(r" -X ([A-Z]+)")


@dataclass(frozen=True, slots=True)
class Step:
    """`body`: the names that are sent; None where nothing is, or what a step before wrote to a file."""

    page: str
    method: str
    path: str
    query: tuple[str, ...]
    body: frozenset[str] | None


def steps(folder: str) -> Iterator[Step]:
    """Of the pages below `folder`, in the order in which they are printed."""
    for page in PAGES:
        text = (ROOT / folder / page).read_text(encoding="utf-8")
        campaign = _CAMPAIGN.search(text)
        body = ""
        for block in _FENCED.findall(text):
            for line in re.sub(r"\\\n\s*", "", block).splitlines():
                if found := _BODY.match(line):
                    body = found[1]
                for call in line.split("curl ")[1:]:
                    yield _step(page, call, body, campaign[1] if campaign else "")


def _step(page: str, call: str, body: str, campaign: str) -> Step:
    # What `sign` is told stands in the header; the address is outside of it.
    target = _TARGET.search(call)
    assert target, f"{page}: no address in {call}"
    parts = urlsplit(_BASE.sub("", target[0].replace("$CAMPAIGN", campaign)))
    sent = _SENT.search(call)
    named = _METHOD.search(call)
    told = sent and (sent[1] or (body if sent[2].startswith('"') else None))
    return Step(
        page,
        named[1] if named else ("POST" if sent else "GET"),
        parts.path,
        tuple(name for name, _ in parse_qsl(parts.query)),
        frozenset(json.loads(_filled(told))) if told else None,
    )


def _filled(body: str) -> str:
    """With a text for each of the shell's words."""
    return re.sub(r"'\$(\w+|\(.*?\))'", "x", body)


def misfits(step: Step, document: dict[str, Any]) -> Iterator[str]:
    """Why a service would not take the step."""
    operation = next(
        (
            item[step.method.lower()]
            for path, item in document["paths"].items()
            if step.method.lower() in item and _is(path, step.path)
        ),
        None,
    )
    if operation is None:
        yield f"{step.page}: no call {step.method} {step.path}"
        return
    known = {parameter["name"] for parameter in operation.get("parameters", ())}
    yield from (f"{step.page}: {step.path} takes no {name}" for name in step.query if name not in known)
    if step.body is not None:
        yield from _body_misfits(step, operation, document)


def _body_misfits(step: Step, operation: dict[str, Any], document: dict[str, Any]) -> Iterator[str]:
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    fields = [
        one for one in Shapes(document["components"]["schemas"], "en").fields(schema) if "." not in one.path
    ]
    assert step.body is not None
    for name in sorted(step.body - {one.path for one in fields}):
        yield f"{step.page}: {step.path} knows no {name}"
    for name in sorted({one.path for one in fields if one.needed} - step.body):
        yield f"{step.page}: {step.path} needs {name}"


def _is(path: str, printed: str) -> bool:
    pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))
    return re.fullmatch(pattern, printed) is not None

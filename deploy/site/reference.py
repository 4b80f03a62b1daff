"""Makes the pages of the API from the services' OpenAPI documents: one for each group of calls. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from deploy.site.refusals import TO_DO, Told
from deploy.site.schemas import Field, Schema, Shapes
from deploy.site.speech import Speech
from deploy.site.words import Language, word

Document = Mapping[str, Any]
_JSON = "application/json"
_CODE = re.compile(r"(`[^`]*`)")


@dataclass(frozen=True, slots=True)
class Call:
    method: str
    path: str
    told: Mapping[str, Any]

    @property
    def id(self) -> str:
        name: str = self.told["operationId"]
        return name


def groups(document: Document) -> dict[str, list[Call]]:
    """Tag → its calls, in the order of the document."""
    found: dict[str, list[Call]] = {}
    for path, item in document["paths"].items():
        for method, told in item.items():
            found.setdefault(told["tags"][0], []).append(Call(method.upper(), path, told))
    return dict(sorted(found.items()))


def file_name(tag: str) -> str:
    return f"{tag.replace(' ', '-')}.md"


def group_page(
    document: Document, tag: str, calls: Sequence[Call], refusals: Iterable[Told], speech: Speech
) -> str:
    language = speech.language
    shapes = Shapes(document["components"]["schemas"], language)
    parts = [f"# {speech.title(tag)}", word("made", language)]
    parts.append(_table(("", word("meaning", language)), (_row_of(call, speech) for call in calls)))
    for call in calls:
        parts.extend(_call(call, shapes, speech))
    told = sorted(refusals, key=lambda one: (one.status, one.code))
    if told:
        parts += [f"## {word('refusals', language)}", word("refusals_head", language)]
        parts.append(refusals_table(told, language))
    return "\n\n".join(parts) + "\n"


def refusals_table(refusals: Iterable[Told], language: Language) -> str:
    head = [word(key, language) for key in ("status", "code", "sentence", "what_to_do")]
    chosen = 0 if language == "zh" else 1
    rows = (
        (str(one.status), f"`{one.code}`", one.zh if language == "zh" else one.en, TO_DO[one.status][chosen])
        for one in refusals
    )
    return _table(head, rows)


def _row_of(call: Call, speech: Speech) -> tuple[str, str]:
    summary = speech.of_call(call.id, "summary", call.told["summary"])
    return f"[`{call.method} {call.path}`](#{call.id})", summary


def _call(call: Call, shapes: Shapes, speech: Speech) -> Iterator[str]:
    told, language = call.told, speech.language
    yield f"## {call.method} {call.path} {{ #{call.id} }}"
    yield _sentence(speech.of_call(call.id, "summary", told["summary"]), language)
    yield f"`{call.id}` · {_need(told, language)}"
    if told.get("description"):
        yield speech.of_call(call.id, "description", told["description"])
    if told.get("parameters"):
        yield f"**{word('parameters', language)}**"
        yield _parameters(told["parameters"], shapes, speech)
    for kind, content in told.get("requestBody", {}).get("content", {}).items():
        yield f"**{word('request', language)}** `{kind}`"
        yield from _fields(shapes.fields(content["schema"]), speech, request=True)
    for status, answer in told["responses"].items():
        if status[0] == "2":
            # A repetition is answered like the first time.
            repeated = status == "200" and "201" in told["responses"]
            yield from _answer(status, answer, shapes, speech, repeated=repeated)


def _sentence(text: str, language: Language) -> str:
    if text.endswith((".", "?", "!", "。")):
        return text
    return f"{text}{word('full_stop', language)}"


def _need(told: Mapping[str, Any], language: Language) -> str:
    schemes = {name for need in told.get("security", ()) for name in need}
    if "signature" in schemes:
        return word("signature", language)
    return word("bearer" if schemes else "open", language)


def _parameters(parameters: Iterable[Schema], shapes: Shapes, speech: Speech) -> str:
    language = speech.language
    head = [word(key, language) for key in ("field", "place", "type", "needed", "meaning")]
    rows = []
    for one in parameters:
        (field,) = shapes.fields({"properties": {one["name"]: one["schema"]}}, depth=99)
        meaning = _told(field, str(one.get("description", "")), speech)
        rows.append(
            (
                f"`{one['name']}`",
                word(f"in_{one['in']}", language),
                field.type,
                _tick(needed=one.get("required", False)),
                meaning,
            )
        )
    return _table(head, rows)


def _answer(
    status: str, answer: Mapping[str, Any], shapes: Shapes, speech: Speech, *, repeated: bool
) -> Iterator[str]:
    language = speech.language
    contents = answer.get("content", {})
    said = speech.of_field(str(answer["description"]).removeprefix("Successful Response"))
    kinds = " ".join(f"`{kind}`" for kind in contents) or word("no_body", language)
    yield f"**{word('answer', language)} {status}** {kinds}{' – ' + said if said else ''}"
    if _JSON in contents and not repeated:
        yield from _fields(shapes.fields(contents[_JSON]["schema"]), speech, request=False)


def _fields(fields: Iterable[Field], speech: Speech, *, request: bool) -> Iterator[str]:
    rows = [
        (
            f"`{field.path}`",
            field.type,
            *([_tick(needed=field.needed)] if request else []),
            _told(field, field.meaning, speech),
        )
        for field in fields
    ]
    if rows:
        keys = ("field", "type", "needed", "meaning") if request else ("field", "type", "meaning")
        yield _table([word(key, speech.language) for key in keys], rows)


def _told(field: Field, meaning: str, speech: Speech) -> str:
    said = speech.of_field(meaning or field.meaning)
    return word("semicolon", speech.language).join(part for part in (said, *field.bounds) if part)


def _tick(*, needed: bool) -> str:
    return "✓" if needed else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    """On one line; a stroke in code is no border and would show its backslash."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(part if part.startswith("`") else part.replace("|", "\\|") for part in parts)

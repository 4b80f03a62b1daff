"""The bureau's own documents: what stands on them beside the figures, and their templates in versions."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends, File, Form, Query, Response, UploadFile
from fastapi.responses import RedirectResponse

from services.console.pages.routes import OUR_FORM, BureauReader, Visitor, page_router, visitor_with
from services.console.templatepages.rules import OWNERS, Document, Owner, owner_of, words_of
from shared.clients.integrity import Refused
from shared.clients.services import Upload, at
from shared.errors import NotFound
from shared.identity.staff import WRITERS

_PATH = "/console/templates"
_VERSION_MAX = 10_000
_LISTED_MAX = 200
# Twenty sentences of a thousand characters, and the line breaks of a browser.
_SENTENCES_LENGTH_MAX = 21_000

router = page_router(_PATH)

Writer = Annotated[Visitor, Depends(visitor_with(*WRITERS))]
Of = Annotated[str, Query(max_length=80)]
Day = Annotated[str, Query(max_length=10)]
Said = Annotated[str, Query(max_length=200)]
Typed = Annotated[str, Form(max_length=400)]
Sentences = Annotated[str, Form(max_length=_SENTENCES_LENGTH_MAX)]
Version = Annotated[int | None, Query(ge=1, le=_VERSION_MAX)]


async def _owners(visitor: Visitor) -> list[tuple[str, str, str]]:
    """Campaigns and programmes, as choices."""
    choices = []
    for sort, (service, listed, _) in OWNERS.items():
        items = (await visitor.calls.get(at(service, listed), {"limit": _LISTED_MAX}))["items"]
        choices += [(Owner(sort, one["slug"]).name, one["title"], one["title"]) for one in items]
    return choices


async def _shown(visitor: Visitor, owner: Owner, document: Document) -> dict[str, Any]:
    """A document with its versions and words."""
    kept = await visitor.calls.get(at(*owner.call(f"{document.kind}-template/versions")))
    words = await visitor.calls.get(at(*owner.call(f"{document.kind}-words")))
    return {"document": document, "versions": kept, "words": words["words"], "since": words}


async def _page(
    visitor: Visitor,
    of: str,
    *,
    refused: Refused | None = None,
    typed: tuple[str, dict[str, Any]] | None = None,
    done: str = "",
) -> Response:
    choices = await _owners(visitor)
    owner = owner_of(of or (choices[0][0] if choices else ""))
    if owner is None and choices:
        raise NotFound
    shown = [await _shown(visitor, owner, document) for document in owner.documents] if owner else []
    for one in shown:
        # What was typed stays when it is refused.
        if typed and one["document"].kind == typed[0]:
            one["words"] = {**one["words"], **typed[1]}
    return visitor.page(
        "templatepages/templates.html",
        here="templates",
        status=refused.status if refused else 200,
        choices=choices,
        owner=owner,
        shown=shown,
        refused=refused,
        done=done,
        may_write=visitor.staff.has(*WRITERS),
    )


def _known(of: str, kind: str) -> tuple[Owner, Document]:
    """Raises NotFound."""
    owner = owner_of(of)
    document = owner.document(kind) if owner else None
    if owner is None or document is None:
        raise NotFound
    return owner, document


@router.get("")
async def templates(visitor: BureauReader, of: Of = "", done: Of = "") -> Response:
    return await _page(visitor, of, done=done)


@router.get("/report")
async def report(visitor: BureauReader, of: Of, number: Said = "", dated: Day = "") -> Response:
    """The report as of now."""
    owner, document = _known(of, "report")
    query = {"number": number.strip() or None, "dated": dated or None}
    return await visitor.file(at(*owner.call("report.docx")), f"{document.zh}-{owner.slug}.docx", query)


@router.get("/{kind}.docx")
async def template_file(visitor: BureauReader, kind: str, of: Of, *, version: Version = None) -> Response:
    owner, document = _known(of, kind)
    number = f"-第{version}版" if version else ""
    path = at(*owner.call(f"{kind}-template"))
    return await visitor.file(path, f"{document.zh}模板{number}.docx", {"version": version})


@router.post("/{kind}", dependencies=[OUR_FORM])
async def replace_template(
    visitor: Writer, kind: str, *, of: Typed = "", file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Puts a template in the place of the one in use; without a file, the platform's own."""
    owner, _ = _known(of, kind)
    path = at(*owner.call(f"{kind}-template"))
    try:
        if file is not None and file.filename:
            await visitor.calls.upload(path, {"file": Upload(file.filename, file.file)}, method="PUT")
        else:
            await visitor.calls.delete(path)
    except Refused as refused:
        return await _page(visitor, of, refused=refused)
    return _done(owner, "template")


@router.post("/{kind}/words", dependencies=[OUR_FORM])
async def replace_words(
    visitor: Writer,
    kind: str,
    *,
    of: Typed = "",
    issuer: Typed = "",
    number: Typed = "",
    addressees: Typed = "",
    copies: Typed = "",
    red_head: Typed = "",
    problems: Sentences = "",
    next_steps: Sentences = "",
) -> Response:
    owner, document = _known(of, kind)
    typed = {
        "issuer": issuer,
        "number": number,
        "addressees": addressees,
        "copies": copies,
        "red_head": red_head,
        "problems": problems,
        "next_steps": next_steps,
    }
    words = words_of(document, typed)
    try:
        await visitor.calls.put(at(*owner.call(f"{kind}-words")), words)
    except Refused as refused:
        return await _page(visitor, of, refused=refused, typed=(kind, words))
    return _done(owner, "words")


def _done(owner: Owner, what: str) -> Response:
    return RedirectResponse(f"{_PATH}?{urlencode({'of': owner.name, 'done': what})}", status_code=303)

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, UploadFile

from services.quota.templates.rules import TemplateKind
from shared.http.auth import Reader, Writer
from shared.paperwork import Papers
from shared.paperwork.schemas import NoticeWords, NoticeWordsView, TemplateVersions, TemplateView

router = APIRouter(prefix="/quota/v1/programmes/{slug}", tags=["bulletins"])

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_VERSION_MAX = 10_000


def _templates(request: Request) -> Papers:
    templates: Papers = request.app.state.wiring.templates
    return templates


@router.get(
    "/{kind}-template",
    operation_id="quota_get_bulletin_template",
    response_class=Response,
    responses={200: {"content": {DOCX: {}}, "description": "The template in use, or the version asked for"}},
)
async def get_template(
    request: Request,
    slug: str,
    kind: TemplateKind,
    staff: Reader,  # noqa: ARG001 - only readers get here
    version: Annotated[
        int | None, Query(ge=1, le=_VERSION_MAX, description="the one in use if left out")
    ] = None,
) -> Response:
    """The template in use (`bulletin` or `reminder`) or an earlier one, to be edited and handed back."""
    content = await _templates(request).template(slug, kind, version)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{kind}-template.docx"}
    return Response(content, media_type=DOCX, headers=headers)


@router.get("/{kind}-template/versions", operation_id="quota_list_bulletin_template_versions")
async def list_template_versions(
    request: Request,
    slug: str,
    kind: TemplateKind,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> TemplateVersions:
    """Which templates were in use, since when, and who put them there."""
    return await _templates(request).versions(slug, kind)


@router.put("/{kind}-template", operation_id="quota_replace_bulletin_template")
async def replace_template(
    request: Request, slug: str, kind: TemplateKind, staff: Writer, file: UploadFile
) -> TemplateView:
    """Puts the bureau's own template into use. What it may name is in the answer; unknown names are a 422."""
    return await _templates(request).replace(staff, slug, kind, await file.read())


@router.delete("/{kind}-template", operation_id="quota_drop_bulletin_template")
async def drop_template(request: Request, slug: str, kind: TemplateKind, staff: Writer) -> TemplateView:
    """Goes back to the platform's own template; earlier versions stay to be fetched."""
    return await _templates(request).drop(staff, slug, kind)


@router.get("/{kind}-words", operation_id="quota_get_bulletin_words")
async def get_words(
    request: Request,
    slug: str,
    kind: TemplateKind,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> NoticeWordsView:
    """What stands on these documents beside their figures, unless a request says otherwise."""
    words, since = await _templates(request).words(slug, kind)
    return NoticeWordsView(words=NoticeWords.model_validate(words), **since.model_dump())


@router.put("/{kind}-words", operation_id="quota_replace_bulletin_words")
async def replace_words(
    request: Request, slug: str, kind: TemplateKind, staff: Writer, body: NoticeWords
) -> NoticeWordsView:
    """Issuer, addressees, copies and red head from now on, of notices and letters that are made later."""
    templates = _templates(request)
    await templates.reword(staff, slug, kind, body.model_dump())
    words, since = await templates.words(slug, kind)
    return NoticeWordsView(words=NoticeWords.model_validate(words), **since.model_dump())

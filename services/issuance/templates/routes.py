from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response, UploadFile

from services.issuance.templates.rules import REPORT
from shared.http.auth import Reader, Writer
from shared.paperwork import Papers
from shared.paperwork.schemas import ReportWords, ReportWordsView, TemplateVersions, TemplateView

router = APIRouter(prefix="/issuance/v1/campaigns/{slug}", tags=["figures"])

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_VERSION_MAX = 10_000
_SLUG_MAX = 64

Slug = Annotated[str, Path(max_length=_SLUG_MAX)]


def _templates(request: Request) -> Papers:
    templates: Papers = request.app.state.wiring.reports.templates
    return templates


@router.get(
    "/report-template",
    operation_id="issuance_get_report_template",
    response_class=Response,
    responses={200: {"content": {DOCX: {}}, "description": "The template in use, or the version asked for"}},
)
async def get_template(
    request: Request,
    slug: Slug,
    staff: Reader,  # noqa: ARG001 - only readers get here
    version: Annotated[
        int | None, Query(ge=1, le=_VERSION_MAX, description="the one in use if left out")
    ] = None,
) -> Response:
    """The template of the official report, in use or an earlier one, to be edited and handed back."""
    content = await _templates(request).template(slug, REPORT, version)
    headers = {"Content-Disposition": "attachment; filename*=UTF-8''report-template.docx"}
    return Response(content, media_type=DOCX, headers=headers)


@router.get("/report-template/versions", operation_id="issuance_list_report_template_versions")
async def list_template_versions(
    request: Request,
    slug: Slug,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> TemplateVersions:
    """Which templates and words were in use, since when, and who put them there."""
    return await _templates(request).versions(slug, REPORT)


@router.put("/report-template", operation_id="issuance_replace_report_template")
async def replace_template(request: Request, slug: Slug, staff: Writer, file: UploadFile) -> TemplateView:
    """Puts the bureau's own template into use. What it may name is in the answer; unknown names are a 422."""
    return await _templates(request).replace(staff, slug, REPORT, await file.read())


@router.delete("/report-template", operation_id="issuance_drop_report_template")
async def drop_template(request: Request, slug: Slug, staff: Writer) -> TemplateView:
    """Goes back to the platform's own template; earlier versions stay to be fetched."""
    return await _templates(request).drop(staff, slug, REPORT)


@router.get("/report-words", operation_id="issuance_get_report_words")
async def get_words(
    request: Request,
    slug: Slug,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> ReportWordsView:
    """What stands in the report beside its figures, unless a request says otherwise."""
    words, since = await _templates(request).words(slug, REPORT)
    return ReportWordsView(words=ReportWords.model_validate(words), **since.model_dump())


@router.put("/report-words", operation_id="issuance_replace_report_words")
async def replace_words(request: Request, slug: Slug, staff: Writer, body: ReportWords) -> ReportWordsView:
    """Issuer, number, addressees and the bureau's own sentences, of reports that are made from now on."""
    templates = _templates(request)
    await templates.reword(staff, slug, REPORT, body.model_dump())
    words, since = await templates.words(slug, REPORT)
    return ReportWordsView(words=ReportWords.model_validate(words), **since.model_dump())

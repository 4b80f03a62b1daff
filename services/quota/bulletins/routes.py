from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response

from services.quota.bulletins.operations import Bulletins
from services.quota.bulletins.schemas import DocumentQuery, LettersQuery
from services.quota.programmes.routes import ProgrammeReader
from services.quota.templates.routes import DOCX
from shared.http.auth import Reader

router = APIRouter(prefix="/quota/v1", tags=["bulletins"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP = "application/zip"


def _bulletins(request: Request) -> Bulletins:
    bulletins: Bulletins = request.app.state.wiring.bulletins
    return bulletins


@router.get(
    "/programmes/{slug}/bulletin.docx",
    operation_id="quota_get_bulletin",
    response_class=Response,
    responses={200: {"content": {DOCX: {}}, "description": "The notice, in the form of GB/T 9704"}},
)
async def get_bulletin(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    asked: DocumentQuery,
) -> Response:
    """The monthly notice as Word. Every figure is the frozen edition's; before the freeze it is a draft."""
    content = await _bulletins(request).notice(slug, asked)
    return _file(content, DOCX, f"bulletin-{slug}-{asked.month or 'now'}.docx")


@router.get(
    "/programmes/{slug}/bulletin.xlsx",
    operation_id="quota_get_bulletin_workbook",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The whole list, and a sheet for each alliance"}},
)
async def get_bulletin_workbook(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    asked: DocumentQuery,
) -> Response:
    """The notice's figures as a workbook, with the totals of the Word document."""
    content = await _bulletins(request).workbook(slug, asked)
    return _file(content, XLSX, f"bulletin-{slug}-{asked.month or 'now'}.xlsx")


@router.get(
    "/hospitals/{hospital_id}/reminder.docx",
    operation_id="quota_get_reminder",
    response_class=Response,
    responses={200: {"content": {DOCX: {}}, "description": "A letter to the hospital"}},
)
async def get_reminder(
    request: Request, hospital_id: str, staff: ProgrammeReader, asked: DocumentQuery
) -> Response:
    """The reminder to one hospital, flagged or not; a hospital gets its own only."""
    content = await _bulletins(request).reminder(staff, hospital_id, asked)
    return _file(content, DOCX, f"reminder-{hospital_id}-{asked.month or 'now'}.docx")


@router.get(
    "/programmes/{slug}/reminders.zip",
    operation_id="quota_get_reminders",
    response_class=Response,
    responses={200: {"content": {ZIP: {}}, "description": "A letter to each flagged hospital"}},
)
async def get_reminders(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    asked: Annotated[LettersQuery, Query()],
) -> Response:
    """The reminders to all flagged hospitals; `everybody=true` for all, at most 100 at once."""
    content = await _bulletins(request).reminders(slug, asked, everybody=asked.everybody)
    return _file(content, ZIP, f"reminders-{slug}-{asked.month or 'now'}.zip")


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=media_type, headers=headers)

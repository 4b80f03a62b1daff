from typing import Annotated

from fastapi import APIRouter, Form, Request, Response, UploadFile
from pydantic import ValidationError

from services.quota.hospitallists.operations import HospitalLists
from services.quota.hospitallists.rules import Wishes
from services.quota.hospitallists.schemas import CONFIRMATIONS, NEW, HospitalImportReport
from shared.errors import Fault, InvalidRequest
from shared.http.auth import Reader, Writer

router = APIRouter(prefix="/quota/v1/programmes", tags=["hospitals"])

_CONFIRM_LENGTH_MAX = 200_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def _lists(request: Request) -> HospitalLists:
    lists: HospitalLists = request.app.state.wiring.hospital_lists
    return lists


@router.get(
    "/{slug}/hospitals/template.xlsx",
    operation_id="quota_get_hospital_template",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "An .xlsx to fill in"}},
)
async def get_hospital_template(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> Response:
    """The workbook that the import of hospitals understands."""
    content = await _lists(request).template(slug)
    headers = {"Content-Disposition": 'attachment; filename="hospitals-template.xlsx"'}
    return Response(content, media_type=_XLSX, headers=headers)


@router.post("/{slug}/hospitals/import", operation_id="quota_import_hospitals")
async def import_hospitals(
    request: Request,
    slug: str,
    staff: Writer,
    file: UploadFile,
    confirm: Annotated[str | None, Form(max_length=_CONFIRM_LENGTH_MAX)] = None,
    *,
    keep_names: Annotated[bool, Form()] = False,
    take_aliases: Annotated[bool, Form()] = False,
    dry_run: bool = False,
) -> HospitalImportReport:
    """Takes hospitals from a list (.xlsx, .csv): 医共体, 医院, 诊疗人次 in any order.

    A hospital is known by any of its names; its alliance and visits are updated. A new name that is near to
    a hospital known before is `maybe_known` until `confirm` (JSON: row → hospital id, or `new`) says who is
    meant; `keep_names` then makes that spelling an alias. `take_aliases` also reads a column 别名. `dry_run`
    only says what would happen.
    """
    wishes = Wishes(_confirmed(confirm), keep_names=keep_names, take_aliases=take_aliases)
    return await _lists(request).take(staff, slug, await file.read(), wishes, dry_run=dry_run)


def _confirmed(text: str | None) -> dict[int, str | None]:
    """Raises InvalidRequest."""
    if not text:
        return {}
    try:
        found = CONFIRMATIONS.validate_json(text)
    except ValidationError:
        message = '应为 JSON，如 {"5": "hos_…", "7": "new"}：行号和医院编号'
        raise InvalidRequest(faults=(Fault("confirm", message, "confirmation_invalid"),)) from None
    return {int(row): None if meant == NEW else meant for row, meant in found.items()}

from typing import Annotated

from fastapi import APIRouter, Form, Path, Query, Request, Response, UploadFile
from pydantic import StringConstraints

from services.quota.workdays.operations import Workdays
from services.quota.workdays.rules import YEARS
from services.quota.workdays.schemas import WorkingYearDays, WorkingYearReport, WorkingYears
from shared.http.auth import Reader, Writer

router = APIRouter(prefix="/quota/v1/working-days", tags=["working days"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

YearNumber = Annotated[int, Path(ge=YEARS.start, lt=YEARS.stop)]
Source = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True),
    Form(description="the notice that the days are taken from"),
]


def _workdays(request: Request) -> Workdays:
    workdays: Workdays = request.app.state.wiring.workdays
    return workdays


@router.get("", operation_id="quota_list_working_years")
async def list_working_years(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> WorkingYears:
    """The years that have a calendar of working days, with its source."""
    return await _workdays(request).years()


@router.get(
    "/template.xlsx",
    operation_id="quota_get_working_year_template",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "A workbook to fill in and hand back"}},
)
async def get_working_year_template(
    request: Request,
    staff: Reader,  # noqa: ARG001 - only readers get here
    year: Annotated[int, Query(ge=YEARS.start, lt=YEARS.stop)],
) -> Response:
    """A workbook for the import, with what is known of the year filled in."""
    content = await _workdays(request).template(year)
    headers = {"Content-Disposition": f'attachment; filename="working-days-{year}.xlsx"'}
    return Response(content, media_type=XLSX, headers=headers)


@router.get("/{year}", operation_id="quota_get_working_year")
async def get_working_year(
    request: Request,
    year: YearNumber,
    staff: Reader,  # noqa: ARG001 - only readers get here
) -> WorkingYearDays:
    """A year's days off and make-up working days; a year without a calendar goes by weekdays."""
    return await _workdays(request).year(year)


@router.post("/{year}/import", operation_id="quota_import_working_year")
async def import_working_year(
    request: Request,
    year: YearNumber,
    staff: Writer,
    file: UploadFile,
    source: Source,
    *,
    dry_run: bool = False,
) -> WorkingYearReport:
    """Takes a year's calendar from a list (.xlsx, .csv): 日期, 类型 (放假 or 上班), 名称.

    The file is taken whole or, with any wrong row, not at all; it replaces what was known of the year,
    shipped or imported. `dry_run` only says what would happen.
    """
    return await _workdays(request).import_year(
        staff, year, await file.read(), source=source, dry_run=dry_run
    )

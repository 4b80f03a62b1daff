import asyncio
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Response, UploadFile

from services.quota.programmes.rules import CARDS_MAX
from services.quota.tablechecks.operations import check_files, template
from services.quota.tablechecks.schemas import TableCheck
from shared.http.auth import Reader

router = APIRouter(prefix="/quota/v1", tags=["table checks"])

_ADJUSTMENTS_LENGTH_MAX = 200_000
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@router.get(
    "/table-checks/template.xlsx",
    operation_id="quota_table_check_template",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "An .xlsx to fill in"}},
)
async def table_check_template(staff: Reader) -> Response:  # noqa: ARG001 - only readers get here
    """The workbook that the check understands, with an example and instructions."""
    name = f"attachment; filename=\"table.xlsx\"; filename*=UTF-8''{quote('分配表模板.xlsx')}"
    return Response(template(), media_type=_XLSX, headers={"Content-Disposition": name})


@router.post("/table-checks", operation_id="quota_check_table")
async def check_table(
    staff: Reader,  # noqa: ARG001 - only readers get here
    file: UploadFile,
    totals: UploadFile | None = None,
    total: Annotated[int | None, Form(ge=1, le=CARDS_MAX)] = None,
    adjustments: Annotated[str | None, Form(max_length=_ADJUSTMENTS_LENGTH_MAX)] = None,
) -> TableCheck:
    """Recomputes a published table (.xlsx, .csv) and says what does not add up; stores nothing.

    The table has 医院, 任务数 and, if printed, 医共体, 诊疗人次, 占比, with 小计 and 合计 rows; or it is
    simply parts and a total. `totals` is a second file with printed subtotals, `total` the figure of the
    text, `adjustments` JSON as in an allocation.
    """
    return await asyncio.to_thread(
        check_files,
        await file.read(),
        totals=await totals.read() if totals else None,
        total=total,
        adjustments=adjustments,
    )

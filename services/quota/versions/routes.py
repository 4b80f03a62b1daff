from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response

from services.quota.allocation.schemas import AllocationVersions, AllocationView
from services.quota.hospitals.routes import PartQuery
from services.quota.versions.operations import AllocationVersionsRead
from services.quota.versions.schemas import AllocationComparison
from shared.http.auth import Reader

router = APIRouter(prefix="/quota/v1/programmes/{slug}/allocations", tags=["allocation"])

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_VERSION_MAX = 1_000_000

Number = Annotated[int, Path(ge=1, le=_VERSION_MAX)]
Earlier = Annotated[int, Query(alias="from", ge=1, le=_VERSION_MAX)]
Later = Annotated[int, Query(alias="to", ge=1, le=_VERSION_MAX)]


def _versions(request: Request) -> AllocationVersionsRead:
    versions: AllocationVersionsRead = request.app.state.wiring.versions
    return versions


@router.get("", operation_id="quota_list_allocations")
async def list_allocations(request: Request, slug: str, staff: Reader) -> AllocationVersions:  # noqa: ARG001 - only readers get here
    """Every version of the quotas, newest first; `in_force` is the one by which this month is judged."""
    return await _versions(request).versions(slug)


@router.get("/current", operation_id="quota_get_current_allocation")
async def get_current_allocation(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    query: PartQuery,
) -> AllocationView:
    """The quotas in force this month."""
    return await _versions(request).current(slug, query.part())


@router.get("/compare", operation_id="quota_compare_allocations")
async def compare_allocations(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    earlier: Earlier,
    later: Later,
) -> AllocationComparison:
    """Two versions beside each other: per hospital and alliance before, after, difference, and why."""
    return await _versions(request).compare(slug, earlier=earlier, later=later)


@router.get(
    "/compare.xlsx",
    operation_id="quota_get_allocation_comparison_workbook",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "The comparison as a sheet"}},
)
async def get_comparison_workbook(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    earlier: Earlier,
    later: Later,
) -> Response:
    """The comparison of two versions as a workbook."""
    content = await _versions(request).comparison_workbook(slug, earlier=earlier, later=later)
    return _file(content, f"allocations-{slug}-{earlier}-{later}.xlsx")


@router.get(
    "/{version}.xlsx",
    operation_id="quota_get_allocation_workbook",
    response_class=Response,
    responses={200: {"content": {_XLSX: {}}, "description": "The version as a sheet"}},
)
async def get_allocation_workbook(request: Request, slug: str, version: Number, staff: Reader) -> Response:  # noqa: ARG001 - only readers get here
    """A version of the quotas as a workbook."""
    content = await _versions(request).version_workbook(slug, version)
    return _file(content, f"allocation-{slug}-{version}.xlsx")


@router.get("/{version}", operation_id="quota_get_allocation")
async def get_allocation(
    request: Request,
    slug: str,
    version: Number,
    staff: Reader,  # noqa: ARG001 - only readers get here
    query: PartQuery,
) -> AllocationView:
    """A version of the quotas, also one that is not in force."""
    return await _versions(request).version(slug, version, query.part())


def _file(content: bytes, name: str) -> Response:
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}"}
    return Response(content, media_type=_XLSX, headers=headers)

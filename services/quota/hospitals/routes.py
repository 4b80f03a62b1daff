from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from services.quota.hospitals.operations import Asked, Hospitals, hospital_item
from services.quota.hospitals.rules import NAME_LENGTH_MAX, Part, State
from services.quota.hospitals.schemas import HospitalItem, HospitalMade, NewHospitalBody
from services.quota.programmes.routes import ProgrammeReader
from shared.errors import Fault, InvalidRequest
from shared.http.auth import Reader, Writer
from shared.http.replies import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    CountedPage,
    Cursor,
    Day,
    Limit,
    decode_cursor,
    encode_cursor,
    position_of_number,
    replayable,
    staff_key,
)

router = APIRouter(prefix="/quota/v1/programmes", tags=["hospitals"])

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# The database's bigint.
_PLACE_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class _ListQuery:
    alliance: Annotated[
        str | None, Query(max_length=NAME_LENGTH_MAX, description="empty: those that stand alone")
    ] = None
    state: Annotated[State | None, Query()] = None
    q: Annotated[str | None, Query(max_length=NAME_LENGTH_MAX, description="part of any name in use")] = None
    on: Annotated[Day | None, Query(description="as they stand on that day; today if left out")] = None

    def asked(self) -> Asked:
        return Asked(self.alliance, self.state, self.q, self.on)


ListQuery = Annotated[_ListQuery, Depends()]


@dataclass(frozen=True, slots=True)
class _PartQuery:
    alliance: Annotated[
        str | None, Query(max_length=NAME_LENGTH_MAX, description="of `items` only; empty: those alone")
    ] = None
    q: Annotated[str | None, Query(max_length=NAME_LENGTH_MAX, description="part of the name")] = None
    limit: Annotated[int | None, Query(ge=1, le=LIMIT_MAX, description="all if left out")] = None
    cursor: Cursor = None

    def part(self) -> Part:
        """Raises InvalidRequest."""
        return Part(self.alliance, self.q, self.limit, position_of_number(self.cursor) or 0)


# Of figures by hospital: narrows and pages `items`, and nothing else of the answer.
PartQuery = Annotated[_PartQuery, Depends()]


def _hospitals(request: Request) -> Hospitals:
    hospitals: Hospitals = request.app.state.wiring.hospitals
    return hospitals


@router.get("/{slug}/hospitals", operation_id="quota_list_hospitals")
async def list_hospitals(
    request: Request,
    slug: str,
    staff: ProgrammeReader,
    query: ListQuery,
    *,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
) -> CountedPage[HospitalItem]:
    """The hospitals of a programme in the order of their list, each with the code in use."""
    found, total = await _hospitals(request).page(
        staff, slug, query.asked(), limit=limit, after=_place(cursor)
    )
    return CountedPage(
        total=total,
        items=[hospital_item(hospital) for hospital in found[:limit]],
        next_cursor=encode_cursor([found[limit - 1].position]) if len(found) > limit else None,
    )


@router.post(
    "/{slug}/hospitals", operation_id="quota_create_hospital", status_code=201, response_model=HospitalMade
)
async def create_hospital(request: Request, slug: str, staff: Writer, body: NewHospitalBody) -> JSONResponse:
    """Adds one hospital behind the list, with a code of its own."""
    key = staff_key(staff, "hospital.create", body, slug)
    return replayable(await _hospitals(request).create(staff, slug, body, key))


@router.get(
    "/{slug}/hospitals.xlsx",
    operation_id="quota_export_hospitals",
    response_class=Response,
    responses={200: {"content": {XLSX: {}}, "description": "The list, with all names in use"}},
)
async def export_hospitals(
    request: Request,
    slug: str,
    staff: Reader,  # noqa: ARG001 - only readers get here
    query: ListQuery,
) -> Response:
    """The list as Excel, narrowed like the list. Names are text in it, never formulas."""
    content = await _hospitals(request).workbook(slug, query.asked())
    headers = {"Content-Disposition": f'attachment; filename="hospitals-{slug}.xlsx"'}
    return Response(content, media_type=XLSX, headers=headers)


def _place(cursor: str | None) -> int:
    """The place in the list behind which the page begins. Raises InvalidRequest for a made-up cursor."""
    match decode_cursor(cursor):
        case None:
            return 0
        case [int(place)] if 0 <= place <= _PLACE_MAX:
            return place
        case _:
            raise InvalidRequest(faults=(Fault("query.cursor", "is not a cursor of this list", "cursor"),))

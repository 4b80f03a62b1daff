from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse

from services.quota.posters.operations import Posters
from services.quota.posters.rules import Format
from services.quota.programmes.routes import ProgrammeReader
from services.quota.qrcodes.routes import SceneInUse
from shared.http.origin import public_origin

router = APIRouter(prefix="/quota/v1", tags=["posters"])


def _posters(request: Request) -> Posters:
    posters: Posters = request.app.state.wiring.posters
    return posters


@router.get(
    "/hospitals/{hospital_id}/poster.pdf",
    operation_id="quota_print_poster",
    response_class=Response,
    responses={200: {"content": {"application/pdf": {}}, "description": "One sheet, ready for print"}},
)
async def print_poster(
    request: Request,
    hospital_id: str,
    staff: ProgrammeReader,
    format: Format = "a4",  # noqa: A002 - the query's word
    scene: SceneInUse = None,
) -> Response:
    """The hospital's poster: its name, the slogan and its code, on A4 or as a roll-up of 80 × 200 cm."""
    content = await _posters(request).poster(
        staff, hospital_id, origin=public_origin(request), form=format, scene=scene
    )
    return Response(content, media_type="application/pdf")


@router.get(
    "/programmes/{slug}/qr.zip",
    operation_id="quota_print_all_codes",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {}}, "description": "A folder for each hospital"}},
)
async def print_all_codes(
    request: Request, slug: str, staff: ProgrammeReader, *, sub_codes: bool = False
) -> StreamingResponse:
    """All hospitals' codes (SVG, PNG), posters (A4, roll-up) and a list of them (.csv), in one archive.

    `sub_codes` adds those of departments, channels and staff, in folders below their hospital's.
    """
    parts = await _posters(request).archive(staff, slug, origin=public_origin(request), sub_codes=sub_codes)
    headers = {"Content-Disposition": f'attachment; filename="{slug}-qr.zip"'}
    return StreamingResponse(parts, media_type="application/zip", headers=headers)

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse

from services.quota.programmes.routes import ProgrammeReader
from services.quota.qrcodes.operations import QrCodes
from services.quota.qrcodes.rules import DPI_DEFAULT, SENT_LENGTH_MAX, PngForm, SvgForm
from services.quota.qrcodes.schemas import CodeReplaced, CodeReplacement, HospitalCodes
from shared.http.auth import staff_with
from shared.http.origin import public_origin
from shared.http.replies import replayable, staff_key
from shared.identity.staff import WRITERS, Role, Staff

router = APIRouter(prefix="/quota/v1", tags=["qrcodes"])

_SCALE_MAX = 60
# Dots (or units) of each module.
Scale = Annotated[int, Query(ge=1, le=_SCALE_MAX)]
# From a screen to an imagesetter: at the highest an 80 mm code has about 3,800 dots each way.
Dpi = Annotated[int, Query(ge=72, le=1200, description="dots per inch: print resolution")]
# Any text: one that is no code in use of this hospital is a 404.
SceneInUse = Annotated[
    str | None, Query(max_length=SENT_LENGTH_MAX, description="a sub-code's, instead of the hospital's own")
]
# Who makes sub-codes: the bureau, and a hospital below itself.
CodeWriter = Annotated[Staff, Depends(staff_with(*WRITERS, Role.HOSPITAL))]


def _qrcodes(request: Request) -> QrCodes:
    qrcodes: QrCodes = request.app.state.wiring.qrcodes
    return qrcodes


@router.get(
    "/hospitals/{hospital_id}/qr.svg",
    operation_id="quota_draw_code_svg",
    response_class=Response,
    responses={200: {"content": {"image/svg+xml": {}}, "description": "The code as a drawing"}},
)
async def draw_code_svg(
    request: Request, hospital_id: str, staff: ProgrammeReader, scale: Scale = 8, scene: SceneInUse = None
) -> Response:
    """The hospital's own code, as a drawing of any size."""
    content = await _qrcodes(request).draw(
        staff, hospital_id, origin=public_origin(request), form=SvgForm(scale), scene=scene
    )
    return Response(content, media_type="image/svg+xml")


@router.get(
    "/hospitals/{hospital_id}/qr.png",
    operation_id="quota_draw_code_png",
    response_class=Response,
    responses={200: {"content": {"image/png": {}}, "description": "The code as a picture for print"}},
)
async def draw_code_png(
    request: Request,
    hospital_id: str,
    staff: ProgrammeReader,
    *,
    dpi: Dpi = DPI_DEFAULT,
    scale: Scale | None = None,
    scene: SceneInUse = None,
) -> Response:
    """The hospital's own code, as a picture for print: 80 mm wide at `dpi`, or `scale` dots a module."""
    content = await _qrcodes(request).draw(
        staff, hospital_id, origin=public_origin(request), form=PngForm(dpi, scale), scene=scene
    )
    return Response(content, media_type="image/png")


@router.get("/hospitals/{hospital_id}/codes", operation_id="quota_list_codes")
async def list_codes(request: Request, hospital_id: str, staff: ProgrammeReader) -> HospitalCodes:
    """The code in use, and those that it replaced: all of them count for the hospital."""
    return await _qrcodes(request).codes(staff, hospital_id, origin=public_origin(request))


@router.post(
    "/hospitals/{hospital_id}/codes/{scene}/replace",
    operation_id="quota_replace_code",
    status_code=201,
    response_model=CodeReplaced,
)
async def replace_code(
    request: Request, hospital_id: str, scene: str, staff: CodeWriter, body: CodeReplacement
) -> JSONResponse:
    """Puts a new code into use; posters with the old one go on counting."""
    key = staff_key(staff, "code.replace", body, hospital_id, scene)
    return replayable(await _qrcodes(request).replace(staff, hospital_id, scene, body.reason, key))

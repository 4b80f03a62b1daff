from typing import Annotated, Any

from fastapi import APIRouter, File, Request, Response, UploadFile
from fastapi.responses import JSONResponse

from services.issuance.photos.operations import Photos
from services.issuance.photos.rules import MEDIA_TYPE
from services.issuance.photos.schemas import PhotoKept
from shared.http.auth import CurrentCitizen, Reader
from shared.http.replies import replayable
from shared.ids import parse_hot_id
from shared.ratelimit import PHOTO_PER_PERSON, RateLimiter

router = APIRouter(prefix="/issuance/v1/photos", tags=["activities"])

_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {MEDIA_TYPE: {}}, "description": "The picture, without anything but its pixels"}
}


def _photos(request: Request) -> Photos:
    photos: Photos = request.app.state.wiring.photos
    return photos


@router.post("", operation_id="issuance_upload_photo", status_code=201, response_model=PhotoKept)
async def upload_photo(
    request: Request,
    citizen: CurrentCitizen,
    file: Annotated[UploadFile, File(description="JPEG, PNG or WebP, at most 8 MB")],
) -> JSONResponse:
    """Uploads a photo for a lead; the same photo again is answered as the first time."""
    limiter: RateLimiter = request.app.state.wiring.limiter
    await limiter.hit(PHOTO_PER_PERSON, citizen.person_id.hex)
    return replayable(await _photos(request).keep(citizen, file))


@router.get("/{photo_id}", operation_id="issuance_get_photo", response_class=Response, responses=_PICTURE)
async def get_photo(request: Request, photo_id: str, staff: Reader) -> Response:  # noqa: ARG001 - only staff get here
    """A photo, for whoever reviews what it is evidence of."""
    return Response(await _photos(request).picture(parse_hot_id(photo_id)), media_type=MEDIA_TYPE)

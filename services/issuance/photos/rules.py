"""What happens to an uploaded picture before it is kept. Pure: bytes in, bytes out.

A picture is decoded and drawn anew, and only the new one is kept. So nothing comes along that the pixels do
not show: no position, no camera, no comment, no second image behind the first, no file that is also
something else.
"""

import hashlib
import io
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile

BYTES_MAX = 8_000_000
# What a phone's camera makes. A JPEG is unfolded at the size that is needed, anything else whole: there a
# small file must not cost memory that others need.
PIXELS_MAX = 50_000_000
PIXELS_MAX_WHOLE = 25_000_000
# Enough to read a sign in the picture; larger ones are scaled down to it.
SIDE_MAX = 2048
MEDIA_TYPE = "image/jpeg"

_QUALITY = 85
_FORMATS = ("JPEG", "PNG", "WEBP")
_MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
_WHITE = (255, 255, 255)

# The limit is ours (PIXELS_MAX): the library's own warns where we refuse.
Image.MAX_IMAGE_PIXELS = None

_LOOK_SIDE = 8
_LOOK_BANDS = 4
_BAND_BITS = 16


class PhotoRefused(Exception):
    """`code` and `message` as they stand in the answer's faults."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture drawn anew. `look` is alike for pictures that look alike; `content_hash` for equal ones."""

    jpeg: bytes
    content_hash: bytes
    width: int
    height: int
    look: int


def redrawn(upload: bytes) -> Picture:
    """The picture in the upload, told by its bytes and never by its name or what the sender says it is.

    Raises:
        PhotoRefused: it is no JPEG, PNG or WebP, too large, or broken.
    """
    if not upload.startswith(_MAGIC):
        raise PhotoRefused("photo_type", "只能上传 JPEG、PNG 或 WebP 格式的照片")
    try:
        with Image.open(io.BytesIO(upload), formats=_FORMATS) as given:
            picture = _fresh(given)
    except PhotoRefused:
        raise
    except UnidentifiedImageError:
        raise PhotoRefused("photo_type", "只能上传 JPEG、PNG 或 WebP 格式的照片") from None
    except Exception as error:  # a broken file may make a decoder fail in any way
        raise PhotoRefused("photo_unreadable", "照片文件已损坏，请重新拍摄或选择其他照片") from error
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=_QUALITY)
    return Picture(
        jpeg=jpeg.getvalue(),
        content_hash=hashlib.sha256(jpeg.getvalue()).digest(),
        width=picture.width,
        height=picture.height,
        look=_look(picture),
    )


def _fresh(given: ImageFile) -> Image.Image:
    """Its pixels, upright, on white, not too large, on a new image that knows nothing else."""
    limit = PIXELS_MAX if isinstance(given, JpegImageFile) else PIXELS_MAX_WHOLE
    if given.width * given.height > limit:
        raise PhotoRefused("photo_too_large", "照片像素过大，请缩小后重新上传")
    given.draft("RGB", (SIDE_MAX, SIDE_MAX))
    given.thumbnail((SIDE_MAX, SIDE_MAX))
    ImageOps.exif_transpose(given, in_place=True)
    fresh = Image.new("RGB", given.size, _WHITE)
    if given.has_transparency_data:
        layer = given.convert("RGBA")
        fresh.paste(layer, mask=layer)
    else:
        fresh.paste(given.convert("RGB"))
    return fresh


def _look(picture: Image.Image) -> int:
    """64 bits that tell whether each spot is brighter than its right neighbour (dHash).

    Scaling and compression change few of them.
    """
    small = picture.convert("L").resize((_LOOK_SIDE + 1, _LOOK_SIDE), Image.Resampling.BILINEAR).tobytes()
    bits = 0
    for row in range(_LOOK_SIDE):
        start = row * (_LOOK_SIDE + 1)
        for place in range(start, start + _LOOK_SIDE):
            bits = bits << 1 | (small[place] > small[place + 1])
    return bits - (1 << 64) if bits >> 63 else bits


def look_bands(look: int) -> list[int]:
    """Parts of a look to find similar ones by: two looks that differ in at most 3 bits share one of them."""
    mask = (1 << _BAND_BITS) - 1
    return [band << _BAND_BITS | (look >> band * _BAND_BITS & mask) for band in range(_LOOK_BANDS)]

"""Pictures as phones make them, with what phones write beside the pixels."""

import io
import random
from typing import Any

from PIL import Image, PngImagePlugin

# What nobody must find again in a picture that we keep.
SECRET = b"SECRET-OF-THE-PHONE"
SECRET_TEXT = SECRET.decode()

_ORIENTATION, _MAKE, _GPS = 0x0112, 0x010F, 0x8825


def scene(seed: int, width: int = 320, height: int = 240) -> Image.Image:
    """Something to see: the same for the same seed."""
    small = Image.new("RGB", (12, 9))
    dice = random.Random(seed)
    small.putdata([tuple(dice.randrange(256) for _ in range(3)) for _ in range(12 * 9)])
    return small.resize((width, height), Image.Resampling.BICUBIC)


def photo(seed: int = 1, kind: str = "JPEG", **options: Any) -> bytes:  # noqa: ANN401 - Pillow's options
    file = io.BytesIO()
    scene(seed).save(file, kind, **options)
    return file.getvalue()


def told_exif(orientation: int = 1) -> Image.Exif:
    """With a maker, a position, and which way up the phone was."""
    exif = Image.Exif()
    exif[_MAKE] = SECRET_TEXT
    exif[_ORIENTATION] = orientation
    exif.get_ifd(_GPS)[1] = "N"
    exif.get_ifd(_GPS)[2] = (23.0, 22.0, 11.0)
    return exif


def telling_photo(kind: str) -> bytes:
    """With everything that a file of that kind can carry beside its pixels."""
    exif = told_exif()
    match kind:
        case "JPEG":
            xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
            return photo(kind=kind, exif=exif, comment=SECRET, xmp=xmp, icc_profile=SECRET) + SECRET
        case "PNG":
            texts = PngImagePlugin.PngInfo()
            texts.add_text("Comment", SECRET_TEXT)
            texts.add_itxt("XML:com.adobe.xmp", SECRET_TEXT)
            return photo(kind=kind, exif=exif, pnginfo=texts) + SECRET
        case _:
            return photo(kind=kind, exif=exif, xmp=SECRET, icc_profile=SECRET) + SECRET

"""What a camera and a reader see of a printed sheet."""

from dataclasses import dataclass

import pypdfium2
import zxingcpp
from PIL import Image

_MM_PER_POINT = 25.4 / 72


@dataclass(frozen=True, slots=True)
class Sheet:
    width_mm: int
    height_mm: int
    text: str
    codes: list[str]


def sheet(document: bytes, *, dots: int = 1200) -> Sheet:
    """The only page: its size, its text without white space, and its codes seen `dots` wide."""
    (page,) = pypdfium2.PdfDocument(document)
    width, height = page.get_size()
    return Sheet(
        width_mm=round(width * _MM_PER_POINT),
        height_mm=round(height * _MM_PER_POINT),
        text="".join(page.get_textpage().get_text_bounded().split()),
        codes=codes_in(page.render(scale=dots / width).to_pil()),
    )


def codes_in(picture: Image.Image) -> list[str]:
    return [found.text for found in zxingcpp.read_barcodes(picture)]

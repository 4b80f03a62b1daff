"""The files of a code, as the pages of the bureau and of hospitals offer them. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CodeFile:
    """A file of a code: the last part of its call, its query, and its name for people."""

    call: str
    query: Mapping[str, str | int]
    name: str


CODE_FILES: Mapping[str, CodeFile] = {
    "qr.svg": CodeFile("qr.svg", {}, "二维码.svg"),
    "qr.png": CodeFile("qr.png", {"dpi": 300}, "二维码.png"),
    "poster-a4.pdf": CodeFile("poster.pdf", {"format": "a4"}, "海报-A4.pdf"),
    "poster-banner.pdf": CodeFile("poster.pdf", {"format": "banner"}, "易拉宝.pdf"),
}

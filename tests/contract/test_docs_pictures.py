"""The documents' pictures: all that are named are there, all that are there are named, none is heavy."""

import re
from pathlib import Path

from PIL import Image

from tests.architecture.markdown import links
from tests.browser.tour import BYTES_MAX, FOLDER, ROOT

# Height → width; a page that scrolls gives some of it to the bar.
_WIDTHS = {768: (1366, 1024), 844: (390,), 1080: (1920,)}
_BAR = 20


def pages() -> list[Path]:
    return [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def named() -> set[Path]:
    found = set()
    for page in pages():
        text = page.read_text(encoding="utf-8")
        targets = [*links(text), *re.findall(r"<img[^>]* src=\"([^\"]+)\"", text)]
        found |= {(page.parent / target).resolve() for target in targets if target.endswith(".png")}
    return found


def test_the_documents_name_every_picture_and_only_those() -> None:
    kept = set(FOLDER.rglob("*.png"))
    assert {"missing": named() - kept, "unused": kept - named()} == {"missing": set(), "unused": set()}, (
        "run `make pictures`, or take the picture's name out of tests/browser/tour.py"
    )


def test_pictures_are_light_and_of_the_size_of_a_screen() -> None:
    for path in FOLDER.rglob("*.png"):
        assert path.stat().st_size <= BYTES_MAX, path.name
        with Image.open(path) as picture:
            width, height = picture.size
        assert any(0 <= wide - width <= _BAR for wide in _WIDTHS[height]), (path.name, width, height)

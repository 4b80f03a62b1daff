"""Posters as PDF: whose code it is, what it is for, and the code, in vectors, to be printed at any size."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import segno
import structlog
from fontTools import subset
from fontTools.ttLib import TTFont
from fpdf import FPDF
from fpdf.fonts import TTFFont

from shared.documents.pdf import BUNDLED_FONT, simplified_face
from shared.errors import invariant

log = structlog.get_logger(__name__)

# Posters get rained on and scribbled over: three tenths of the code may be lost.
_ERROR_CORRECTION = "h"
# What the standard asks for around a code, in modules; the white card below leaves it free.
_QUIET_MODULES = 4
# Neighbouring modules overlap by this part of one, or printers draw hairlines between them.
_OVERLAP = 0.02
_FAMILY = "poster"
_POINTS_PER_MM = 72 / 25.4
_LINE_HEIGHT = 1.3
# A text is made smaller down to the first part to stay on one line, then wrapped, then made smaller still.
_ONE_LINE_PART = 0.5
_SMALLEST_PART = 0.35
_NEVER_FIRST = frozenset("）】》〉」』”’、，。；：！？…·)]}>,.;:!?%")
_NEVER_LAST = frozenset("（【《〈「『“‘([{<")
_GROUND = (0, 98, 155)
_PALE = (222, 238, 247)
_MARK_COLOUR = (190, 30, 45)


@dataclass(frozen=True, slots=True)
class Size:
    """Of the sheet, in mm; `code_mm` is the code with its quiet zone, `text_mm` the height of the name."""

    width_mm: int
    height_mm: int
    margin_mm: int
    code_mm: int
    text_mm: int


A4 = Size(width_mm=210, height_mm=297, margin_mm=15, code_mm=120, text_mm=13)
# A roll-up stands on the floor: its code is at the height of a chest, its lowest part holds no text.
BANNER = Size(width_mm=800, height_mm=2000, margin_mm=60, code_mm=480, text_mm=62)


@dataclass(frozen=True, slots=True)
class Poster:
    """`address` is what the code says, `caption` stands small below it, `mark` is printed over all."""

    title: str
    name: str
    slogan: str
    address: str
    caption: str
    mark: str | None = None

    @property
    def texts(self) -> str:
        return "".join((self.title, self.name, self.slogan, self.caption, self.mark or ""))


class _Sheet(FPDF):
    def __init__(self, font: Path, size: Size, at: datetime, title: str) -> None:
        super().__init__(orientation="portrait", unit="mm", format=(size.width_mm, size.height_mm))
        self.size = size
        self.set_auto_page_break(auto=False)
        self.add_font(_FAMILY, fname=font, collection_font_number=simplified_face(font))
        self.set_title(title)
        self.set_lang("zh-CN")
        self.set_creation_date(at)
        self.add_page()

    def ground(self, top: float, height: float, colour: tuple[int, int, int]) -> None:
        self.set_fill_color(*colour)
        self.rect(0, top, self.w, height, style="F")

    def fitted(self, text: str, *, top: float, height: float, text_mm: float) -> None:
        """Centred within the height, on one line if that leaves it large enough."""
        width = self.w - 2 * self.size.margin_mm
        smallest = text_mm * _SMALLEST_PART
        self.set_font(_FAMILY, size=text_mm * _POINTS_PER_MM)
        # A hair less than what fits, against the rounding of widths.
        alone = 0.99 * width / max(self.get_string_width(text), width)
        if alone >= _ONE_LINE_PART:
            text_mm *= alone
        lines = self._lines(text, width, text_mm)
        while len(lines) * text_mm * _LINE_HEIGHT > height and text_mm > smallest:
            text_mm *= 0.95
            lines = self._lines(text, width, text_mm)
        line_mm = text_mm * _LINE_HEIGHT
        y = top + (height - line_mm * len(lines)) / 2
        for line in lines:
            self.set_xy(self.size.margin_mm, y)
            self.cell(width, line_mm, line, align="C")
            y += line_mm

    def _lines(self, text: str, width: float, text_mm: float) -> list[str]:
        self.set_font(_FAMILY, size=text_mm * _POINTS_PER_MM)
        return balanced(text, width, self.get_string_width)

    def code(self, address: str, *, top: float) -> None:
        """The code on white, in the middle of the sheet."""
        rows = segno.make_qr(address, error=_ERROR_CORRECTION).matrix
        module = self.size.code_mm / (len(rows) + 2 * _QUIET_MODULES)
        left = (self.w - self.size.code_mm) / 2
        self.set_fill_color(255)
        self.rect(left, top, self.size.code_mm, self.size.code_mm, style="F")
        self.set_fill_color(0)
        more = module * _OVERLAP
        for y, row in enumerate(rows, start=_QUIET_MODULES):
            for start, length in _runs(row):
                x = left + (start + _QUIET_MODULES) * module
                self.rect(x, top + y * module, length * module + more, module + more, style="F")

    def mark(self, text: str) -> None:
        """Across the lower part of the sheet, never over the code."""
        self.set_text_color(*_MARK_COLOUR)
        self.set_font(_FAMILY, size=self.size.text_mm * _POINTS_PER_MM * 0.8)
        width = self.get_string_width(text)
        self.text((self.w - width) / 2, self.h - self.size.margin_mm, text)
        self.set_text_color(0)

    def missing(self, texts: str) -> int:
        """How many characters the font does not have."""
        font = self.fonts[_FAMILY]
        invariant(isinstance(font, TTFFont), "the font of a poster is not the one that was added")
        assert isinstance(font, TTFFont)  # noqa: S101 - narrows the type; the invariant above already refused
        return len({symbol for symbol in texts if not symbol.isspace() and ord(symbol) not in font.cmap})


def poster(content: Poster, size: Size, *, at: datetime, font: Path | None = None) -> bytes:
    """One sheet, dated `at`; in the platform's own font unless another is given."""
    sheet = _Sheet(font or BUNDLED_FONT, size, at, f"{content.name} {content.title}")
    text_mm, height = size.text_mm, sheet.h
    head = height * 0.13
    code_top = height * 0.335
    code_end = code_top + size.code_mm
    sheet.ground(0, height, _PALE)
    sheet.ground(0, head, _GROUND)
    sheet.set_text_color(255)
    sheet.fitted(content.title, top=0, height=head, text_mm=text_mm)
    sheet.set_text_color(0)
    sheet.fitted(content.name, top=head, height=code_top - head, text_mm=text_mm * 1.25)
    sheet.code(content.address, top=code_top)
    caption_mm = text_mm * 0.4
    sheet.fitted(content.caption, top=code_end, height=caption_mm * 3, text_mm=caption_mm)
    slogan_top = code_end + caption_mm * 3
    sheet.set_text_color(*_GROUND)
    sheet.fitted(
        content.slogan, top=slogan_top, height=min(height * 0.12, text_mm * 5), text_mm=text_mm * 1.1
    )
    sheet.set_text_color(0)
    if content.mark:
        sheet.mark(content.mark)
    missing = sheet.missing(content.texts)
    if missing:
        log.warning("Characters missing in the font of a poster: set HV_FONT_FILE", missing=missing)
    return bytes(sheet.output())


@contextmanager
def font_of(texts: Iterable[str], *, font: Path | None = None) -> Iterator[Path]:
    """A file of the font with these texts' characters only.

    Reading the whole one for each of a thousand posters would take most of the time.
    """
    source = font or BUNDLED_FONT
    options = subset.Options(layout_features=[], notdef_outline=True)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(set().union(*texts))))
    with tempfile.TemporaryDirectory(prefix="hv-font-") as folder:
        with TTFont(source, fontNumber=simplified_face(source), lazy=True) as whole:
            subsetter.subset(whole)
            path = Path(folder) / f"part{'.otf' if 'CFF ' in whole else '.ttf'}"
            whole.save(path)
        yield path


def balanced(text: str, width: float, width_of: Callable[[str], float]) -> list[str]:
    """The text in as few lines as fit, of about the same length: no line of a single character."""
    needed = 1
    while True:
        lines = _cut(text, needed)
        if all(width_of(line) <= width for line in lines) or needed >= len(text):
            return lines
        needed += 1


def _cut(text: str, count: int) -> list[str]:
    """Chinese breaks between any two characters, but not before a closing mark or behind an opening one."""
    share, longer = divmod(len(text), count)
    lines, start, even = [], 0, 0
    for place in range(count):
        even += share + (place < longer)
        end = max(even, start)
        while start < end < len(text) and (text[end] in _NEVER_FIRST or text[end - 1] in _NEVER_LAST):
            end += 1
        lines.append(text[start:end].strip())
        start = end
    return [line for line in lines if line]


def _runs(row: Iterable[int]) -> list[tuple[int, int]]:
    """Start and length of each run of dark modules."""
    found: list[tuple[int, int]] = []
    for place, dark in enumerate(row):
        if not dark:
            continue
        if found and sum(found[-1]) == place:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((place, 1))
    return found

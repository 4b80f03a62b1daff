"""Papers as PDF, A4, with a Chinese font that is embedded as far as it is used."""

import logging
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import structlog
from fontTools.ttLib import TTCollection
from fpdf import FPDF, XPos, YPos
from fpdf.enums import Align, TableCellFillMode
from fpdf.fonts import FontFace, TTFFont
from typing_extensions import override

from shared.documents.papers import Block, Cell, Facts, Fen, Grid, Lines, Paper, Rate, Signatures
from shared.errors import invariant
from shared.money import yuan

log = structlog.get_logger(__name__)
# What is missing in the font is said once for each paper, below; the subsetter's own words help nobody.
logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)

BUNDLED_FONT = Path(__file__).parent / "fonts" / "NotoSansSC-Common.ttf"

_FAMILY = "paper"
_MARGIN_MM = 20
_LINE_MM = 7
_TITLE_PT, _TEXT_PT, _SMALL_PT = 17, 10.5, 8
_MARK_PT = 30
_MARK_GREY = 215
_MARK_DEGREES = 45
_HEAD_COLOUR = (221, 235, 247)
_TOTAL_COLOUR = (242, 242, 242)
_SIGNATURE_MM = 16
_NAME_FAMILY = 1


class _Document(FPDF):
    def __init__(self, font: Path, paper: Paper, at: datetime) -> None:
        super().__init__(orientation="portrait", unit="mm", format="A4")
        self.paper = paper
        self.set_margins(_MARGIN_MM, _MARGIN_MM)
        self.set_auto_page_break(auto=True, margin=_MARGIN_MM)
        number = simplified_face(font)
        # One weight serves for both: heads are told apart by their ground.
        for style in ("", "B"):
            self.add_font(_FAMILY, style=style, fname=font, collection_font_number=number)
        self.set_title(paper.title)
        self.set_lang("zh-CN")
        self.set_creation_date(at)
        self.set_font(_FAMILY, size=_TEXT_PT)

    @override
    def header(self) -> None:
        mark = self.paper.mark
        if mark is None:
            return
        self.set_font(_FAMILY, size=_MARK_PT)
        self.set_text_color(_MARK_GREY)
        with self.rotation(_MARK_DEGREES, self.w / 2, self.h / 2):
            self.text(self.w / 2 - self.get_string_width(mark) / 2, self.h / 2, mark)
        self.set_text_color(0)
        self.set_font(_FAMILY, size=_TEXT_PT)

    @override
    def footer(self) -> None:
        self.set_y(_SMALL_PT - _MARGIN_MM)
        self.set_font(_FAMILY, size=_SMALL_PT)
        self.cell(0, 5, f"{self.paper.title}　第 {self.page_no()} 页，共 {{nb}} 页", align=Align.C)
        self.set_font(_FAMILY, size=_TEXT_PT)

    def line_of(self, text: str, *, align: Align = Align.L) -> None:
        self.multi_cell(0, _LINE_MM, text, align=align, new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def block(self, block: Block) -> None:
        match block:
            case Facts(pairs=pairs):
                for label, said in pairs:
                    self.line_of(f"{label}：{said}")
            case Grid():
                self._grid(block)
            case Lines(texts=texts):
                for text in texts:
                    self.line_of(text)
            case Signatures(labels=labels):
                self._signatures(labels)
        self.ln(_LINE_MM / 2)

    def _grid(self, grid: Grid) -> None:
        if grid.caption:
            self.line_of(grid.caption)
        samples = grid.rows[0] if grid.rows else (grid.total or grid.header)
        aligns = [Align.L if isinstance(cell, str) else Align.R for cell in samples]
        total = FontFace(emphasis="BOLD", fill_color=_TOTAL_COLOUR)
        with self.table(
            col_widths=tuple(grid.widths),
            text_align=tuple(aligns),
            headings_style=FontFace(emphasis="BOLD", fill_color=_HEAD_COLOUR),
            line_height=_LINE_MM,
            cell_fill_mode=TableCellFillMode.NONE,
        ) as table:
            table.row(grid.header)
            for cells in grid.rows:
                table.row([_text(cell) for cell in cells])
            if grid.total is not None:
                table.row([_text(cell) for cell in grid.total], style=total)

    def _signatures(self, labels: Sequence[str]) -> None:
        """Two beside each other, with room for a stamp; never torn from each other by a page break."""
        rows = -(-len(labels) // 2)
        if self.will_page_break(rows * _SIGNATURE_MM):
            self.add_page()
        for place, label in enumerate(labels):
            last = place % 2 == 1 or place == len(labels) - 1
            self.cell(
                self.epw / 2,
                _SIGNATURE_MM,
                f"{label}：",
                new_x=XPos.LMARGIN if last else XPos.RIGHT,
                new_y=YPos.NEXT if last else YPos.TOP,
            )

    def missing(self) -> int:
        """How many characters of the paper the font does not have."""
        font = self.fonts[_FAMILY]
        invariant(isinstance(font, TTFFont), "the font of a document is not the one that was added")
        assert isinstance(font, TTFFont)  # noqa: S101 - narrows the type; the invariant above already refused
        return len({symbol for symbol in _all_text(self.paper) if ord(symbol) not in font.cmap})


def pdf(paper: Paper, *, at: datetime, font: Path | None = None) -> bytes:
    """The paper as PDF, dated `at`; in the platform's own font unless another is given."""
    document = _Document(font or BUNDLED_FONT, paper, at)
    document.add_page()
    document.set_font(_FAMILY, size=_TITLE_PT)
    document.line_of(paper.title, align=Align.C)
    document.set_font(_FAMILY, size=_TEXT_PT)
    document.ln(_LINE_MM / 2)
    for block in paper.blocks:
        document.block(block)
    missing = document.missing()
    if missing:
        log.warning("Characters missing in the font of a document: set HV_FONT_FILE", missing=missing)
    return bytes(document.output())


def _text(cell: Cell) -> str:
    match cell:
        case Fen(fen=fen):
            return yuan(fen)
        case Rate(value=value):
            return f"{value:.2%}"
        case _:
            return str(cell)


def _all_text(paper: Paper) -> set[str]:
    found = set(paper.title) | set(paper.mark or "")
    for block in paper.blocks:
        match block:
            case Facts(pairs=pairs):
                found.update(*(label + said for label, said in pairs))
            case Grid():
                for row in (block.header, *block.rows, block.total or ()):
                    found.update(*map(_text, row))
            case Lines(texts=texts):
                found.update(*texts)
            case Signatures(labels=labels):
                found.update(*labels)
    return {symbol for symbol in found if not symbol.isspace()}


def simplified_face(font: Path) -> int:
    """Which font of a collection is the one for simplified Chinese; 0 for a file of one font."""
    if font.suffix.lower() != ".ttc":
        return 0
    with TTCollection(font, lazy=True) as collection:
        names = [face["name"].getDebugName(_NAME_FAMILY) or "" for face in collection.fonts]
    return next((place for place, name in enumerate(names) if name.endswith(" SC")), 0)

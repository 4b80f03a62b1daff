"""Official documents in the form of GB/T 9704-2012, drawn as Word files whose text people go on editing.

What is drawn here are templates: their text holds placeholders, which `wordtemplates` fills. Fonts are named,
never shipped: 仿宋_GB2312 and 小标宋 are commercial, and each has substitutes in the file's font table.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from docx import Document
from docx.document import Document as WordDocument
from docx.enum.table import WD_CELL_VERTICAL_ALIGNMENT
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Mm, Pt, RGBColor
from docx.table import Table, _Cell
from docx.text.paragraph import Paragraph
from docx.text.run import Run

# The standard's own numbers: A4, the text block 156 mm by 225 mm with 22 lines of 28 characters.
PAGE_MM = (210, 297)
TOP_MM, BOTTOM_MM, LEFT_MM, RIGHT_MM = 37, 35, 28, 26
# 7 mm between the text block and the page number, whose line is 5 mm high.
FOOTER_MM = BOTTOM_MM - 7 - 5
BODY_PT, TITLE_PT, SMALL_PT = 16, 22, 14
# 22 lines fill the text block exactly: 225 mm ÷ 22.
LINE_PT = 28.95
# 28 characters of 16 pt are 158 mm: each gives a quarter of a point, so that they stand on 156 mm.
_SPACING_TWIPS = -5
_ISSUER_PT, _ISSUER_LINE_PT = 36, 2 * LINE_PT
_NOTE_PT = 12
_TABLE_PT, _TABLE_LINE_PT = 10.5, 18
# Word's own margins beside a cell's text would take a quarter of a narrow column.
_CELL_MARGIN_MM = 0.8
_TEXT_MM = PAGE_MM[0] - LEFT_MM - RIGHT_MM
_INDENT_CHARACTERS, _DATE_CHARACTERS = 2, 4
_RED = RGBColor(0xFF, 0, 0)

FANGSONG, BIAOSONG, HEITI, SONGTI = "仿宋_GB2312", "方正小标宋简体", "黑体", "宋体"
SUBSTITUTES = {
    FANGSONG: "仿宋,FangSong,STFangsong,Noto Serif CJK SC",
    BIAOSONG: "方正小标宋_GBK,华文中宋,STZhongsong,宋体,Noto Serif CJK SC",
    HEITI: "SimHei,STHeiti,Noto Sans CJK SC",
    SONGTI: "SimSun,STSong,Noto Serif CJK SC",
}


class Kind(Enum):
    """What a paragraph is in an official document."""

    ISSUER = "发文机关标志"
    NUMBER = "发文字号"
    LETTERHEAD = "套红纸上的发文字号"
    TITLE = "标题"
    ADDRESSEES = "主送机关"
    BODY = "正文"
    HEADING = "一级标题"
    CAPTION = "表题"
    NOTE = "表题下的单位和时间"
    ATTACHMENT = "附件说明"
    SIGNATURE = "署名"
    DATE = "成文日期"
    IMPRINT = "版记"


@dataclass(frozen=True, slots=True)
class Text:
    kind: Kind
    text: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A table with a row for each entry of a list; `widths` are millimetres and add up to at most 156."""

    header: Sequence[str]
    widths: Sequence[int]
    each: str
    cells: Sequence[str]
    total: Sequence[str] = ()


Part = Text | Rows

# What is not said is left out with its line: a document never shows a placeholder that somebody overlooked.
# Without a red head it is printed on the bureau's letterhead: its place stays free.
HEAD: Sequence[Part] = (
    Text(Kind.BODY, "{%p if red_head %}"),
    Text(Kind.ISSUER, "{{ issuer }}"),
    Text(Kind.NUMBER, "{{ number }}"),
    Text(Kind.BODY, "{%p else %}"),
    Text(Kind.BODY, "{%p if number %}"),
    Text(Kind.LETTERHEAD, "{{ number }}"),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.BODY, "{%p endif %}"),
)
SIGNED: Sequence[Part] = (
    Text(Kind.BODY, "{%p if issuer %}"),
    Text(Kind.SIGNATURE, "{{ issuer }}"),
    Text(Kind.BODY, "{%p else %}"),
    Text(Kind.BODY, ""),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.DATE, "{{ dated }}"),
)
IMPRINT: Sequence[Part] = (
    Text(Kind.BODY, "{%p if copies %}"),
    Text(Kind.IMPRINT, "抄送：{{ copies }}。"),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.BODY, "{%p if issuer and number %}"),
    Text(Kind.IMPRINT, "{{ issuer }}\t{{ dated }}印发"),
    Text(Kind.BODY, "{%p endif %}"),
)
_CONTROL = "{%p "


def draw(parts: Sequence[Part], *, title: str) -> bytes:
    """A .docx with these parts, page numbers outside, in the standard's measures."""
    document = Document()
    _page(document)
    _fonts(document)
    document.core_properties.title = title
    document.core_properties.author = ""
    document.core_properties.comments = ""
    together = _signed_text(parts)
    for place, part in enumerate(parts):
        if isinstance(part, Rows):
            _table(document, part)
        else:
            _text(document.add_paragraph(), part, together=place in together)
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


def _signed_text(parts: Sequence[Part]) -> frozenset[int]:
    """Places of what stays on one page with the date: a seal never stands on a page without text."""
    last = next((place for place, part in enumerate(parts) if _is(part, Kind.DATE)), 0)
    found = []
    for place in range(last - 1, -1, -1):
        part = parts[place]
        if isinstance(part, Rows):
            break
        found.append(place)
        if part.kind is Kind.BODY and part.text and not part.text.startswith(_CONTROL):
            break
    return frozenset(found)


def _is(part: Part, kind: Kind) -> bool:
    return isinstance(part, Text) and part.kind is kind


def _page(document: WordDocument) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(PAGE_MM[0]), Mm(PAGE_MM[1])
    section.top_margin, section.bottom_margin = Mm(TOP_MM), Mm(BOTTOM_MM)
    section.left_margin, section.right_margin = Mm(LEFT_MM), Mm(RIGHT_MM)
    section.footer_distance = Mm(FOOTER_MM)
    document.settings.odd_and_even_pages_header_footer = True
    _page_number(section.footer.paragraphs[0], WD_ALIGN_PARAGRAPH.RIGHT)
    _page_number(section.even_page_footer.paragraphs[0], WD_ALIGN_PARAGRAPH.LEFT)


def _page_number(paragraph: Paragraph, side: WD_ALIGN_PARAGRAPH) -> None:
    """— 1 —, one character away from the outer edge."""
    paragraph.alignment = side
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(SMALL_PT)
    _font(paragraph.add_run("— "), SONGTI, SMALL_PT)
    field = OxmlElement("w:fldSimple")
    field.set(qn("w:instr"), "PAGE")
    shown = Run(OxmlElement("w:r"), paragraph)
    shown.text = "1"
    _font(shown, SONGTI, SMALL_PT)
    field.append(shown._r)  # noqa: SLF001 - python-docx has no fields; its runs are moved as elements
    paragraph._p.append(field)  # noqa: SLF001 - the same
    _font(paragraph.add_run(" —"), SONGTI, SMALL_PT)


def _fonts(document: WordDocument) -> None:
    """The body's font for everything that nobody formats, and what stands in for each font."""
    normal = document.styles["Normal"].element.get_or_add_rPr()
    normal.append(_font_names(FANGSONG))
    language = OxmlElement("w:lang")
    language.set(qn("w:val"), "en-US")
    language.set(qn("w:eastAsia"), "zh-CN")
    normal.append(language)
    fonts = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{others}"/><w:charset w:val="86"/></w:font>'
        for name, others in SUBSTITUTES.items()
    )
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    table = (
        f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><w:fonts xmlns:w="{space}">{fonts}</w:fonts>'
    )
    part = document.part.part_related_by(RELATIONSHIP_TYPE.FONT_TABLE)
    part._blob = table.encode()  # noqa: SLF001 - python-docx keeps the font table as bytes and cannot edit it


def _font_names(name: str) -> BaseOxmlElement:
    names = OxmlElement("w:rFonts")
    # Word takes the font of Chinese text from eastAsia alone.
    for script in ("ascii", "hAnsi", "eastAsia", "cs"):
        names.set(qn(f"w:{script}"), name)
    return names


def _font(run: Run, name: str, size: float, *, colour: RGBColor | None = None) -> None:
    run.font.size = Pt(size)
    run.font.name = name
    names = run._r.get_or_add_rPr().find(qn("w:rFonts"))  # noqa: SLF001 - python-docx sets no East Asian font
    for script in ("eastAsia", "cs"):
        names.set(qn(f"w:{script}"), name)
    if colour is not None:
        run.font.color.rgb = colour


def _spacing(run: Run) -> None:
    """How much nearer to each other its characters stand."""
    spacing = OxmlElement("w:spacing")
    spacing.set(qn("w:val"), str(_SPACING_TWIPS))
    properties = run._r.get_or_add_rPr()  # noqa: SLF001 - python-docx has no spacing of characters
    properties.insert_element_before(spacing, "w:sz", "w:szCs", "w:u", "w:lang")


_CENTRED = frozenset({Kind.ISSUER, Kind.NUMBER, Kind.LETTERHEAD, Kind.TITLE, Kind.CAPTION})
_INDENTED = frozenset({Kind.BODY, Kind.HEADING, Kind.ATTACHMENT})
# In a font or size, or a colour, of their own.
_LOOKS: dict[Kind, tuple[str, int, RGBColor | None]] = {
    Kind.ISSUER: (BIAOSONG, _ISSUER_PT, _RED),
    Kind.TITLE: (BIAOSONG, TITLE_PT, None),
    Kind.HEADING: (HEITI, BODY_PT, None),
    Kind.IMPRINT: (FANGSONG, SMALL_PT, None),
    Kind.NOTE: (FANGSONG, _NOTE_PT, None),
}


def _text(paragraph: Paragraph, part: Text, *, together: bool) -> None:
    shape = paragraph.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule = WD_LINE_SPACING.EXACTLY
    shape.line_spacing = Pt(_ISSUER_LINE_PT if part.kind is Kind.ISSUER else LINE_PT)
    font, size, colour = _LOOKS.get(part.kind, (FANGSONG, BODY_PT, None))
    run = paragraph.add_run(part.text)
    _font(run, font, size, colour=colour)
    if size == BODY_PT:
        _spacing(run)
    if part.kind in _CENTRED:
        paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    if part.kind in _INDENTED:
        shape.first_line_indent = Pt(_INDENT_CHARACTERS * BODY_PT)
    if together or part.kind in {Kind.HEADING, Kind.CAPTION, Kind.NOTE, Kind.SIGNATURE}:
        shape.keep_with_next = True
    _place(paragraph, part.kind)


def _place(paragraph: Paragraph, kind: Kind) -> None:
    """What sets a kind apart on the page: lines, room above and below, the side."""
    shape = paragraph.paragraph_format
    match kind:
        case Kind.NUMBER:
            shape.space_after = Pt(LINE_PT)
            _line(paragraph, "bottom", "FF0000")
        case Kind.LETTERHEAD:
            shape.space_before = Pt(_ISSUER_LINE_PT)
            shape.space_after = Pt(LINE_PT)
        case Kind.TITLE:
            shape.space_after = Pt(LINE_PT)
        case Kind.CAPTION:
            shape.space_before = Pt(LINE_PT / 2)
        case Kind.NOTE:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            shape.line_spacing = Pt(_TABLE_LINE_PT)
        case Kind.SIGNATURE | Kind.DATE:
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT
            shape.right_indent = Pt(_DATE_CHARACTERS * BODY_PT)
            shape.space_before = Pt(2 * LINE_PT if kind is Kind.SIGNATURE else 0)
        case Kind.IMPRINT:
            shape.left_indent = shape.right_indent = Pt(SMALL_PT)
            # What stands behind a tab, such as the day of printing, ends at the right.
            shape.tab_stops.add_tab_stop(Mm(_TEXT_MM) - Pt(SMALL_PT), WD_TAB_ALIGNMENT.RIGHT)
            _line(paragraph, "top", "000000")
            _line(paragraph, "bottom", "000000")
            _at_the_bottom(paragraph)
        case _:
            pass


def _at_the_bottom(paragraph: Paragraph) -> None:
    """At the foot of the page on which the text ends; paragraphs that follow each other share the frame."""
    frame = OxmlElement("w:framePr")
    for name, value in (
        ("w", str(Mm(_TEXT_MM).twips)),
        ("hSpace", "0"),
        ("wrap", "notBeside"),
        ("vAnchor", "margin"),
        ("hAnchor", "margin"),
        ("xAlign", "left"),
        ("yAlign", "bottom"),
    ):
        frame.set(qn(f"w:{name}"), value)
    properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001 - python-docx has no frames
    properties.insert_element_before(
        frame, "w:widowControl", "w:numPr", "w:pBdr", "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr"
    )


def _line(paragraph: Paragraph, side: str, colour: str) -> None:
    """A line across the text block, above or below the paragraph."""
    properties = paragraph._p.get_or_add_pPr()  # noqa: SLF001 - python-docx has no borders
    borders = properties.find(qn("w:pBdr"))
    if borders is None:
        borders = OxmlElement("w:pBdr")
        # The schema wants the borders before these.
        properties.insert_element_before(borders, "w:shd", "w:tabs", "w:spacing", "w:ind", "w:jc", "w:rPr")
    line = OxmlElement(f"w:{side}")
    for name, value in (("val", "single"), ("sz", "12"), ("space", "4"), ("color", colour)):
        line.set(qn(f"w:{name}"), value)
    borders.append(line)


def _table(document: WordDocument, rows: Rows) -> None:
    lines = [
        (rows.header, HEITI),
        ([f"{{%tr for row in {rows.each} %}}"], FANGSONG),
        (rows.cells, FANGSONG),
        (["{%tr endfor %}"], FANGSONG),
        *([(rows.total, HEITI)] if rows.total else []),
    ]
    table = document.add_table(rows=len(lines), cols=len(rows.header), style="Table Grid")
    table.autofit = False
    _cell_margins(table)
    # WPS goes by the columns, Word by the cells.
    for column, width in zip(table.columns, rows.widths, strict=True):
        column.width = Mm(width)
    for place, (texts, font) in enumerate(lines):
        row = table.rows[place]
        for cell, width in zip(row.cells, rows.widths, strict=True):
            cell.width = Mm(width)
        for cell, text in zip(row.cells, texts, strict=False):
            _cell(cell, text, font)
        properties = row._tr.get_or_add_trPr()  # noqa: SLF001 - python-docx has no repeated headers
        properties.append(OxmlElement("w:cantSplit"))
        if place == 0:
            properties.append(OxmlElement("w:tblHeader"))


def _cell_margins(table: Table) -> None:
    margins = OxmlElement("w:tblCellMar")
    for side in ("left", "right"):
        margin = OxmlElement(f"w:{side}")
        margin.set(qn("w:w"), str(Mm(_CELL_MARGIN_MM).twips))
        margin.set(qn("w:type"), "dxa")
        margins.append(margin)
    properties = table._tbl.tblPr  # noqa: SLF001 - python-docx has no margins of cells
    properties.insert_element_before(margins, "w:tblLook")


def _cell(cell: _Cell, text: str, font: str) -> None:
    cell.vertical_alignment = WD_CELL_VERTICAL_ALIGNMENT.CENTER
    paragraph = cell.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    shape = paragraph.paragraph_format
    shape.space_before = shape.space_after = Pt(0)
    shape.line_spacing_rule, shape.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(_TABLE_LINE_PT)
    _font(paragraph.add_run(text), font, _TABLE_PT)

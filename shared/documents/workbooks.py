"""Papers as workbooks: a sheet each. Text is never a formula, money is a number."""

import io
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from shared.documents.cells import Style, new_book, style, write_text
from shared.documents.papers import Block, Cell, Facts, Fen, Grid, Lines, Paper, Rate, Signatures
from shared.money import FEN_PER_YUAN

# Facts need a column for their labels and three for what they say.
_COLUMNS_MIN = 4
_PORTRAIT_COLUMNS_MAX = 6
_A4 = 9
_SIGNATURE_ROW_HEIGHT = 36
_TITLE_ROW_HEIGHT = 26
_LINE_HEIGHT = 16
# The highest that a row may be.
_ROW_HEIGHT_MAX = 409
# Of a row with wrapped text, so that none touches the lines of its box.
_ROW_MARGIN = 3
# A table whose header stands lower scrolls with it: little room would be left below what is frozen.
_FROZEN_ROWS_MAX = 8
# What a cell leaves free beside its text, in characters.
_CELL_MARGIN = 1


class _Sheet:
    """A sheet that is written from top to bottom."""

    def __init__(self, sheet: Worksheet, formats: dict[str, Style], widths: Sequence[int]) -> None:
        self._sheet = sheet
        self._formats = formats
        self._widths = widths
        self._columns = len(widths)
        self._row = 0
        self._repeats = False
        self._freezes = False

    def title(self, text: str) -> None:
        self._sheet.set_row(self._row, _TITLE_ROW_HEIGHT)
        self.wide(text, "title")

    def wide(self, text: str, kind: str) -> None:
        self._sheet.merge_range(self._row, 0, self._row, self._columns - 1, "", self._formats[kind].plain)
        write_text(self._sheet, self._row, 0, text, self._formats[kind])
        self._row += 1

    def block(self, block: Block) -> None:
        match block:
            case Facts(pairs=pairs):
                self._facts(pairs)
            case Grid():
                self._grid(block)
            case Lines(texts=texts):
                for text in texts:
                    self._sheet.set_row(self._row, row_height(text, sum(self._widths)))
                    self.wide(text, "text")
            case Signatures(labels=labels):
                for label in labels:
                    self._sheet.set_row(self._row, _SIGNATURE_ROW_HEIGHT)
                    self.wide(label, "sign")
        self._row += 1

    def _facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        for label, said in pairs:
            write_text(self._sheet, self._row, 0, label, self._formats["label"])
            plain = self._formats["text"].plain
            self._sheet.merge_range(self._row, 1, self._row, self._columns - 1, "", plain)
            write_text(self._sheet, self._row, 1, said, self._formats["text"])
            # A merged cell never makes room for itself.
            wide = row_height(said, sum(self._widths[1:]))
            self._sheet.set_row(self._row, max(wide, row_height(label, self._widths[0])))
            self._row += 1

    def freeze(self) -> None:
        """What the next table's header is among: it stays in sight while the table is read."""
        self._freezes = True

    def _grid(self, grid: Grid) -> None:
        if grid.caption:
            self.wide(grid.caption, "caption")
        if not self._repeats:
            # The first table is the one that may run over several pages.
            self._sheet.repeat_rows(self._row)
            self._repeats = True
        self._cells(grid.header, "head")
        if self._freezes and self._row <= _FROZEN_ROWS_MAX:
            self._sheet.freeze_panes(self._row, 0)
        for row in grid.rows:
            self._cells(row, "cell")
        if grid.total is not None:
            self._cells(grid.total, "total")

    def _cells(self, cells: Sequence[Cell], kind: str) -> None:
        pairs = zip(cells, self._widths, strict=False)
        heights = [row_height(cell, width) for cell, width in pairs if isinstance(cell, str)]
        if heights:
            self._sheet.set_row(self._row, max(heights))
        for column, cell in enumerate(cells):
            if isinstance(cell, Fen):
                yuan = float(Decimal(cell.fen) / FEN_PER_YUAN)
                self._sheet.write_number(self._row, column, yuan, self._formats[f"{kind}_money"].plain)
            elif isinstance(cell, Rate):
                rate = self._formats[f"{kind}_rate"].plain
                self._sheet.write_number(self._row, column, float(cell.value), rate)
            elif isinstance(cell, int):
                self._sheet.write_number(self._row, column, cell, self._formats[kind].plain)
            else:
                write_text(self._sheet, self._row, column, cell, self._formats[f"{kind}_text"])
        self._row += 1


def on_a4(sheet: Worksheet, *, columns: int) -> None:
    """As wide as the paper, which lies on its side when there are many columns; pages are numbered."""
    sheet.set_paper(_A4)
    if columns > _PORTRAIT_COLUMNS_MAX:
        sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&C第 &P 页，共 &N 页")


def row_height(text: str, width: int) -> int:
    """In points: what the text takes when it is wrapped. Not every program makes room by itself."""
    return min(_ROW_HEIGHT_MAX, _lines(text, width) * _LINE_HEIGHT + _ROW_MARGIN)


def columns_of(line: str) -> int:
    """How many characters wide it stands; Chinese ones are two wide."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in line)


def _lines(text: str, width: int) -> int:
    """How many lines a text takes in a column of so many characters."""
    room = max(1, width - _CELL_MARGIN)
    return sum(max(1, -(-columns_of(line) // room)) for line in text.split("\n"))


def workbook(papers: Sequence[Paper]) -> bytes:
    """An .xlsx with a sheet for each paper, ready to be printed on A4."""
    buffer = io.BytesIO()
    with new_book(buffer) as book:
        formats = _formats(book)
        for paper in papers:
            widths = [block.widths for block in paper.blocks if isinstance(block, Grid)]
            columns = max([_COLUMNS_MIN, *map(len, widths)])
            sheet = book.add_worksheet(paper.name)
            widest = [
                max((one[column] for one in widths if column < len(one)), default=12)
                for column in range(columns)
            ]
            for column, width in enumerate(widest):
                sheet.set_column(column, column, width)
            on_a4(sheet, columns=columns)
            if paper.mark:
                # On every printed page, not on the first one only; & begins a code.
                sheet.set_header(f"&C{paper.mark.replace('&', '&&')}")
            written = _Sheet(sheet, formats, widest)
            if paper.mark:
                written.wide(paper.mark, "mark")
            written.title(paper.title)
            if len(widths) == 1:
                # Below one of several tables, another's header would be wrong.
                written.freeze()
            for block in paper.blocks:
                written.block(block)
    return buffer.getvalue()


def _formats(book: Workbook) -> dict[str, Style]:
    money = {"num_format": "#,##0.00", "align": "right"}
    rate = {"num_format": "0.00%", "align": "right"}
    box = {"border": 1, "valign": "vcenter"}
    looks: dict[str, dict[str, object]] = {
        "title": {"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"},
        "mark": {"bold": True, "font_color": "#C00000", "align": "center"},
        "caption": {"bold": True},
        "label": {"bold": True, "valign": "top", "text_wrap": True},
        "text": {"text_wrap": True, "valign": "top"},
        "sign": {"valign": "bottom"},
        "head_text": {**box, "bold": True, "bg_color": "#DDEBF7", "align": "center", "text_wrap": True},
        "head": {**box, "bold": True, "bg_color": "#DDEBF7", "align": "center"},
        "cell": box,
        "total": {**box, "bold": True},
        "cell_text": {**box, "text_wrap": True},
        "total_text": {**box, "bold": True, "text_wrap": True},
        "cell_money": {**box, **money},
        "total_money": {**box, **money, "bold": True},
        "cell_rate": {**box, **rate},
        "total_rate": {**box, **rate, "bold": True},
    }
    return {name: style(book, look) for name, look in looks.items()}

"""Papers as workbooks: a sheet each. Text is never a formula, money is a number."""

import io
from collections.abc import Sequence
from decimal import Decimal

import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from shared.documents.papers import Block, Cell, Facts, Fen, Grid, Lines, Paper, Rate, Signatures
from shared.money import FEN_PER_YUAN

# Facts need a column for their labels and three for what they say.
_COLUMNS_MIN = 4
_PORTRAIT_COLUMNS_MAX = 6
_A4 = 9
_SIGNATURE_ROW_HEIGHT = 36
_TITLE_ROW_HEIGHT = 26


class _Sheet:
    """A sheet that is written from top to bottom."""

    def __init__(self, sheet: Worksheet, formats: dict[str, Format], columns: int) -> None:
        self._sheet = sheet
        self._formats = formats
        self._columns = columns
        self._row = 0
        self._repeats = False

    def title(self, text: str) -> None:
        self._sheet.set_row(self._row, _TITLE_ROW_HEIGHT)
        self.wide(text, "title")

    def wide(self, text: str, style: str) -> None:
        self._sheet.merge_range(self._row, 0, self._row, self._columns - 1, "", self._formats[style])
        self._sheet.write_string(self._row, 0, text, self._formats[style])
        self._row += 1

    def block(self, block: Block) -> None:
        match block:
            case Facts(pairs=pairs):
                self._facts(pairs)
            case Grid():
                self._grid(block)
            case Lines(texts=texts):
                for text in texts:
                    self.wide(text, "text")
            case Signatures(labels=labels):
                for label in labels:
                    self._sheet.set_row(self._row, _SIGNATURE_ROW_HEIGHT)
                    self.wide(label, "sign")
        self._row += 1

    def _facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        for label, said in pairs:
            self._sheet.write_string(self._row, 0, label, self._formats["label"])
            self._sheet.merge_range(self._row, 1, self._row, self._columns - 1, "", self._formats["text"])
            self._sheet.write_string(self._row, 1, said, self._formats["text"])
            self._row += 1

    def _grid(self, grid: Grid) -> None:
        if grid.caption:
            self.wide(grid.caption, "caption")
        if not self._repeats:
            # The first table is the one that may run over several pages.
            self._sheet.repeat_rows(self._row)
            self._repeats = True
        self._cells(grid.header, "head")
        for row in grid.rows:
            self._cells(row, "cell")
        if grid.total is not None:
            self._cells(grid.total, "total")

    def _cells(self, cells: Sequence[Cell], style: str) -> None:
        for column, cell in enumerate(cells):
            if isinstance(cell, Fen):
                yuan = float(Decimal(cell.fen) / FEN_PER_YUAN)
                self._sheet.write_number(self._row, column, yuan, self._formats[f"{style}_money"])
            elif isinstance(cell, Rate):
                self._sheet.write_number(self._row, column, float(cell.value), self._formats[f"{style}_rate"])
            elif isinstance(cell, int):
                self._sheet.write_number(self._row, column, cell, self._formats[style])
            else:
                self._sheet.write_string(self._row, column, cell, self._formats[style])
        self._row += 1


def workbook(papers: Sequence[Paper]) -> bytes:
    """An .xlsx with a sheet for each paper, ready to be printed on A4."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        formats = _formats(book)
        for paper in papers:
            widths = [block.widths for block in paper.blocks if isinstance(block, Grid)]
            columns = max([_COLUMNS_MIN, *map(len, widths)])
            sheet = book.add_worksheet(paper.name)
            for column in range(columns):
                widest = max((one[column] for one in widths if column < len(one)), default=12)
                sheet.set_column(column, column, widest)
            sheet.set_paper(_A4)
            if columns > _PORTRAIT_COLUMNS_MAX:
                sheet.set_landscape()
            sheet.fit_to_pages(1, 0)
            sheet.set_footer("&C第 &P 页，共 &N 页")
            written = _Sheet(sheet, formats, columns)
            if paper.mark:
                written.wide(paper.mark, "mark")
            written.title(paper.title)
            for block in paper.blocks:
                written.block(block)
    return buffer.getvalue()


def _formats(book: xlsxwriter.Workbook) -> dict[str, Format]:
    money = {"num_format": "#,##0.00", "align": "right"}
    rate = {"num_format": "0.00%", "align": "right"}
    box = {"border": 1, "valign": "vcenter"}
    styles: dict[str, dict[str, object]] = {
        "title": {"bold": True, "font_size": 16, "align": "center", "valign": "vcenter"},
        "mark": {"bold": True, "font_color": "#C00000", "align": "center"},
        "caption": {"bold": True},
        "label": {"bold": True},
        "text": {"text_wrap": True},
        "sign": {"valign": "bottom"},
        "head": {**box, "bold": True, "bg_color": "#DDEBF7", "align": "center"},
        "cell": box,
        "total": {**box, "bold": True},
        "cell_money": {**box, **money},
        "total_money": {**box, **money, "bold": True},
        "cell_rate": {**box, **rate},
        "total_rate": {**box, **rate, "bold": True},
    }
    return {name: book.add_format(style) for name, style in styles.items()}

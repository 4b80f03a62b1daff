"""Amounts in capitals, papers as PDF and workbooks, tables that no spreadsheet evaluates."""

import csv
import io
import itertools
import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest
from fontTools.ttLib import TTFont
from hypothesis import example, given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from shared.documents.cells import evaluates, inert, uttered
from shared.documents.csvfiles import BOM, csv_file
from shared.documents.papers import Block, Facts, Fen, Grid, Lines, Paper, Signatures
from shared.documents.pdf import BUNDLED_FONT, pdf
from shared.documents.workbooks import workbook
from shared.money import capital_yuan

AT = datetime(2020, 11, 30, 1, tzinfo=UTC)
DIGITS = "零壹贰叁肆伍陆柒捌玖"
UNITS = {"拾": 10, "佰": 100, "仟": 1_000}


def read_capitals(text: str) -> int:
    """The inverse, written the other way round: by going through the characters."""
    sign = -1 if text.startswith("负") else 1
    text = text.removeprefix("负").removesuffix("整")
    whole, _, rest = text.rpartition("元")
    fen = 0
    for symbol, following in itertools.pairwise(rest):
        fen += DIGITS.index(symbol) * {"角": 10, "分": 1}.get(following, 0) if symbol in DIGITS else 0
    return sign * (_read_whole(whole) * 100 + fen)


def _read_whole(text: str) -> int:
    for name, unit in (("亿", 100_000_000), ("万", 10_000)):
        high, found, low = text.rpartition(name) if name == "亿" else text.partition(name)
        if found:
            return _read_whole(high) * unit + _read_whole(low)
    total, digit = 0, 0
    for symbol in text:
        if symbol in DIGITS:
            digit = DIGITS.index(symbol)
        else:
            total, digit = total + digit * UNITS[symbol], 0
    return total + digit


@pytest.mark.parametrize(
    ("fen", "text"),
    [
        (0, "零元整"),
        (5, "伍分"),
        (50, "伍角整"),
        (105, "壹元零伍分"),
        (140_950, "壹仟肆佰零玖元伍角整"),
        (600_714, "陆仟零柒元壹角肆分"),
        (1_640_902, "壹万陆仟肆佰零玖元零贰分"),
        (32_504, "叁佰贰拾伍元零肆分"),
        (1_000_000_000, "壹仟万元整"),
        (10_010_010_000, "壹亿零壹拾万零壹佰元整"),
        (-140_950, "负壹仟肆佰零玖元伍角整"),
    ],
)
def test_amounts_in_capitals_read_as_on_a_cheque(fen: int, text: str) -> None:
    assert capital_yuan(fen) == text


@given(st.integers(-(10**17), 10**17))
@example(10**12)
@example(100_000_000_000_00)
def test_capitals_say_exactly_the_amount(fen: int) -> None:
    text = capital_yuan(fen)
    assert read_capitals(text) == fen
    assert "零零" not in text


@given(st.text(max_size=30))
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    content = csv_file([(text, -5)])
    assert content.startswith(BOM)
    cell = inert(text)
    assert not evaluates(cell)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"))
    assert uttered(cell) in {text, text[1:]}
    assert cell.removeprefix("'") == text.removeprefix("'")
    rows = list(csv.reader(io.StringIO(content[3:].decode(), newline="")))
    assert rows[0][1] == "-5"


@pytest.mark.parametrize("text", ["", "示例·医院", "2020-11-01", "5.00", " ", "a=b"])
def test_harmless_cells_stay_as_they_are(text: str) -> None:
    assert inert(text) == text


def paper(mark: str | None = None) -> Paper:
    rows = [(f"健康体检券{number}", number, Fen(number * 101)) for number in range(1, 60)]
    grid = Grid(
        header=("券种", "笔数", "金额（元）"),
        rows=rows,
        widths=(40, 20, 30),
        total=("合计", sum(row[1] for row in rows), Fen(sum(row[2].fen for row in rows))),
        caption="一、明细",
    )
    blocks = (
        Facts((("服务机构", "=1+1蒙自市示例医院"),)),
        grid,
        Lines(("大写",)),
        Signatures(("制表人", "复核人", "盖章")),
    )
    return Paper("明细", "核销结算单", blocks, mark)


def test_pdf_says_the_same_in_its_own_chinese_font() -> None:
    content = pdf(paper("演示数据"), at=AT)
    document = pypdfium2.PdfDocument(content)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    assert len(document) == 2
    assert text.count("演示数据") == 2
    assert text.count("金额（元）") == 2
    for said in ("=1+1蒙自市示例医院", "健康体检券59", "59.59", "1,787.70", "复核人", "共 2 页"):
        assert said in text
    assert b"NotoSansSC" in content
    assert content == pdf(paper("演示数据"), at=AT)


@pytest.mark.parametrize("name", ["乐清市翁垟街道社区卫生服务中心", "㑇㙘䲢䴙", "弥勒·建水“蒙自”——…"])
def test_the_font_has_the_characters_of_names_and_places(name: str) -> None:
    with TTFont(BUNDLED_FONT, lazy=True) as font:
        assert not [symbol for symbol in name if ord(symbol) not in font.getBestCmap()]


def test_pdf_takes_another_font(tmp_path: Path) -> None:
    other = tmp_path / "other.ttf"
    other.write_bytes(BUNDLED_FONT.read_bytes())
    assert pdf(paper(), at=AT, font=other).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("blocks", "frozen"),
    [
        ((Lines(("说明",)), Grid(("名称",), [("x",)], (20,))), b'topLeftCell="A5"'),
        ((Facts([("a", "b")] * 20), Grid(("名称",), [("x",)], (20,))), None),
        ((Grid(("名称",), [("x",)], (20,)), Grid(("数",), [(1,)], (20,))), None),
    ],
    ids=["one table", "far below", "two tables"],
)
def test_the_header_of_the_only_table_stays_in_sight(blocks: tuple[Block, ...], frozen: bytes | None) -> None:
    with zipfile.ZipFile(io.BytesIO(workbook([Paper("列表", "列表", blocks)]))) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
    assert (b"<pane" in sheet) is (frozen is not None)
    assert frozen is None or frozen in sheet


def test_rows_are_as_high_as_their_text_wraps() -> None:
    """Also of merged cells, which no program makes room for by itself; none above what a row may be."""
    long = "很长的说明" * 30
    blocks = (Facts((("原因", long),)), Lines((long,)), Grid(("说明",), [(long,), ("字" * 9_000,)], (30,)))
    with zipfile.ZipFile(io.BytesIO(workbook([Paper("列表", "列表", blocks)]))) as archive:
        heights = re.findall(rb'<row[^>]* ht="([\d.]+)"', archive.read("xl/worksheets/sheet1.xml"))
    assert [round(float(one)) for one in heights] == [26, 147, 83, 19, 179, 409]


def test_workbook_has_numbers_for_money_and_text_for_text() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(workbook([paper("演示数据")])))
    rows = [row for row in book.get_sheet_by_name("明细").to_python() if any(row)]
    assert rows[0][0] == "演示数据"
    assert rows[2][:2] == ["服务机构", "=1+1蒙自市示例医院"]
    cells = [row[2] for row in rows if str(row[0]).startswith("健康体检券")]
    money = [cell for cell in cells if isinstance(cell, float)]
    assert len(money) == len(cells) == 59
    total = next(row for row in rows if row[0] == "合计")
    assert round(sum(money) * 100) == round(float(str(total[2])) * 100) == 178_770


def test_a_demonstration_says_so_on_every_printed_page_of_a_workbook() -> None:
    with zipfile.ZipFile(io.BytesIO(workbook([paper("演示数据 A&B")]))) as archive:
        assert (
            "<oddHeader>&amp;C演示数据 A&amp;&amp;B</oddHeader>"
            in archive.read("xl/worksheets/sheet1.xml").decode()
        )


def test_wrapped_text_has_the_height_that_it_takes() -> None:
    grid = Grid(("名称",), [("示例·个旧市第一人民医院体检中心",), ("甲",)], (20,))
    with zipfile.ZipFile(io.BytesIO(workbook([Paper("表", "题", (grid,))]))) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert sheet.count('ht="35.25"') == 1

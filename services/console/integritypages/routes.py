"""The integrity check as a page: every rule, what it should be, what it is, and what a note says."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response

from services.console.integrity.operations import IntegrityDesk
from services.console.integritypages.rules import note_zh, what_to_do
from services.console.pages.routes import BureauReader, page_router
from services.console.pages.schemas import listed_file, shown_time
from shared.integrity import Figure, Outcome, Report

router = page_router("/console/integrity")


_HEADER = ("规则", "代码", "结果", "应为", "实为", "说明")
_WIDTHS = (44, 44, 10, 16, 16, 50)


_RESULTS = (("", "全部", "All"), ("broken", "不一致", "Broken"), ("holds", "一致", "Holds"))

Result = Annotated[Literal["", "broken", "holds"], Query()]


def _shown(report: Report, result: str) -> list[Outcome]:
    """What is wrong stands first."""
    fitting = [check for check in report.checks if not result or check.ok == (result == "holds")]
    return sorted(fitting, key=lambda check: check.ok)


def _cell(value: Figure) -> str | int:
    return "" if value is None else value


@router.get("")
async def integrity(
    request: Request, visitor: BureauReader, *, anew: bool = False, result: Result = ""
) -> Response:
    """The latest report while it is fresh; `anew` recomputes it now."""
    desk: IntegrityDesk = request.app.state.wiring.integrity
    report = await (desk.report() if anew else desk.shown())
    return visitor.page(
        "integritypages/integrity.html",
        here="integrity",
        report=report,
        broken=sum(not check.ok for check in report.checks),
        checks=_shown(report, result),
        result=result,
        results=_RESULTS,
        note_zh=note_zh,
        advice=what_to_do(ok=report.ok),
        as_of=shown_time(report.as_of),
    )


@router.get("/export.xlsx")
async def export(
    request: Request,
    visitor: BureauReader,  # noqa: ARG001 - only readers get here
    result: Result = "",
) -> Response:
    desk: IntegrityDesk = request.app.state.wiring.integrity
    report = await desk.shown()
    rows = [
        (
            check.title or check.name,
            check.name,
            "一致" if check.ok else "不一致",
            _cell(check.expected),
            _cell(check.actual),
            note_zh(check.detail or ""),
        )
        for check in _shown(report, result)
    ]
    return await listed_file("完整性核验", _HEADER, rows, _WIDTHS)

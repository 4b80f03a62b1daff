"""What the official report is made of: its tables, the placeholders that there are, the platform's own text.

In the form of GB/T 9704; a bureau may replace it by its own. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.documents.official import HEAD, IMPRINT, SIGNED, Kind, Part, Rows, Text, draw
from shared.documents.wordtemplates import Shape
from shared.paperwork.rules import Sort

REPORT = "report"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table of the template; `widths` are millimetres."""

    name: str
    caption: str
    header: Sequence[str]
    widths: Sequence[int]
    unit: str = ""
    total: bool = True

    @property
    def fields(self) -> list[str]:
        return [f"c{place}" for place in range(len(self.header))]

    @property
    def totals(self) -> list[str]:
        return [f"{self.name}_{field}" for field in self.fields] if self.total else []

    def parts(self) -> list[Part]:
        cells = [f"{{{{ row.{field} }}}}" for field in self.fields]
        total = [f"{{{{ {field} }}}}" for field in self.totals]
        unit = f"单位：{self.unit}　" if self.unit else ""
        return [
            Text(Kind.CAPTION, self.caption),
            Text(Kind.NOTE, f"{unit}数据截至{{{{ as_of }}}}"),
            Rows(self.header, self.widths, self.name, cells, total),
        ]

    def filled(self, rows: Sequence[Sequence[object]], total: Sequence[object] = ()) -> dict[str, Any]:
        """The template's list of rows, and the fields of the last row."""
        return {
            self.name: [dict(zip(self.fields, map(str, row), strict=True)) for row in rows],
            **dict(zip(self.totals, map(str, total), strict=True)),
        }


PHASES = Sheet(
    "phases", "表1　各期安排", ("期次", "开始时间", "结束时间", "状态", "中奖率", "答题要求"),
    (14, 36, 36, 18, 18, 34), total=False,
)  # fmt: skip
PAYERS = Sheet(
    "payers", "表2　资金情况", ("出资方", "比例", "出资额", "可用", "已发未核", "已核销"),
    (34, 14, 30, 30, 24, 24), unit="元",
)  # fmt: skip
WAYS = Sheet(
    "ways", "表3　各参与方式情况",
    ("参与方式", "提交", "通过", "未通过", "待审核", "抽奖机会", "抽奖", "中奖", "发券"),
    (44, 14, 14, 14, 14, 14, 14, 14, 14),
)  # fmt: skip
TYPES = Sheet(
    "types", "表4　各券种情况",
    ("券种", "单价（元）", "发放（张）", "发放金额（元）", "核销（张）", "剩余库存（张）"),
    (40, 22, 22, 28, 22, 22),
)  # fmt: skip
DAYS = Sheet(
    "days", "表5　逐日情况",
    ("日期", "答题人数", "答题人次", "通过人次", "抽奖次数", "中奖次数", "发券（张）"),
    (36, 20, 20, 20, 20, 20, 20),
)  # fmt: skip
_SHEETS = (PHASES, PAYERS, WAYS, TYPES, DAYS)
_TEXTS = ("basics", "results", "odds", "money", "problems", "next_steps")
_SAID = ("issuer", "number", "addressees", "copies", "red_head")

SHAPE = Shape(
    fields=frozenset(
        {"title", "as_of", "dated", *_SAID, *(name for sheet in _SHEETS for name in sheet.totals)}
    ),
    lists={
        **{name: frozenset({"text"}) for name in _TEXTS},
        **{sheet.name: frozenset(sheet.fields) for sheet in _SHEETS},
    },
)


def _paragraphs(name: str) -> list[Part]:
    """A paragraph for each text of a list."""
    lines = (f"{{%p for row in {name} %}}", "{{ row.text }}", "{%p endfor %}")
    return [Text(Kind.BODY, line) for line in lines]


_REPORT: Sequence[Part] = (
    *HEAD,
    Text(Kind.TITLE, "{{ title }}"),
    Text(Kind.BODY, "{%p if addressees %}"),
    Text(Kind.ADDRESSEES, "{{ addressees }}："),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.HEADING, "一、基本情况"),
    *_paragraphs("basics"),
    *PHASES.parts(),
    *PAYERS.parts(),
    *_paragraphs("money"),
    Text(Kind.HEADING, "二、活动成效"),
    *_paragraphs("results"),
    *WAYS.parts(),
    *TYPES.parts(),
    *DAYS.parts(),
    *_paragraphs("odds"),
    Text(Kind.HEADING, "三、存在问题"),
    *_paragraphs("problems"),
    Text(Kind.HEADING, "四、下一步工作"),
    *_paragraphs("next_steps"),
    *SIGNED,
    *IMPRINT,
)
SORTS: Mapping[str, Sort] = {
    REPORT: Sort(
        SHAPE,
        partial(draw, _REPORT, title="工作情况报告"),
        replaced="report_template.replace",
        worded="report_words.replace",
    )
}

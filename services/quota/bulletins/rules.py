"""What the notice and the letters say. Pure: every figure comes from the ranking that is handed in."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal, Protocol

from services.quota.rankings.schemas import RankingItem, RankingView
from shared.documents.official import Kind, Part, Rows, Text, draw
from shared.documents.papers import Cell, Facts, Grid, Paper, Rate
from shared.documents.wordtemplates import Shape

DEMO_MARK = "演示数据 DEMONSTRATION"
LETTERS_MAX = 100
ALONE = "独立单位"
_NONE = "—"
_OPEN = {
    "issuer": "（发文机关）",
    "number": "（发文字号）",
    "addressees": "各有关单位",
    "copies": "（抄送机关）",
}
_SHEET_NAME_MAX = 31
_NOT_IN_SHEET_NAMES = re.compile(r"[\[\]:*?/\\']")
_NOT_IN_FILE_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')

_COMMON = frozenset(
    [
        "programme",
        "month",
        "title",
        "issuer",
        "number",
        "addressees",
        "copies",
        "dated",
        "as_of",
        "frozen",
        "edition",
        "reason",
    ]
)
_FIGURES = frozenset(["quota", "month_issued", "issued", "rate"])
_ROW = frozenset(["rank", "hospital", "alliance", "rank_change", "flagged", "remaining", "note"]) | _FIGURES
NOTICE_SHAPE = Shape(
    fields=_COMMON
    | _FIGURES
    | frozenset(["target", "issued_before", "unattributed", "hospitals", "ranked", "met", "flagged_names"]),
    lists={"rows": _ROW, "flagged": _ROW, "alliances": frozenset({"alliance", "hospitals"}) | _FIGURES},
)
LETTER_SHAPE = Shape(
    fields=_COMMON | _ROW | frozenset({"ranked", "overall_rate"}),
    lists={},
)
TemplateKind = Literal["bulletin", "reminder"]
SHAPES: Mapping[TemplateKind, Shape] = {"bulletin": NOTICE_SHAPE, "reminder": LETTER_SHAPE}

_HEAD = (
    Text(Kind.ISSUER, "{{ issuer }}"),
    Text(Kind.NUMBER, "{{ number }}"),
    Text(Kind.TITLE, "{{ title }}"),
)
_END = (
    Text(Kind.SIGNATURE, "{{ issuer }}"),
    Text(Kind.DATE, "{{ dated }}"),
)
_NOTICE: Sequence[Part] = (
    *_HEAD,
    Text(Kind.ADDRESSEES, "{{ addressees }}："),
    Text(
        Kind.BODY,
        "现将{{ month }}{{ programme }}进展情况通报如下（数据截至{{ as_of }}"
        "{% if frozen %}，第{{ edition }}版{% endif %}）。",
    ),
    Text(Kind.BODY, "{%p if reason %}"),
    Text(Kind.BODY, "本通报为更正版，更正说明：{{ reason }}。"),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.HEADING, "一、总体情况"),
    Text(
        Kind.BODY,
        "全市目标发卡{{ target }}张，此前已发{{ issued_before }}张；本期下达任务{{ quota }}张，"
        "{{ month }}发卡{{ month_issued }}张，累计发卡{{ issued }}张，完成率{{ rate }}。"
        "{{ hospitals }}家医疗机构中，{{ met }}家已完成任务。"
        "{% if unattributed %}另有{{ unattributed }}张尚未归属医疗机构，未计入上述累计数。{% endif %}",
    ),
    Text(Kind.CAPTION, "各医共体完成情况"),
    Rows(
        header=("医共体", "机构数", "任务数", "本月发卡", "累计发卡", "完成率"),
        widths=(56, 20, 20, 20, 20, 20),
        each="alliances",
        cells=(
            "{{ row.alliance }}",
            "{{ row.hospitals }}",
            "{{ row.quota }}",
            "{{ row.month_issued }}",
            "{{ row.issued }}",
            "{{ row.rate }}",
        ),
    ),
    Text(Kind.HEADING, "二、排名情况"),
    Text(Kind.BODY, "按累计完成率（累计发卡÷任务数）由高到低排名，完成率相同的名次并列。"),
    Text(Kind.CAPTION, "{{ month }}发卡任务完成情况排名"),
    Rows(
        header=("名次", "医疗机构", "医共体", "任务数", "本月发卡", "累计发卡", "完成率", "名次变化", "备注"),
        widths=(10, 36, 24, 16, 15, 15, 15, 11, 14),
        each="rows",
        cells=(
            "{{ row.rank }}",
            "{{ row.hospital }}",
            "{{ row.alliance }}",
            "{{ row.quota }}",
            "{{ row.month_issued }}",
            "{{ row.issued }}",
            "{{ row.rate }}",
            "{{ row.rank_change }}",
            "{{ row.note }}",
        ),
        total=(
            "合计", "", "", "{{ quota }}", "{{ month_issued }}", "{{ issued }}", "{{ rate }}", "", "",
        ),
    ),
    Text(Kind.HEADING, "三、予以通报的单位"),
    Text(
        Kind.BODY,
        "{% if flagged %}以下单位未完成任务且排名列末三位，予以通报：{{ flagged_names }}。"
        "{% else %}本月没有未完成任务且排名列末三位的单位。{% endif %}",
    ),
    Text(Kind.HEADING, "四、工作要求"),
    Text(Kind.BODY, "请各单位对照任务，加强组织推广，按时完成发卡任务；对统计结果有异议的，请及时书面反映。"),
    *_END,
    Text(Kind.IMPRINT, "抄送：{{ copies }}。"),
    Text(Kind.IMPRINT, "{{ issuer }}　　　　{{ dated }}印发"),
)  # fmt: skip
_LETTER: Sequence[Part] = (
    *_HEAD,
    Text(Kind.ADDRESSEES, "{{ hospital }}："),
    Text(
        Kind.BODY,
        "根据{{ programme }}统计（数据截至{{ as_of }}），你单位任务数为{{ quota }}张，{{ month }}发卡"
        "{{ month_issued }}张，累计发卡{{ issued }}张，完成率{{ rate }}（全市完成率{{ overall_rate }}），"
        "在{{ ranked }}家参加排名的单位中列第{{ rank }}名，距完成任务还差{{ remaining }}张。",
    ),
    Text(Kind.BODY, "{%p if flagged %}"),
    Text(Kind.BODY, "你单位未完成任务且排名列末三位，已列入当月通报名单。"),
    Text(Kind.BODY, "{%p endif %}"),
    Text(Kind.BODY, "请你单位分析原因，采取措施加快进度，按时完成任务；对统计结果有异议的，请及时书面反映。"),
    Text(Kind.BODY, "特此函告。"),
    *_END,
)


class Words(Protocol):
    """What a clerk asked to stand on a document; empty: left blank."""

    @property
    def issuer(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def addressees(self) -> str: ...
    @property
    def copies(self) -> str: ...
    @property
    def dated(self) -> date | None: ...


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a document is about: a month's ranking of a programme, and the words of those who send it."""

    title: str
    target: int
    issued_before: int
    ranking: RankingView
    words: Words
    demo: bool

    @property
    def month(self) -> str:
        year, month = self.ranking.month.split("-")
        return f"{year}年{int(month)}月"

    @property
    def as_of(self) -> datetime:
        """By the clock on the wall in China: the ranking tells its time with that offset."""
        return datetime.fromisoformat(self.ranking.as_of)

    @property
    def name(self) -> str:
        corrected = "（更正）" if (self.ranking.edition or 1) > 1 else ""
        return f"关于{self.month}{self.title}进展情况的通报{corrected}"

    @property
    def marks(self) -> list[str]:
        """What stands over every page: that it is a demonstration, that it is not final."""
        marks = [DEMO_MARK] if self.demo else []
        if not self.ranking.frozen:
            marks.append(f"草稿（未冻结）　数据截至{moment(self.as_of)}")
        return marks


def default_template(kind: TemplateKind) -> bytes:
    """The platform's own template, in the form of GB/T 9704."""
    if kind == "bulletin":
        return draw(_NOTICE, title="通报模板")
    return draw(_LETTER, title="提醒函模板")


def share_of(issued: int, quota: int) -> Decimal | None:
    """Issued ÷ quota in four decimals, half up: what is printed with two decimals of a per cent."""
    if quota <= 0:
        return None
    return (Decimal(issued) / Decimal(quota)).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)


def per_cent(issued: int, quota: int) -> str:
    share = share_of(issued, quota)
    return _NONE if share is None else f"{share:.2%}"


def day(at: date) -> str:
    return f"{at.year}年{at.month}月{at.day}日"


def moment(at: datetime) -> str:
    return f"{day(at)}{at.hour}时{at.minute:02d}分"


def notice(occasion: Occasion) -> dict[str, Any]:
    """The fields of the notice's template."""
    items = occasion.ranking.items
    rows = [_row(item) for item in items]
    flagged = [row for row in rows if row["flagged"]]
    return {
        **_common(occasion, occasion.name),
        **_sums(items),
        "target": occasion.target,
        "issued_before": occasion.issued_before,
        "unattributed": occasion.ranking.unattributed,
        "hospitals": len(items),
        "ranked": sum(item.rank is not None for item in items),
        "met": sum(item.quota > 0 and item.issued >= item.quota for item in items),
        "flagged_names": "、".join(row["hospital"] for row in flagged),
        "rows": rows,
        "flagged": flagged,
        "alliances": [
            {"alliance": name or ALONE, "hospitals": len(members), **_sums(members)}
            for name, members in by_alliance(items).items()
        ],
    }


def letter(occasion: Occasion, item: RankingItem) -> dict[str, Any]:
    """The fields of a reminder's template."""
    items = occasion.ranking.items
    return {
        **_common(occasion, f"关于{occasion.month}{occasion.title}进度的提醒函"),
        **_row(item),
        "ranked": sum(entry.rank is not None for entry in items),
        "overall_rate": _sums(items)["rate"],
    }


def letter_name(place: int, hospital: str) -> str:
    """A name that every system takes for a file, unlike any other's in the archive."""
    return f"{place:03d}-{_NOT_IN_FILE_NAMES.sub('_', hospital)[:60].strip('. ')}.docx"


def by_alliance(items: Sequence[RankingItem]) -> dict[str, list[RankingItem]]:
    """In the order in which they appear; hospitals that stand alone last, under the empty name."""
    found: dict[str, list[RankingItem]] = {}
    for item in sorted(items, key=lambda entry: not entry.alliance):
        found.setdefault(item.alliance, []).append(item)
    return found


def papers(occasion: Occasion) -> list[Paper]:
    """The workbook: the whole list with the alliances' sums, then a sheet for each alliance."""
    items, ranking = occasion.ranking.items, occasion.ranking
    groups = by_alliance(items)
    facts = Facts(
        [
            ("月份", occasion.month),
            ("版次", f"第 {ranking.edition} 版" if ranking.frozen else "未冻结"),
            *([("更正说明", ranking.reason)] if ranking.reason else []),
            ("数据截至", moment(occasion.as_of)),
            ("未归属发卡数", f"{ranking.unattributed}（未计入下表）"),
        ]
    )
    sums = Grid(
        header=["医共体", "机构数", "任务数", "本月发卡", "累计发卡", "完成率"],
        rows=[[name or ALONE, len(members), *_figures(members)] for name, members in groups.items()],
        widths=[12, 30, 20, 12, 12, 12],
        total=["合计", len(items), *_figures(items)],
        caption="各医共体",
    )
    mark = "；".join(occasion.marks) or None
    names = sheet_names(["合计", *(name or ALONE for name in groups)])
    whole = Paper(names[0], occasion.name, (facts, _grid(items), sums), mark)
    return [
        whole,
        *(
            Paper(sheet, f"{occasion.name}　{alliance or ALONE}", (_grid(members),), mark)
            for sheet, (alliance, members) in zip(names[1:], groups.items(), strict=True)
        ),
    ]


def sheet_names(names: Sequence[str]) -> list[str]:
    """Names that a workbook takes: without its own signs, at most 31 characters, no two alike."""
    taken: dict[str, str] = {}
    for name in names:
        plain = _NOT_IN_SHEET_NAMES.sub("_", name).strip() or "_"
        made, number = plain[:_SHEET_NAME_MAX], 2
        while made.casefold() in taken:
            tail = f"~{number}"
            made, number = plain[: _SHEET_NAME_MAX - len(tail)] + tail, number + 1
        taken[made.casefold()] = made
    return list(taken.values())


def _common(occasion: Occasion, title: str) -> dict[str, Any]:
    words, ranking = occasion.words, occasion.ranking
    return {
        **{key: getattr(words, key) or blank for key, blank in _OPEN.items()},
        "programme": occasion.title,
        "month": occasion.month,
        "title": title,
        "dated": day(words.dated or occasion.as_of.date()),
        "as_of": moment(occasion.as_of),
        "frozen": ranking.frozen,
        "edition": ranking.edition or "",
        "reason": ranking.reason or "",
    }


def _row(item: RankingItem) -> dict[str, Any]:
    return {
        "rank": _NONE if item.rank is None else item.rank,
        "hospital": item.hospital,
        "alliance": item.alliance,
        "quota": item.quota,
        "month_issued": item.month_issued,
        "issued": item.issued,
        "rate": per_cent(item.issued, item.quota),
        "rank_change": _change(item.rank_change),
        "remaining": max(0, item.quota - item.issued),
        "flagged": item.flagged,
        "note": "未达标且列末三位" if item.flagged else "",
    }


def _change(ranks: int | None) -> str:
    match ranks:
        case None:
            return _NONE
        case 0:
            return "持平"
        case _:
            return f"{'升' if ranks > 0 else '降'}{abs(ranks)}"


def _sums(items: Sequence[RankingItem]) -> Mapping[str, Any]:
    quota, issued = sum(item.quota for item in items), sum(item.issued for item in items)
    return {
        "quota": quota,
        "month_issued": sum(item.month_issued for item in items),
        "issued": issued,
        "rate": per_cent(issued, quota),
    }


def _figures(items: Sequence[RankingItem]) -> list[Cell]:
    quota, issued = sum(item.quota for item in items), sum(item.issued for item in items)
    share = share_of(issued, quota)
    month_issued = sum(item.month_issued for item in items)
    return [quota, month_issued, issued, _NONE if share is None else Rate(share)]


def _grid(items: Sequence[RankingItem]) -> Grid:
    rows: list[list[Cell]] = [
        [
            _NONE if item.rank is None else item.rank,
            item.hospital,
            item.alliance,
            *_figures([item]),
            _NONE if item.rank_change is None else item.rank_change,
            "未达标且列末三位" if item.flagged else "",
        ]
        for item in items
    ]
    return Grid(
        header=["名次", "医疗机构", "医共体", "任务数", "本月发卡", "累计发卡", "完成率", "名次变化", "备注"],
        rows=rows,
        widths=[12, 30, 20, 12, 12, 12, 12, 10, 20],
        total=["合计", "", "", *_figures(items), "", ""],
    )

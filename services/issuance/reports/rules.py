"""What the official report says. Pure: every figure comes from the snapshot that is handed in.

Parts stand beside their totals, and where they do not add up a sentence says so.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.issuance.campaigns.schemas import PhaseView
from services.issuance.lessons.rules import (
    ASSUMED,
    DRIFT_P,
    Figures,
    day,
    lessons,
    moment,
    p_text,
    per_cent,
    share,
    thresholds,
)
from shared.documents.official import Kind, Part, Rows, Text, draw
from shared.documents.wordtemplates import Shape
from shared.ledger import Fund
from shared.metrics.store import Figure
from shared.money import yuan
from shared.rates import from_ppm

DEMO_MARK = "演示数据 DEMONSTRATION"
# Signs with which the ledger's moves change what is available, promised to vouchers that can still be used,
# and owed or paid for those that were written off. Together they are what was put up.
_AVAILABLE = {
    "fund": 1, "refund": -1, "issue": -1, "release": 1, "recommit": -1,
    "expire": 1, "revoke": 1, "recover": 1,
}  # fmt: skip
_OUTSTANDING = {
    "issue": 1, "expire": -1, "revoke": -1, "redeem": -1, "release": -1, "reverse": 1, "recommit": 1,
}  # fmt: skip
_REDEEMED = {"redeem": 1, "reverse": -1, "recover": -1}
_PUT_UP = {"fund": 1, "refund": -1}
LEDGER_MEASURES = sorted({*_AVAILABLE, *_OUTSTANDING, *_REDEEMED})

_NONE = "—"
_STATES = {"upcoming": "未开始", "open": "进行中", "closed": "已结束", "paused": "已暂停"}
_STATUSES = {"published": "已发布", "paused": "已暂停", "ended": "已终止"}
_NOT_IN_FILE_NAMES = re.compile(r'[<>:"/\\|?*\x00-\x1f]')


@dataclass(frozen=True, slots=True)
class Story(Figures):
    """All that the report tells, from one snapshot."""

    fund: Fund
    moves: Sequence[Figure]
    demo: bool

    def fen(self, signs: dict[str, int], *, dim: str | None = None) -> list[int]:
        """Per payer, of all types or of one."""
        sums = [0] * len(self.fund.payers)
        for move in self.moves:
            if dim in (None, move.dim):
                for payer, fen in enumerate(move.amounts_fen or ()):
                    sums[payer] += signs.get(move.measure, 0) * fen
        return sums

    def written_off(self, voucher_type: str) -> int:
        """Vouchers of the type, less those whose write-off was reversed."""
        signs = {"redeem": 1, "reverse": -1}
        return sum(signs.get(move.measure, 0) * move.n for move in self.moves if move.dim == voucher_type)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table of the template; `widths` are millimetres."""

    name: str
    caption: str
    header: Sequence[str]
    widths: Sequence[int]
    total: bool

    @property
    def fields(self) -> list[str]:
        return [f"c{place}" for place in range(len(self.header))]

    @property
    def totals(self) -> list[str]:
        return [f"{self.name}_{field}" for field in self.fields] if self.total else []

    def parts(self) -> list[Part]:
        cells = [f"{{{{ row.{field} }}}}" for field in self.fields]
        total = [f"{{{{ {field} }}}}" for field in self.totals]
        caption = f"{self.caption}（数据截至{{{{ as_of }}}}）"
        return [Text(Kind.CAPTION, caption), Rows(self.header, self.widths, self.name, cells, total)]

    def filled(self, rows: Sequence[Sequence[object]], total: Sequence[object] = ()) -> dict[str, Any]:
        """The template's list of rows, and the fields of the last row."""
        return {
            self.name: [dict(zip(self.fields, map(str, row), strict=True)) for row in rows],
            **dict(zip(self.totals, map(str, total), strict=True)),
        }


PHASES = _Table(
    "phases", "各期安排", ("期次", "开始时间", "结束时间", "状态", "中奖率", "答题要求"),
    (14, 34, 34, 18, 24, 32), total=False,
)  # fmt: skip
PAYERS = _Table(
    "payers", "资金情况（单位：元）", ("出资方", "比例", "出资额", "可用", "已发未核", "已核销"),
    (26, 18, 28, 28, 28, 28), total=True,
)  # fmt: skip
WAYS = _Table(
    "ways", "各参与方式情况",
    ("参与方式", "提交", "通过", "未通过", "待审核", "抽奖机会", "抽奖", "中奖", "发券"),
    (44, 14, 14, 14, 14, 14, 14, 14, 14), total=True,
)  # fmt: skip
TYPES = _Table(
    "types", "各券种情况",
    ("券种", "单价（元）", "发放（张）", "发放金额（元）", "核销（张）", "剩余库存（张）"),
    (40, 24, 20, 28, 20, 24), total=True,
)  # fmt: skip
DAYS = _Table(
    "days", "逐日情况", ("日期", "答题人数", "答题人次", "通过人次", "抽奖次数", "中奖次数", "发券（张）"),
    (36, 20, 20, 20, 20, 20, 20), total=True,
)  # fmt: skip
_TABLES = (PHASES, PAYERS, WAYS, TYPES, DAYS)
_TEXTS = ("basics", "results", "odds", "money", "problems", "next_steps")

SHAPE = Shape(
    fields=frozenset({"title", "as_of", "dated", *(name for table in _TABLES for name in table.totals)}),
    lists={
        **{name: frozenset({"text"}) for name in _TEXTS},
        **{table.name: frozenset(table.fields) for table in _TABLES},
    },
)


def template() -> bytes:
    """The report's form, in that of GB/T 9704."""
    parts: list[Part] = [
        Text(Kind.TITLE, "{{ title }}"),
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
        Text(Kind.SIGNATURE, "（报告单位）"),
        Text(Kind.DATE, "{{ dated }}"),
    ]
    return draw(parts, title="工作情况报告")


def _paragraphs(name: str) -> list[Part]:
    """A paragraph for each text of a list."""
    lines = (f"{{%p for row in {name} %}}", "{{ row.text }}", "{%p endfor %}")
    return [Text(Kind.BODY, line) for line in lines]


def context(story: Story) -> dict[str, Any]:
    """The fields of the template."""
    problems, steps = lessons(story)
    texts = {
        "basics": _basics(story),
        "money": _money(story),
        "results": _results(story),
        "odds": _odds(story),
        "problems": [thresholds(story), *(_numbered(problems) or ["按上述标准，未发现需要列出的问题。"])],
        "next_steps": [
            f"以下建议由上述数据得出（数据截至{story.as_of}）。",
            *(_numbered(steps) or ["暂无由数据得出的调整建议。"]),
        ],
    }
    return {
        "title": _title(story.campaign.title),
        "as_of": story.as_of,
        "dated": day(story.today),
        **{name: [{"text": text} for text in found] for name, found in texts.items()},
        **_phases(story),
        **_payers(story),
        **_ways(story),
        **_types(story),
        **_days(story),
    }


def file_name(title: str) -> str:
    return _NOT_IN_FILE_NAMES.sub("_", f"{_title(title)}.docx")


def _title(title: str) -> str:
    return f"{title}工作情况报告"


def _numbered(texts: Sequence[str]) -> list[str]:
    return [f"{number}. {text}" for number, text in enumerate(texts, start=1)]


def _basics(story: Story) -> list[str]:
    campaign = story.campaign
    ways = "；".join(
        f"{way.name}（每次获抽奖机会{way.chances}次{_daily(way.per_day)}{story.mark(f'channels.{way.key}')}）"
        for way in campaign.channels
    )
    slogan = f"活动口号为“{campaign.slogan}”。" if campaign.slogan else ""
    return [
        (
            f"{campaign.title}分{len(campaign.phases)}期实施，当前状态为{_STATUSES[campaign.status]}"
            f"（数据截至{story.as_of}）。{slogan}"
        ),
        (
            f"活动预算{yuan(story.fund.budget_fen)}元{story.mark('budget_fen')}，"
            f"由{'、'.join(payer.name for payer in story.fund.payers)}共同承担。"
        ),
        f"群众可通过{len(campaign.channels)}种方式参与：{ways}。",
    ]


def _daily(limit: int | None) -> str:
    return "" if limit is None else f"，每日最多{limit}次"


def _phases(story: Story) -> dict[str, Any]:
    return PHASES.filled([_phase(story, phase) for phase in story.campaign.phases])


def _phase(story: Story, phase: PhaseView) -> Sequence[str]:
    at = f"phases.{phase.seq}"
    return (
        f"第{phase.seq}期",
        moment(phase.opens_at) + story.mark(f"{at}.opens_at"),
        moment(phase.closes_at) + story.mark(f"{at}.closes_at"),
        _STATES[phase.state],
        per_cent(phase.odds) + story.mark(f"{at}.odds"),
        f"{phase.quiz.questions}题，{phase.quiz.pass_score}分合格{story.mark(f'{at}.quiz')}",
    )


def _payers(story: Story) -> dict[str, Any]:
    columns = [story.fen(signs) for signs in (_PUT_UP, _AVAILABLE, _OUTSTANDING, _REDEEMED)]
    rows = [
        (
            payer.name,
            per_cent(from_ppm(payer.share_ppm)) + story.mark(f"funding_sources.{payer.key}.share"),
            *map(yuan, parts),
        )
        for payer, *parts in zip(story.fund.payers, *columns, strict=True)
    ]
    return PAYERS.filled(rows, ("合计", "100%", *(yuan(sum(column)) for column in columns)))


def _money(story: Story) -> list[str]:
    put_up, available, outstanding, redeemed = (
        sum(story.fen(signs)) for signs in (_PUT_UP, _AVAILABLE, _OUTSTANDING, _REDEEMED)
    )
    told = [
        (
            f"预算{yuan(put_up)}元中，尚可使用{yuan(available)}元，已发放未核销消费券占用{yuan(outstanding)}元，"
            f"已核销（扣除撤销和追回）{yuan(redeemed)}元，三项合计等于预算（数据截至{story.as_of}）。"
        )
    ]
    if any(path.startswith("voucher_types.") for path in story.campaign.assumed):
        told.append(f"部分券种单价为演示假定值，按其计算的金额同为假定{ASSUMED}。")
    return told


def _results(story: Story) -> list[str]:
    told = story.metrics
    participants = sum(one.participants for one in told.daily)
    rate = share(told.passed, told.attempts)
    unclaimed = told.wins - told.vouchers_issued - told.awards_open
    return [
        (
            f"截至{story.as_of}，累计答题{told.attempts}人次（每人每日计一次为{participants}人次），"
            f"通过{told.passed}人次，通过率{_NONE if rate is None else f'{rate:.2%}'}。"
        ),
        (
            f"累计产生抽奖机会{told.chances}次，已抽奖{told.draws}次，尚未使用或已失效"
            f"{told.chances - told.draws}次；中奖{told.wins}次，发放消费券{told.vouchers_issued}张。"
        ),
        (
            f"中奖次数与发券张数之差：待领取{told.awards_open}次（其中待核查{told.awards_on_hold}次），"
            f"逾期未领或被取消{unclaimed}次。"
        ),
        *_differences(story),
        f"剩余库存为尚未结束各期的库存之和；已结束各期的不计入。{_assumed_stock(story)}",
    ]


def _assumed_stock(story: Story) -> str:
    mark = story.mark(*(f"phases.{phase.seq}.stock" for phase in story.campaign.phases))
    return f"各期投放的库存含假定值{mark}。" if mark else ""


def _differences(story: Story) -> list[str]:
    """A sentence for each column whose parts are not the total: readers must not find that by themselves."""
    told, ways = story.metrics, list(story.metrics.by_channel.values())
    compared = (
        ("各方式抽奖机会", sum(way.chances for way in ways), told.chances),
        ("各方式抽奖次数", sum(way.draws for way in ways), told.draws),
        ("各方式中奖次数", sum(way.wins for way in ways), told.wins),
        ("各方式发券张数", sum(way.issued for way in ways), told.vouchers_issued),
        ("各券种发放张数", sum(told.issued_by_type.values()), told.vouchers_issued),
    )
    return [
        f"{name}合计{parts}，与总数{whole}相差{whole - parts}，差额不属于上表所列各项。"
        for name, parts, whole in compared
        if parts != whole
    ]


def _ways(story: Story) -> dict[str, Any]:
    found = story.metrics.by_channel
    rows = [
        (way.submitted, way.accepted, way.rejected, way.pending, way.chances, way.draws, way.wins, way.issued)
        for way in found.values()
    ]
    names = {channel.key: channel.name for channel in story.campaign.channels}
    named = [(names[key], *row) for key, row in zip(found, rows, strict=True)]
    return WAYS.filled(named, ("合计", *_sums(rows, columns=8)))


def _types(story: Story) -> dict[str, Any]:
    told = story.metrics
    rows: list[tuple[int, int, int, int]] = []
    named: list[tuple[object, ...]] = []
    for entry in story.campaign.voucher_types:
        issued = told.issued_by_type[entry.key]
        fen = sum(story.fen({"issue": 1}, dim=entry.key))
        left = told.stock_remaining.get(entry.key, 0)
        row = (issued, fen, story.written_off(entry.key), left)
        price = entry.face_value_fen or entry.settlement_price_fen or 0
        field = "settlement_price_fen" if entry.face_value_fen is None else "face_value_fen"
        mark = story.mark(f"voucher_types.{entry.key}.{field}")
        rows.append(row)
        named.append((entry.name, yuan(price) + mark, issued, yuan(fen), row[2], left))
    issued, fen, written_off, left = _sums(rows, columns=4)
    return TYPES.filled(named, ("合计", _NONE, issued, yuan(fen), written_off, left))


def _days(story: Story) -> dict[str, Any]:
    rows = [
        (one.participants, one.attempts, one.passed, one.draws, one.wins, one.issued)
        for one in story.metrics.daily
    ]
    named = [
        (day(date.fromisoformat(one.date)), *row) for one, row in zip(story.metrics.daily, rows, strict=True)
    ]
    return DAYS.filled(named, ("合计", *_sums(rows, columns=6)))


def _sums(rows: Iterable[Sequence[int]], *, columns: int) -> list[int]:
    found = list(rows)
    return [sum(row[column] for row in found) for column in range(columns)]


def _odds(story: Story) -> list[str]:
    told = story.metrics
    if told.announced_odds is None:
        return []
    announced = (
        f"公布中奖率（按各次抽奖时有效的中奖率平均）为{per_cent(told.announced_odds)}{story.odds_mark}"
    )
    if told.observed_odds is None or told.odds_drift_p is None:
        return [f"{announced}，尚无抽奖（数据截至{story.as_of}）。"]
    verdict = "二者不符，须查明原因" if told.odds_drift_p < DRIFT_P else "未见异常"
    return [
        (
            f"{announced}，实际中奖率为{per_cent(told.observed_odds)}（{told.wins}÷{told.draws}）。按公布中奖率，"
            f"出现不多于此可能性的结果的概率为{p_text(told.odds_drift_p)}（二项分布双侧检验），"
            f"{verdict}（数据截至{story.as_of}）。"
        )
    ]

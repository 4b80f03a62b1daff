"""What the official report says. Pure: every figure comes from the snapshot that is handed in.

Parts stand beside their totals, and where they do not add up a sentence says so.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from services.issuance.campaigns.schemas import PhaseView
from services.issuance.lessons.rules import (
    ASSUMED,
    DRIFT_P,
    Figures,
    Institution,
    Use,
    day,
    lessons,
    moment,
    p_text,
    per_cent,
    share,
    thresholds,
)
from services.issuance.templates.rules import DAYS, PAYERS, PHASES, TYPES, WAYS
from shared.documents.filenames import as_file_name
from shared.ledger import Fund
from shared.metrics.store import Figure
from shared.money import yuan
from shared.rates import from_ppm

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
# What was issued and is neither outstanding nor written off: where each part of it went.
_BACK = {
    "账单不足面值未抵扣": {"release": 1, "recommit": -1},
    "到期未用": {"expire": 1},
    "作废": {"revoke": 1},
    "核销后追回": {"recover": 1},
}
LEDGER_MEASURES = sorted({*_AVAILABLE, *_OUTSTANDING, *_REDEEMED})

_NONE = "—"
_STATES = {"upcoming": "未开始", "open": "进行中", "closed": "已结束", "paused": "已暂停"}
_STATUSES = {"published": "已发布", "paused": "已暂停", "ended": "已终止"}
_DIGITS = "〇一二三四五六七八九"
_TEN = 10


class Words(Protocol):
    """What stands in the report beside its figures; empty: left out."""

    @property
    def issuer(self) -> str: ...
    @property
    def number(self) -> str: ...
    @property
    def addressees(self) -> str: ...
    @property
    def copies(self) -> str: ...
    @property
    def red_head(self) -> bool: ...
    @property
    def problems(self) -> Sequence[str]: ...
    @property
    def next_steps(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Story(Figures):
    """All that the report tells, from one snapshot."""

    fund: Fund
    moves: Sequence[Figure]
    words: Words
    dated: date | None
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


def use_of(moves: Sequence[Figure]) -> Use:
    """What became of the vouchers, as the ledger counts them."""

    def count(**signs: int) -> int:
        return sum(signs.get(move.measure, 0) * move.n for move in moves)

    return Use(
        issued=count(issue=1),
        written_off=count(redeem=1, reverse=-1),
        expired=count(expire=1),
        revoked=count(revoke=1),
        outstanding=count(issue=1, redeem=-1, reverse=1, expire=-1, revoke=-1),
    )


def idle_of(taking_part: Sequence[Institution], moves: Sequence[Figure]) -> list[str]:
    """The names of those that have no write-off, or none that was not undone."""
    used: Counter[str] = Counter()
    for move in moves:
        used[move.dim2] += {"redeem": 1, "reverse": -1}.get(move.measure, 0) * move.n
    return [one.name for one in taking_part if used[one.id] <= 0]


def context(story: Story) -> dict[str, Any]:
    """The fields of the template."""
    found_problems, found_steps = lessons(story)
    words = story.words
    problems, steps = [*found_problems, *words.problems], [*found_steps, *words.next_steps]
    texts = {
        "basics": _basics(story),
        "money": _money(story),
        "results": _results(story),
        "odds": _odds(story),
        "problems": [
            *(_numbered(problems) or [f"按下述标准，未发现需要列出的问题（数据截至{story.as_of}）。"]),
            thresholds(story),
        ],
        "next_steps": [
            *(_numbered(steps) or ["暂无由数据得出的调整建议。"]),
            f"由数据得出的建议以截至{story.as_of}的数据为准。",
        ],
    }
    return {
        "title": _title(story.campaign.title),
        "as_of": story.as_of,
        "dated": day(story.dated or story.today),
        "issuer": words.issuer,
        "number": words.number,
        "addressees": words.addressees,
        "copies": words.copies,
        "red_head": words.red_head and bool(words.issuer),
        **{name: [{"text": text} for text in found] for name, found in texts.items()},
        **_phases(story),
        **_payers(story),
        **_ways(story),
        **_types(story),
        **_days(story),
    }


def file_name(title: str) -> str:
    return as_file_name(f"{_title(title)}.docx")


def _title(title: str) -> str:
    return f"{title}工作情况报告"


def _numbered(texts: Sequence[str]) -> list[str]:
    """The second level of numbers in official documents; a third would begin with 1."""
    return [f"（{_chinese(number)}）{text}" for number, text in enumerate(texts, start=1)]


def _chinese(number: int) -> str:
    """1 to 99: 一, 十, 十一, 二十一."""
    tens, ones = divmod(number, _TEN)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_DIGITS[tens]}十"
    return head + (_DIGITS[ones] if ones else "")


def _basics(story: Story) -> list[str]:
    campaign = story.campaign
    ways = "；".join(
        f"{way.name}（每次获抽奖机会{way.chances}次{_daily(way.per_day)}）{story.mark(f'channels.{way.key}')}"
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
        *([f"本报告中标“{ASSUMED}”的数值为演示假定值，未经公布。"] if campaign.assumed else []),
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
    told += _given_back(story)
    if any(path.startswith("voucher_types.") for path in story.campaign.assumed):
        told.append(f"部分券种单价为演示假定值{ASSUMED}，按其计算的金额同为假定。")
    return told


def _given_back(story: Story) -> list[str]:
    """Why what was issued is more than what is outstanding and written off; nothing when it is not."""
    back = {name: sum(story.fen(signs)) for name, signs in _BACK.items()}
    parts = [f"{name}{yuan(fen)}元" for name, fen in back.items() if fen]
    if not parts:
        return []
    issued = sum(story.fen({"issue": 1}))
    return [
        (
            f"累计发放金额{yuan(issued)}元，比已发放未核销与已核销之和多{yuan(sum(back.values()))}元，"
            f"已退回可用预算：{'，'.join(parts)}。"
        )
    ]


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
        _used(story),
        *_differences(story),
        f"剩余库存为尚未结束各期的库存之和；已结束各期的不计入。{_assumed_stock(story)}",
    ]


def _used(story: Story) -> str:
    use = story.use
    rate = share(use.written_off, use.issued)
    return (
        f"发放的{use.issued}张消费券中，已核销{use.written_off}张"
        f"（核销率{_NONE if rate is None else f'{rate:.2%}'}），"
        f"到期未用{use.expired}张，作废{use.revoked}张，未到期待使用{use.outstanding}张（数据截至{story.as_of}）。"
    )


def _assumed_stock(story: Story) -> str:
    mark = story.mark(*(f"phases.{phase.seq}.stock" for phase in story.campaign.phases))
    return f"各期投放的库存含演示假定值{mark}。" if mark else ""


def _differences(story: Story) -> list[str]:
    """A sentence for each column whose parts are not the total: readers must not find that by themselves."""
    told, ways = story.metrics, list(story.metrics.by_channel.values())
    compared = (
        ("各方式抽奖机会", sum(way.chances for way in ways), told.chances),
        ("各方式抽奖次数", sum(way.draws for way in ways), told.draws),
        ("各方式中奖次数", sum(way.wins for way in ways), told.wins),
        ("各方式发券张数", sum(way.issued for way in ways), told.vouchers_issued),
        ("各券种发放张数", sum(told.issued_by_type.values()), told.vouchers_issued),
        ("资金台账发放张数", story.use.issued, told.vouchers_issued),
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

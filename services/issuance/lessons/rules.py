"""What a campaign's figures show to be wrong, and what they suggest to do next. Pure.

A problem and a suggestion follow from figures by the thresholds below, which are told along with them;
nothing is said that no figure bears out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise

from services.issuance.campaigns.schemas import CampaignView
from services.issuance.publicview.rules import is_under
from services.issuance.reporting.schemas import Metrics
from shared.rates import rate_text

# A problem, and what to do about it.
Lesson = tuple[str, str]

# Behind a value that a demonstration assumes; the report says what it means.
ASSUMED = "※"
# Below half, more people leave the quiz without a chance than with one.
PASS_RATE_LOW = Decimal("0.5")
# With 30 attempts a share is known to within some 18 points.
ATTEMPTS_MIN = 30
# The prefecture's own report calls odds of 20 % too low: below a quarter three of four go away with nothing.
ODDS_LOW = Decimal("0.25")
# Below half, more of the money that was promised lies idle than reaches an institution.
USE_RATE_LOW = Decimal("0.5")
# More names than these nobody reads in a sentence; the institutions' ranking has them all.
_NAMED_MAX = 10
# Two falls in a row are no accident of a weekend any more.
FALLING_DAYS_MIN = 3
# As the monitor's alarm: one honest campaign in a thousand.
DRIFT_P = 0.001
# No p is printed more finely than this.
_P_FINEST = 0.0001


@dataclass(frozen=True, slots=True)
class Difficulty:
    """What the kept statistics say of the bank: questions in use that are too hard."""

    as_of: str
    attempts: int
    too_hard: int


@dataclass(frozen=True, slots=True)
class Use:
    """What became of the vouchers: issued = written off + expired + revoked + outstanding."""

    issued: int
    written_off: int
    expired: int
    revoked: int
    outstanding: int


@dataclass(frozen=True, slots=True)
class Institution:
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Matters:
    """What is open with the institutions: risk cases, and settlements in dispute."""

    risk_cases: int
    disputes: int


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a campaign, from one snapshot; `idle` are institutions without a write-off."""

    campaign: CampaignView
    metrics: Metrics
    difficulty: Difficulty | None
    use: Use
    taking_part: int
    idle: Sequence[str]
    matters: Matters

    @property
    def as_of(self) -> str:
        return moment(self.metrics.as_of)

    @property
    def today(self) -> date:
        return datetime.fromisoformat(self.metrics.as_of).date()

    @property
    def odds_mark(self) -> str:
        """Behind the odds of draws that were made: phases that have not begun have no part in them."""
        phases = self.campaign.phases
        begun = [phase for phase in phases if phase.state != "upcoming"] or phases
        return self.mark(*(f"phases.{phase.seq}.odds" for phase in begun))

    def mark(self, *paths: str) -> str:
        """What stands behind a value that a demonstration assumes."""
        return ASSUMED if any(is_under(path, self.campaign.assumed) for path in paths) else ""


def day(at: date) -> str:
    return f"{at.year}年{at.month}月{at.day}日"


def moment(at: str) -> str:
    """An RFC 3339 moment by the clock that it tells."""
    when = datetime.fromisoformat(at)
    return f"{day(when)}{when.hour}时{when.minute:02d}分"


def per_cent(rate: str | Decimal) -> str:
    """All decimals that it has: 0.666667 → 66.6667%."""
    return f"{rate_text(Decimal(rate) * 100)}%"


def share(part: int, whole: int) -> Decimal | None:
    """Four decimals, half up: what is printed with two decimals of a per cent."""
    return None if whole == 0 else (Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_UP)


def p_text(p: float) -> str:
    return f"{p:.4f}" if p >= _P_FINEST else f"小于{_P_FINEST}"


def thresholds(known: Figures) -> str:
    return (
        f"上述由数据得出的事项，以达到下列标准为限（数据截至{known.as_of}）：答题满{ATTEMPTS_MIN}人次且通过率低于"
        f"{per_cent(PASS_RATE_LOW)}；公布中奖率低于{per_cent(ODDS_LOW)}；答题人次连续{FALLING_DAYS_MIN}天以上"
        f"逐日下降（不含尚未结束的当日）；中奖率检验概率低于{DRIFT_P}；题库统计判定题目过难；"
        f"有券种库存用尽；有参与材料待审核；发放满{ATTEMPTS_MIN}张且核销率低于{per_cent(USE_RATE_LOW)}；"
        "有消费券到期未用；已发放消费券而有服务机构尚无核销；有风险线索或结算异议尚未办结。"
    )


def lessons(known: Figures) -> tuple[list[str], list[str]]:
    """Problems that the figures show, and what they suggest to do next."""
    problems: list[str] = []
    steps: list[str] = []
    for problem, step in (
        *_quiz_lessons(known),
        *_odds_lessons(known),
        *_trend_lessons(known),
        *_supply_lessons(known),
        *_use_lessons(known),
        *_institution_lessons(known),
    ):
        problems.append(problem)
        steps.append(step)
    return problems, [*steps, *_planned(known)]


def _quiz_lessons(known: Figures) -> list[Lesson]:
    told, hard = known.metrics, known.difficulty
    found: list[Lesson] = []
    if told.attempts >= ATTEMPTS_MIN and Decimal(told.passed) / told.attempts < PASS_RATE_LOW:
        problem = (
            f"答题偏难。{told.attempts}人次答题中{told.passed}人次通过，"
            f"通过率{share(told.passed, told.attempts):.2%}，低于{per_cent(PASS_RATE_LOW)}。"
        )
        found.append((problem, "降低题目难度或合格分数，提高答题通过率。"))
    if hard is not None and hard.too_hard:
        problem = (
            f"部分题目过难。据{hard.attempts}人次答题的题库统计（数据截至{moment(hard.as_of)}），"
            f"在用题目中有{hard.too_hard}道被判定为过难。"
        )
        found.append((problem, f"停用或修改过难题目{hard.too_hard}道。"))
    return found


def _odds_lessons(known: Figures) -> list[Lesson]:
    told = known.metrics
    found: list[Lesson] = []
    if told.announced_odds is not None and Decimal(told.announced_odds) < ODDS_LOW:
        announced = f"{per_cent(told.announced_odds)}{known.odds_mark}"
        problem = f"中奖率偏低。公布中奖率为{announced}，低于{per_cent(ODDS_LOW)}。"
        found.append((problem, "在预算和库存允许的范围内提高中奖率。"))
    if told.odds_drift_p is not None and told.odds_drift_p < DRIFT_P:
        problem = f"实际中奖率与公布中奖率不符，检验概率为{p_text(told.odds_drift_p)}。"
        found.append((problem, "核查抽奖记录，查明实际中奖率与公布不符的原因。"))
    return found


def falling(known: Figures) -> list[tuple[date, int]]:
    """The longest run of days in a row, today left out, each with fewer attempts than the one before."""
    days = [(date.fromisoformat(one.date), one.attempts) for one in known.metrics.daily]
    over = [one for one in days if one[0] < known.today]
    best = run = over[:1]
    for before, after in pairwise(over):
        goes_on = after[0] - before[0] == timedelta(days=1) and after[1] < before[1]
        run = [*run, after] if goes_on else [after]
        best = max(best, run, key=len)
    return best if len(best) >= FALLING_DAYS_MIN else []


def _trend_lessons(known: Figures) -> list[Lesson]:
    days = falling(known)
    if not days:
        return []
    problem = (
        f"参与人次逐日下降。{day(days[0][0])}至{day(days[-1][0])}连续{len(days)}天，每日答题人次依次为"
        f"{'、'.join(str(attempts) for _, attempts in days)}。"
    )
    return [(problem, "加强宣传引导，扭转参与人次逐日下降的趋势。")]


def _supply_lessons(known: Figures) -> list[Lesson]:
    told = known.metrics
    found: list[Lesson] = []
    gone = [entry.name for entry in known.campaign.voucher_types if told.stock_remaining.get(entry.key) == 0]
    if gone:
        names = "、".join(gone)
        found.append((f"部分券种库存用尽：{names}。", f"研究补充下列券种的库存：{names}。"))
    waiting = sum(way.pending for way in told.by_channel.values())
    if waiting:
        found.append((f"参与材料待审核{waiting}件。", f"尽快审核待处理的参与材料{waiting}件。"))
    return found


def _use_lessons(known: Figures) -> list[Lesson]:
    use = known.use
    found: list[Lesson] = []
    rate = share(use.written_off, use.issued)
    if rate is not None and use.issued >= ATTEMPTS_MIN and rate < USE_RATE_LOW:
        problem = (
            f"消费券使用不足。发放{use.issued}张，核销{use.written_off}张，核销率{rate:.2%}，"
            f"低于{per_cent(USE_RATE_LOW)}；尚有{use.outstanding}张未到期待使用。"
        )
        found.append(
            (problem, f"提醒持券群众在有效期内使用，方便就近核销，盘活未使用的{use.outstanding}张消费券。")
        )
    if use.expired:
        problem = f"部分消费券到期未用。到期未用{use.expired}张，所占资金已退回可用余额。"
        found.append((problem, "在到期前提醒持券群众，减少到期未用。"))
    return found


def _institution_lessons(known: Figures) -> list[Lesson]:
    found: list[Lesson] = []
    idle, matters = known.idle, known.matters
    if known.use.issued and idle:
        more = f"等{len(idle)}家" if len(idle) > _NAMED_MAX else ""
        problem = (
            f"部分服务机构尚无核销。参加活动的{known.taking_part}家服务机构中，{len(idle)}家尚无核销："
            f"{'、'.join(idle[:_NAMED_MAX])}{more}。"
        )
        found.append(
            (problem, f"逐一了解尚无核销的{len(idle)}家服务机构的终端、人员和公示情况，帮助其开展核销。")
        )
    if matters.risk_cases:
        found.append(
            (f"核销风险线索{matters.risk_cases}件尚未办结。", f"尽快核查风险线索{matters.risk_cases}件。")
        )
    if matters.disputes:
        found.append(
            (f"服务机构对{matters.disputes}份结算单有异议。", f"尽快答复结算异议{matters.disputes}份。")
        )
    return found


def _planned(known: Figures) -> list[str]:
    return [
        f"第{phase.seq}期定于{moment(phase.opens_at)}{known.mark(f'phases.{phase.seq}.opens_at')}开始，中奖率"
        f"{per_cent(phase.odds)}{known.mark(f'phases.{phase.seq}.odds')}，合格分数{phase.quiz.pass_score}分"
        f"{known.mark(f'phases.{phase.seq}.quiz')}，按期做好准备。"
        for phase in known.campaign.phases
        if phase.state == "upcoming"
    ]

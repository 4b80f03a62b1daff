"""What the overview shows, put together out of rolled-up figures. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from shared.ledger.rules import WAYS
from shared.metrics.store import Figure

# Issuance and redemption count these per campaign, quota per programme.
CAMPAIGN_MEASURES = ("attempt", "participant", "chance", "draw", *WAYS)
PROGRAMME_MEASURES = ("card", "card_used", "scan")

# How many of the best and of the last hospitals the overview names: the notice names the last three.
NAMED = 3
# Two weeks: a phase's course at one look.
CHART_DAYS = 14

# Less than one in so many pieces left is nearly used up: on a good day that is gone within hours.
STOCK_LOW = 10

# What the ledger calls the money that nobody has put up yet.
_BUDGET = "budget"
# What a kind of transfer does to the number of vouchers that are issued, redeemed, and ended unused.
_COUNTS: Mapping[str, Mapping[str, int]] = {
    "issue": {"issued": 1},
    "redeem": {"redeemed": 1},
    "reverse": {"redeemed": -1},
    "expire": {"ended": 1},
    "revoke": {"ended": 1},
}


@dataclass(slots=True)
class TypeLine:
    key: str
    name: str
    issued: int = 0
    redeemed: int = 0
    ended: int = 0

    @property
    def outstanding(self) -> int:
        return self.issued - self.redeemed - self.ended


@dataclass(slots=True)
class PayerLine:
    """A payer's money, in fen: what it put up is in exactly one of the four accounts."""

    name: str
    share: Decimal
    available: int = 0
    committed: int = 0
    payable: int = 0
    paid: int = 0

    @property
    def budget(self) -> int:
        return self.available + self.committed + self.payable + self.paid


@dataclass(slots=True)
class DayLine:
    """What happened on one day; `redeemed_fen` is what the written-off vouchers cost, in fen."""

    attempts: int = 0
    draws: int = 0
    wins: int = 0
    issued: int = 0
    redeemed: int = 0
    redeemed_fen: int = 0


@dataclass(frozen=True, slots=True)
class StockLine:
    """A type's pieces in phases that are not over."""

    name: str
    put_in: int
    remaining: int

    @property
    def is_low(self) -> bool:
        return self.remaining * STOCK_LOW < self.put_in


@dataclass(slots=True)
class CampaignBoard:
    """`today` is None where nobody asks for a day's figures."""

    slug: str
    title: str
    status: str
    types: list[TypeLine]
    payers: list[PayerLine]
    assumed: list[str] = field(default_factory=list)
    today: date | None = None
    stock: list[StockLine] = field(default_factory=list)
    days: dict[date, DayLine] = field(default_factory=dict)
    attempts: int = 0
    passed: int = 0
    participants: int = 0
    chances: int = 0
    draws: int = 0
    wins: int = 0

    @property
    def daily(self) -> list[tuple[date, int]]:
        """Attempts of the last days."""
        return self.course("attempts")

    def course(self, name: str) -> list[tuple[date, int]]:
        """One figure of the last days on which anything happened."""
        return last_days({day: n for day, line in self.days.items() if (n := getattr(line, name))})

    @property
    def now(self) -> DayLine:
        return self.days.get(self.today, DayLine()) if self.today else DayLine()

    @property
    def before(self) -> DayLine:
        """Of the day before today."""
        return self.days.get(self.today - timedelta(days=1), DayLine()) if self.today else DayLine()

    @property
    def low(self) -> list[StockLine]:
        """Types that are nearly used up."""
        return [line for line in self.stock if line.is_low]

    @property
    def assumed_money(self) -> list[tuple[str, str]]:
        """Which figures of money rest on assumptions of a demonstration, in both languages."""
        names = {"funding_sources": ("出资比例", "shares"), "voucher_types": ("券的结算价", "prices")}
        parts = {path.split(".")[0] for path in self.assumed}
        return [name for part, name in names.items() if part in parts]

    @property
    def issued(self) -> int:
        return sum(line.issued for line in self.types)

    @property
    def redeemed(self) -> int:
        return sum(line.redeemed for line in self.types)

    @property
    def pass_rate(self) -> Decimal | None:
        return share_of(self.passed, self.attempts)

    @property
    def win_rate(self) -> Decimal | None:
        return share_of(self.wins, self.draws)

    @property
    def redeem_rate(self) -> Decimal | None:
        return share_of(self.redeemed, self.issued)

    @property
    def steps(self) -> list[tuple[str, str, int]]:
        """The way of a citizen, as counts that can be compared: Chinese, English, how many."""
        return [
            ("答题", "Quiz attempts", self.attempts),
            ("合格", "Passed", self.passed),
            ("抽奖机会", "Chances", self.chances),
            ("抽奖", "Draws", self.draws),
            ("中奖", "Wins", self.wins),
            ("领券", "Vouchers", self.issued),
            ("核销", "Redeemed", self.redeemed),
        ]


@dataclass(frozen=True, slots=True)
class HospitalLine:
    rank: int
    name: str
    alliance: str
    quota: int
    issued: int
    rate: Decimal | None


@dataclass(slots=True)
class ProgrammeBoard:
    slug: str
    title: str
    target: int
    issued_before: int
    allocated: int | None
    issued: int = 0
    unattributed: int = 0
    used: int = 0
    scans: int = 0
    hospitals: list[HospitalLine] = field(default_factory=list)
    daily: list[tuple[date, int]] = field(default_factory=list)

    @property
    def rate(self) -> Decimal | None:
        """Counted cards against what the allocation distributes."""
        return share_of(self.issued, self.allocated or 0)

    @property
    def target_rate(self) -> Decimal | None:
        """All cards, also those of before the programme, against the city's target."""
        return share_of(self.issued_before + self.issued, self.target)

    @property
    def first(self) -> list[HospitalLine]:
        return self.hospitals[:NAMED]

    @property
    def last(self) -> list[HospitalLine]:
        """The last ones, where they are not also the first."""
        return self.hospitals[max(NAMED, len(self.hospitals) - NAMED) :]


def share_of(part: int, whole: int) -> Decimal | None:
    return Decimal(part) / whole if whole else None


def fill_campaign(board: CampaignBoard, figures: Iterable[Figure]) -> CampaignBoard:
    """Adds one campaign's figures to its board."""
    lines = {line.key: line for line in board.types}
    for figure in figures:
        _count_participation(board, figure)
        _count_day(board.days.setdefault(figure.day, DayLine()), figure)
        for name, sign in _COUNTS.get(figure.measure, {}).items():
            line = lines.setdefault(figure.dim, TypeLine(figure.dim, figure.dim))
            setattr(line, name, getattr(line, name) + sign * figure.n)
        if figure.measure in WAYS:
            _move(board.payers, WAYS[figure.measure], figure.amounts_fen or ())
    board.types = list(lines.values())
    return board


def _count_day(line: DayLine, figure: Figure) -> None:
    match figure.measure:
        case "attempt":
            line.attempts += figure.n
        case "draw":
            line.draws += figure.n
            line.wins += figure.n if figure.dim == "won" else 0
        case "issue":
            line.issued += figure.n
        case "redeem" | "reverse":
            sign = 1 if figure.measure == "redeem" else -1
            line.redeemed += sign * figure.n
            line.redeemed_fen += sign * figure.fen
        case _:
            pass


def _move(payers: Sequence[PayerLine], way: tuple[str, str], amounts_fen: Sequence[int]) -> None:
    """Between two accounts of each payer; the budget itself is none of the board's."""
    for account, sign in zip(way, (-1, 1), strict=True):
        for payer, fen in zip(payers, amounts_fen, strict=False):
            if account != _BUDGET:
                setattr(payer, account, getattr(payer, account) + sign * fen)


def _count_participation(board: CampaignBoard, figure: Figure) -> None:
    match figure.measure:
        case "attempt":
            board.attempts += figure.n
            board.passed += figure.n if figure.dim == "passed" else 0
        case "participant":
            board.participants += figure.n
        case "chance":
            board.chances += figure.n
        case "draw":
            board.draws += figure.n
            board.wins += figure.n if figure.dim == "won" else 0
        case _:
            pass


def fill_programme(
    board: ProgrammeBoard,
    figures: Iterable[Figure],
    quotas: Sequence[tuple[str, str, str, int]],
) -> ProgrammeBoard:
    """Adds one programme's figures. `quotas` are (hospital id, name, alliance, quota)."""
    by_hospital: dict[str, int] = {}
    by_day: dict[date, int] = {}
    for figure in figures:
        if figure.measure == "card":
            board.issued += figure.n
            by_day[figure.day] = by_day.get(figure.day, 0) + figure.n
            by_hospital[figure.dim] = by_hospital.get(figure.dim, 0) + figure.n
        elif figure.measure == "card_used":
            board.used += figure.n
        else:
            board.scans += figure.n
    board.unattributed = by_hospital.get("", 0)
    board.hospitals = ranked(
        [(name, alliance, quota, by_hospital.get(hospital, 0)) for hospital, name, alliance, quota in quotas]
    )
    board.daily = last_days(by_day)
    return board


def ranked(rows: Sequence[tuple[str, str, int, int]]) -> list[HospitalLine]:
    """(name, alliance, quota, issued), by issued ÷ quota; equals share a rank, and the next rank skips."""
    order = sorted(rows, key=lambda row: (-(share_of(row[3], row[2]) or Decimal(0)), row[0]))
    lines: list[HospitalLine] = []
    for place, (name, alliance, quota, issued) in enumerate(order, start=1):
        rate = share_of(issued, quota)
        rank = lines[-1].rank if lines and lines[-1].rate == rate else place
        lines.append(HospitalLine(rank, name, alliance, quota, issued, rate))
    return lines


def last_days(by_day: Mapping[date, int]) -> list[tuple[date, int]]:
    """The last days up to the last one on which something happened, none left out; CHART_DAYS at most."""
    if not by_day:
        return []
    end = max(by_day)
    start = max(min(by_day), end - timedelta(days=CHART_DAYS - 1))
    days = (start + timedelta(days=number) for number in range((end - start).days + 1))
    return [(day, by_day.get(day, 0)) for day in days]

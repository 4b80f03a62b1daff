"""What the big screen shows, put together out of rolled-up figures. Pure.

Every breakdown adds up to its total: what does not fit on the screen is one line (`others`, `earlier`).
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from shared.metrics.store import Figure
from shared.rankings import competition_ranks

# A month at one look.
DAYS = 30
# As many lines as can be read from the back of a hall.
RANKED = 10

# What a citizen's day is made of; money that is put up or paid out is no day of theirs.
_WAY = frozenset({"attempt", "participant", "chance", "draw", "issue", "redeem", "reverse"})
_RATE_DECIMALS = Decimal("0.000001")


@dataclass(frozen=True, slots=True)
class InstitutionRow:
    id: str
    name: str
    county: str


@dataclass(frozen=True, slots=True)
class HospitalRow:
    """`unit_id` is whose line its cards and its quota are part of; `quota` is None without an allocation."""

    id: str
    unit_id: str
    name: str
    alliance: str
    quota: int | None


@dataclass(slots=True)
class Counts:
    """A citizen's way; `redeemed` are live write-offs: a reversal is taken off on its own day."""

    attempts: int = 0
    participants: int = 0
    passed: int = 0
    chances: int = 0
    draws: int = 0
    wins: int = 0
    issued: int = 0
    redeemed: int = 0
    redeemed_fen: int = 0

    def add(self, figure: Figure) -> None:
        n = figure.n
        match figure.measure, figure.dim:
            case "attempt", outcome:
                self.attempts += n
                self.passed += n if outcome == "passed" else 0
            case "participant", _:
                self.participants += n
            case "chance", _:
                self.chances += n
            case "draw", outcome:
                self.draws += n
                self.wins += n if outcome == "won" else 0
            case "issue", _:
                self.issued += n
            case "redeem", _:
                self.redeemed += n
                self.redeemed_fen += figure.fen
            case "reverse", _:
                self.redeemed -= n
                self.redeemed_fen -= figure.fen
            case _:
                pass


@dataclass(slots=True)
class CampaignDay(Counts):
    date: date = date.min


@dataclass(slots=True)
class WriteOffs:
    """Live write-offs of some institutions."""

    institutions: int = 0
    redeemed: int = 0
    redeemed_fen: int = 0

    def take(self, other: "WriteOffs") -> None:
        self.institutions += other.institutions
        self.redeemed += other.redeemed
        self.redeemed_fen += other.redeemed_fen


@dataclass(slots=True)
class County(WriteOffs):
    """An empty name: institutions whose county nobody said."""

    county: str = ""


@dataclass(slots=True)
class RankedInstitution(WriteOffs):
    rank: int = 0
    name: str = ""


@dataclass(slots=True)
class CardDay:
    date: date
    issued: int = 0
    used: int = 0
    scans: int = 0

    def add(self, figure: Figure) -> None:
        match figure.measure:
            case "card":
                self.issued += figure.n
            case "card_used":
                self.used += figure.n
            case "scan":
                self.scans += figure.n
            case _:
                pass


@dataclass(slots=True)
class Unit:
    """An alliance, or a hospital that stands alone (`alone`): all units add up to all hospitals."""

    unit: str
    alone: bool
    hospitals: int = 0
    quota: int = 0
    issued: int = 0

    @property
    def rate(self) -> Decimal | None:
        return rate_of(self.issued, self.quota)


@dataclass(frozen=True, slots=True)
class RankedHospital:
    """Without a quota a hospital has no rank."""

    rank: int | None
    name: str
    alliance: str
    quota: int | None
    issued: int
    rate: Decimal | None


@dataclass(slots=True)
class Cards:
    """Counted cards; attributed + unattributed = issued, and the units add up to what is attributed."""

    issued: int = 0
    attributed: int = 0
    unattributed: int = 0
    used: int = 0
    scans: int = 0
    allocated: int | None = None
    units: list[Unit] = field(default_factory=list)
    ranking: list[RankedHospital] = field(default_factory=list)
    others: Unit = field(default_factory=lambda: Unit("", alone=False))

    @property
    def rate(self) -> Decimal | None:
        """As the progress call tells it: what is attributed against what is allocated."""
        return rate_of(self.attributed, self.allocated)


def rate_of(part: int, whole: int | None) -> Decimal | None:
    return (Decimal(part) / whole).quantize(_RATE_DECIMALS) if whole else None


def total_of(figures: Iterable[Figure]) -> Counts:
    sums = Counts()
    for figure in figures:
        sums.add(figure)
    return sums


def campaign_days(figures: Sequence[Figure], today: date) -> tuple[list[CampaignDay], Counts]:
    """The last days up to today (of a campaign long over, its last ones), and all before them."""
    figures = [figure for figure in figures if figure.measure in _WAY]
    shown = _days(figures, today)
    days, earlier = {day: CampaignDay(date=day) for day in shown}, Counts()
    for figure in figures:
        days.get(figure.day, earlier).add(figure)
    return list(days.values()), earlier


def card_days(figures: Sequence[Figure], today: date) -> tuple[list[CardDay], CardDay]:
    """The same of cards."""
    shown = _days(figures, today)
    days, earlier = {day: CardDay(day) for day in shown}, CardDay(date.min)
    for figure in figures:
        days.get(figure.day, earlier).add(figure)
    return list(days.values()), earlier


def _days(figures: Sequence[Figure], today: date) -> list[date]:
    if not figures:
        return []
    seen = [figure.day for figure in figures]
    last = max(today, *seen) if today - max(seen) < timedelta(days=DAYS) else max(seen)
    first = max(min(seen), last - timedelta(days=DAYS - 1))
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def write_offs(figures: Iterable[Figure]) -> dict[str, WriteOffs]:
    """By institution."""
    found: defaultdict[str, WriteOffs] = defaultdict(lambda: WriteOffs(institutions=1))
    for figure in figures:
        if figure.measure in {"redeem", "reverse"}:
            sign = 1 if figure.measure == "redeem" else -1
            found[figure.dim2].redeemed += sign * figure.n
            found[figure.dim2].redeemed_fen += sign * figure.fen
    return dict(found)


def counties(rows: Sequence[InstitutionRow], counted: Mapping[str, WriteOffs]) -> list[County]:
    """Most write-offs first; who is in no list of institutions is in no county."""
    places = {row.id: row.county for row in rows}
    found: dict[str, County] = {}
    for key in {**places, **counted}:
        county = places.get(key, "")
        line = found.setdefault(county, County(county=county))
        line.take(counted.get(key, WriteOffs(institutions=1)))
    return sorted(found.values(), key=lambda one: (-one.redeemed, one.county == "", one.county))


def institutions(
    rows: Sequence[InstitutionRow], counted: Mapping[str, WriteOffs]
) -> tuple[list[RankedInstitution], WriteOffs]:
    """The first by live write-offs, equals sharing a rank; and all others together."""
    names = {row.id: row.name for row in rows}
    every = {key: counted.get(key, WriteOffs(institutions=1)) for key in {**names, **counted}}
    ranks = competition_ranks({key: one.redeemed for key, one in every.items()})
    order = sorted(every, key=lambda key: (ranks[key], names.get(key, key)))
    first = [
        RankedInstitution(1, one.redeemed, one.redeemed_fen, rank=ranks[key], name=names.get(key, key))
        for key in order[:RANKED]
        if (one := every[key]).redeemed > 0
    ]
    others = WriteOffs()
    for key in order[len(first) :]:
        others.take(every[key])
    return first, others


def cards_of(rows: Sequence[HospitalRow], figures: Iterable[Figure]) -> Cards:
    """Cards against quotas, by unit and by hospital, as quota's progress tells them."""
    unit_of = {row.id: row.unit_id for row in rows}
    cards, by_line = Cards(), defaultdict[str, int](int)
    for figure in figures:
        if figure.measure == "card":
            cards.issued += figure.n
            by_line[unit_of.get(figure.dim, figure.dim)] += figure.n
        elif figure.measure == "card_used":
            cards.used += figure.n
        elif figure.measure == "scan":
            cards.scans += figure.n
    cards.unattributed = by_line[""]
    cards.attributed = cards.issued - cards.unattributed
    quotas: dict[str, int] = {}
    for row in rows:
        if row.quota is not None:
            quotas[row.unit_id] = quotas.get(row.unit_id, 0) + row.quota
    cards.allocated = sum(quotas.values()) if quotas else None
    lines = [row for row in rows if row.unit_id == row.id]
    cards.units = _units(lines, quotas, by_line)
    _rank(cards, lines, quotas, by_line)
    return cards


def _units(lines: Sequence[HospitalRow], quotas: Mapping[str, int], issued: Mapping[str, int]) -> list[Unit]:
    """The alliances in order of their list, then hospitals that stand alone."""
    found: dict[tuple[bool, str], Unit] = {}
    for row in sorted(lines, key=lambda row: not row.alliance):
        alone = not row.alliance
        key = (alone, row.id if alone else row.alliance)
        unit = found.setdefault(key, Unit(row.name if alone else row.alliance, alone=alone))
        unit.hospitals += 1
        unit.quota += quotas.get(row.id, 0)
        unit.issued += issued.get(row.id, 0)
    return list(found.values())


def _rank(
    cards: Cards, lines: Sequence[HospitalRow], quotas: Mapping[str, int], issued: Mapping[str, int]
) -> None:
    """The first by rate, compared as exact fractions; the others together."""
    ranks = competition_ranks(
        {row.id: Fraction(issued.get(row.id, 0), quota) for row in lines if (quota := quotas.get(row.id, 0))}
    )
    order = sorted(lines, key=lambda row: (ranks.get(row.id, len(lines) + 1), row.name))
    for row in order[:RANKED]:
        count, share = issued.get(row.id, 0), quotas.get(row.id)
        rate = rate_of(count, share)
        cards.ranking.append(RankedHospital(ranks.get(row.id), row.name, row.alliance, share, count, rate))
    for row in order[RANKED:]:
        cards.others.hospitals += 1
        cards.others.quota += quotas.get(row.id, 0)
        cards.others.issued += issued.get(row.id, 0)

"""Ranks by write-offs, beside measures that are fair to the small and to those who serve many. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from shared.documents.papers import DEMO_MARK, Cell, Facts, Fen, Grid, Lines, Paper, Rate
from shared.money import FEN_PER_YUAN
from shared.rankings import competition_ranks
from shared.rates import rate_text
from shared.vouchers.categories import category_name

# Enough for 100,000 institutions; api.md: at most six decimals.
_PLACES = Decimal("0.000001")
# What reached us so shortly before a month is frozen may not be committed yet: no transaction takes longer.
SETTLING = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Count:
    """An institution's live write-offs of a month; `flagged` are evidence of a case that nobody dismissed."""

    institution_id: str
    name: str
    category: str
    count: int
    amount_fen: int
    distinct_holders: int
    flagged: int
    hourly_capacity: int | None
    by_voucher_type: Mapping[str, int]

    @property
    def per_capacity(self) -> Fraction | None:
        """Write-offs for each that it could do in an hour; None where nobody said what it can do."""
        return None if self.hourly_capacity is None else Fraction(self.count, self.hourly_capacity)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A line: the rank by plain counts, and those by the fair measures."""

    of: Count
    rank: int
    rank_in_category: int
    rank_by_holders: int
    rank_per_capacity: int | None


def ranked(counts: Sequence[Count]) -> list[Ranked]:
    """Most write-offs first. Equal counts share a rank and the next rank skips; money decides nothing."""
    ranks = competition_ranks({one.institution_id: one.count for one in counts})
    holders = competition_ranks({one.institution_id: one.distinct_holders for one in counts})
    fair = competition_ranks(
        {one.institution_id: one.per_capacity for one in counts if one.per_capacity is not None}
    )
    in_category: dict[str, int] = {}
    for category in {one.category for one in counts}:
        peers = {one.institution_id: one.count for one in counts if one.category == category}
        in_category |= competition_ranks(peers)
    ordered = sorted(counts, key=lambda one: (-one.count, one.name, one.institution_id))
    return [
        Ranked(
            of=one,
            rank=ranks[one.institution_id],
            rank_in_category=in_category[one.institution_id],
            rank_by_holders=holders[one.institution_id],
            rank_per_capacity=fair.get(one.institution_id),
        )
        for one in ordered
    ]


def part_of(part: int, whole: int) -> Decimal:
    """Six decimals; nothing of nothing is nothing."""
    return (Decimal(part) / whole if whole else Decimal(0)).quantize(_PLACES)


def rounded(value: Fraction | None) -> Decimal | None:
    """Six decimals; ranks compare the exact fractions."""
    return None if value is None else (Decimal(value.numerator) / value.denominator).quantize(_PLACES)


def counted_until(now: datetime) -> datetime:
    """What had reached us by then is counted when a month is frozen now."""
    return now - SETTLING


def paper(
    lines: Sequence[Ranked], *, campaign: str, month: str, told: Sequence[tuple[str, str]], demo: bool
) -> Paper:
    """The ranking to be printed or sorted again; `told` says whether it is frozen, and as of when."""
    total = sum(line.of.count for line in lines)
    return Paper(
        name=month,
        title=f"{campaign} {month} 服务机构核销排名",
        blocks=(
            Facts([("月份", month), *told]),
            Grid(
                header=_HEADER,
                rows=[_row(line, total) for line in lines],
                widths=(6, 30, 16, 10, 14, 10, 10, 10, 12, 12, 10, 10, 12),
                total=(
                    "合计", "", "", total, Fen(sum(line.of.amount_fen for line in lines)),
                    "", "", sum(line.of.flagged for line in lines), "", "", "", "", "",
                ),
            ),
            Lines(_NOTES),
        ),
        mark=DEMO_MARK if demo else None,
    )  # fmt: skip


_HEADER = (
    "名次", "服务机构", "类别", "核销笔数", "金额（元）", "占比", "持券人数", "涉案笔数", "涉案占比",
    "每小时能力", "类别内名次", "持券人名次", "按能力名次",
)  # fmt: skip
_NOTES = (
    "名次按有效核销笔数，并列者名次相同，其后名次顺延；金额不影响名次。",
    "按能力名次：核销笔数除以机构申报的每小时能力，未申报的不参加；涉案笔数：属于未驳回案件证据的核销。",
)


def table(lines: Sequence[Ranked], *, month: str, state: str, as_of: str) -> list[list[str | int]]:
    """The same for machines: a header, then a line per institution, each with its month and its state."""
    total = sum(line.of.count for line in lines)
    rows: list[list[str | int]] = [list(_TABLE_HEADER)]
    for line in lines:
        of = line.of
        rows.append(
            [
                month,
                state,
                as_of,
                line.rank,
                of.institution_id,
                of.name,
                of.category,
                of.count,
                f"{Decimal(of.amount_fen) / FEN_PER_YUAN:.2f}",
                rate_text(part_of(of.count, total)),
                of.distinct_holders,
                of.flagged,
                rate_text(part_of(of.flagged, of.count)),
                "" if of.hourly_capacity is None else of.hourly_capacity,
                "" if (fair := rounded(of.per_capacity)) is None else rate_text(fair),
                line.rank_in_category,
                line.rank_by_holders,
                "" if line.rank_per_capacity is None else line.rank_per_capacity,
            ]
        )
    return rows


_TABLE_HEADER = (
    "月份", "状态", "统计截至", "名次", "机构编号", "服务机构", "类别", "核销笔数", "金额（元）", "占比",
    "持券人数", "涉案笔数", "涉案占比", "每小时能力", "按能力笔数", "类别内名次", "持券人名次", "按能力名次",
)  # fmt: skip


def _row(line: Ranked, total: int) -> list[Cell]:
    of = line.of
    return [
        line.rank,
        of.name,
        category_name(of.category),
        of.count,
        Fen(of.amount_fen),
        Rate(part_of(of.count, total)),
        of.distinct_holders,
        of.flagged,
        Rate(part_of(of.flagged, of.count)),
        _or_blank(of.hourly_capacity),
        line.rank_in_category,
        line.rank_by_holders,
        _or_blank(line.rank_per_capacity),
    ]


def _or_blank(number: int | None) -> Cell:
    return "" if number is None else number

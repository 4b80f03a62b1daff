"""What is printed as a sum must be the sum: subtotals, totals, the figure of the text, parts. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from services.quota.hospitalnames.rules import name_key, names_in_file, near_text
from services.quota.publishedtables.rules import (
    MEASURES,
    Line,
    Measure,
    PartsColumn,
    PublishedTable,
    TotalLine,
)
from services.quota.tablebases.rules import all_visits, half_up, sum_of

Kind = Literal["share", "quota", "subtotal", "total", "base", "duplicate", "unreadable", "unknown_alliance"]
Figure = int | str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """`difference` is published − recomputed; `message` is one sentence for people."""

    kind: Kind
    where: str
    published: Figure
    recomputed: Figure
    difference: Figure
    message: str


@dataclass(frozen=True, slots=True)
class PrintedSum:
    """A total printed outside the table: for an alliance by name, or for everything (None)."""

    alliance: str | None
    printed: int


def check_parts(columns: Sequence[PartsColumn], total: int | None) -> list[Finding]:
    """Parts and their total; `total` is the text's figure for the first column."""
    findings: list[Finding] = []
    for place, column in enumerate(columns):
        added = sum(number for _, number in column.parts)
        stated: list[tuple[str, int]] = [column.total] if column.total else []
        if place == 0 and total is not None and (column.total is None or column.total[1] != total):
            stated.append(("文本合计", total))
        findings.extend(
            _sum_finding("total", f"{column.title}·{label}", printed, added)
            for label, printed in stated
            if printed != added
        )
    return findings


def printed_sums(table: PublishedTable, sums: Sequence[PrintedSum]) -> Iterator[Finding]:
    by_name: dict[str, list[Line]] = {}
    for line in table.lines:
        by_name.setdefault(name_key(line.alliance), []).append(line)
    names = names_in_file(line.alliance for line in table.lines)
    for entry in sums:
        lines = table.lines if entry.alliance is None else by_name.get(name_key(entry.alliance))
        where = "全部·合计" if entry.alliance is None else f"{entry.alliance}·小计"
        if not lines:
            near = names.near(entry.alliance or "")
            offered = f"相近的有：{near_text(near)}。" if near else ""
            message = f"表中没有{entry.alliance}的医院，无法核对其公布的小计 {entry.printed}。{offered}"
            yield Finding("unknown_alliance", where, entry.printed, None, None, message)
            continue
        added = sum_of(lines, "quota")
        if added != entry.printed:
            yield _sum_finding("total" if entry.alliance is None else "subtotal", where, entry.printed, added)


def total_lines(table: PublishedTable) -> Iterator[Finding]:
    for total in table.totals:
        yield from _total_line(table, total)


def _total_line(table: PublishedTable, total: TotalLine) -> Iterator[Finding]:
    members = [table.lines[place] for place in total.members]
    kind: Kind = "total" if total.grand else "subtotal"
    label = f"第 {total.line.number} 行·{total.line.alliance}{total.line.label}"
    measures: tuple[Measure, ...] = ("visits", "quota")
    for measure in measures:
        printed = total.line.visits if measure == "visits" else total.line.quota
        added = sum_of(members, measure)
        if printed is not None and printed != added:
            yield _sum_finding(kind, f"{label}·{MEASURES[measure]}", printed, added)
    share = total.line.share
    if share is not None and members:
        visits = all_visits(table)
        exact = (
            Fraction(sum_of(members, "visits"), visits)
            if visits
            else sum((Fraction(line.share.value) for line in members if line.share), Fraction(0))
        )
        # A printed sum of rounded shares may be off by half a unit for each of them.
        room = Fraction(len(members) + 1, 2 * 10**share.decimals)
        if abs(Fraction(share.value) - exact) > room:
            recomputed = decimal(exact, share.decimals)
            message = f"{label}的占比应为 {recomputed}，公布为 {share.value}。"
            yield Finding(
                kind,
                f"{label}·{MEASURES['share']}",
                format(share.value, "f"),
                format(recomputed, "f"),
                format(share.value - recomputed, "f"),
                message,
            )


def text_total(table: PublishedTable, total: int | None, base: int | None) -> Iterator[Finding]:
    """The total of the text against the rows; with another base it is the base that they should give.

    Without any printed total the rows still must give the base that explains them.
    """
    target = base if base is not None else total
    added = sum_of(table.lines, "quota")
    if target is None or target == added or target == grand_printed(table):
        return
    rows = sum(line.quota is not None for line in table.lines)
    yield _sum_finding("total", f"全部 {rows} 家·任务数", target, added)


def grand_printed(table: PublishedTable) -> int | None:
    printed = [total.line.quota for total in table.totals if total.grand and total.line.quota is not None]
    return printed[-1] if printed else None


def _sum_finding(kind: Kind, where: str, printed: int, added: int) -> Finding:
    message = f"{where}公布为 {printed}，各行相加为 {added}，公布数{more_or_less(printed - added)}。"
    return Finding(kind, where, printed, added, printed - added, message)


def more_or_less(difference: int) -> str:
    return f"多 {difference}" if difference > 0 else f"少 {-difference}"


def decimal(value: Fraction, decimals: int) -> Decimal:
    """Rounded half up, exactly."""
    return Decimal(half_up(value * 10**decimals)).scaleb(-decimals)

"""Recomputes a published table and says what does not add up. Pure.

Shares must be visits ÷ all visits, at the decimals that were printed. Quotas must be base × share plus the
adjustments, rounded half up; a table whose quotas add up to its base may have been rounded to do so, then
each must lie within one card. Subtotals and totals must be the sums of the rows above them. The base is
the total of the text; when another one explains clearly more rows, that is a finding of its own, and the
rows are judged by the one that explains them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

from services.quota.hospitalnames.rules import name_key
from services.quota.publishedtables.rules import Line, PublishedTable
from services.quota.tablebases.rules import HALF, Adjusted, all_visits, base_of, exact_quotas, half_up, sum_of
from services.quota.tablesums.rules import (
    Finding,
    PrintedSum,
    decimal,
    grand_printed,
    more_or_less,
    printed_sums,
    text_total,
    total_lines,
)


@dataclass(frozen=True, slots=True)
class Checked:
    table: PublishedTable
    adjusted: Sequence[Adjusted]
    base: int | None
    exact: Sequence[Fraction | None]


def check_allocation(
    table: PublishedTable,
    *,
    adjusted: Sequence[Adjusted],
    total: int | None = None,
    sums: Sequence[PrintedSum] = (),
) -> list[Finding]:
    """All findings, in the order of the table: rows, subtotals, totals. `total` is the text's figure."""
    stated = total if total is not None else grand_printed(table)
    base = base_of(table, adjusted, stated)
    checked = Checked(table, adjusted, base, exact_quotas(table, adjusted, base))
    return [
        *_unreadable(table),
        *_duplicates(table),
        *_shares(checked),
        *_explain_pairs(list(_quotas(checked)), base),
        *_base_finding(stated, base),
        *printed_sums(table, sums),
        *total_lines(table),
        *text_total(table, total, base),
    ]


def _unreadable(table: PublishedTable) -> Iterator[Finding]:
    for cell in table.unreadable:
        where = f"第 {cell.number} 行·{cell.title}"
        yield Finding(
            "unreadable", where, cell.text[:100], None, None, f"{where}“{cell.text[:100]}”不是可核对的数字。"
        )


def _duplicates(table: PublishedTable) -> Iterator[Finding]:
    first: dict[str, Line] = {}
    for line in table.lines:
        known = first.setdefault(name_key(line.label), line)
        if known is not line:
            message = f"{line.label}在第 {known.number} 行和第 {line.number} 行各出现一次。"
            yield Finding("duplicate", f"第 {line.number} 行·{line.label}", None, None, None, message)


def _shares(checked: Checked) -> Iterator[Finding]:
    table, visits = checked.table, all_visits(checked.table)
    if not visits or "share" not in table.measures:
        return
    decimals = max(line.share.decimals for line in table.lines if line.share)
    unit = Fraction(1, 10**decimals)
    rows = [
        (line, Fraction(line.visits, visits), adjusted)
        for line, adjusted in zip(table.lines, checked.adjusted, strict=True)
        if line.share is not None and line.visits is not None
    ]
    rounded = [_share_fits(line, exact, adjusted, unit, truncated=False) for line, exact, adjusted in rows]
    cut = [_share_fits(line, exact, adjusted, unit, truncated=True) for line, exact, adjusted in rows]
    fits = cut if sum(cut) > sum(rounded) else rounded
    for (line, exact, _), fit in zip(rows, fits, strict=True):
        if not fit and line.share is not None:
            recomputed = decimal(exact, decimals)
            difference = line.share.value - recomputed
            message = (
                f"{line.label}的占比应为 {line.visits} ÷ {visits} = {recomputed}，公布为 {line.share.value}。"
            )
            yield Finding(
                "share",
                f"第 {line.number} 行·{line.label}",
                format(line.share.value, "f"),
                format(recomputed, "f"),
                format(difference, "f"),
                message,
            )


def _share_fits(line: Line, exact: Fraction, adjusted: Adjusted, unit: Fraction, *, truncated: bool) -> bool:
    """Shares are printed before adjustments as a rule; with them is as good."""
    assert line.share is not None  # noqa: S101 - narrows the type; the caller has looked
    printed = Fraction(line.share.value)
    for share in (exact, exact + adjusted.points / 100):
        if truncated and 0 <= share - printed < unit:
            return True
        if not truncated and abs(printed - share) <= unit * HALF:
            return True
    return False


def _quotas(checked: Checked) -> Iterator[Finding]:
    table, base = checked.table, checked.base
    adds_up = base is not None and sum_of(table.lines, "quota") == base
    room = _share_room(table, base)
    for line, exact in zip(table.lines, checked.exact, strict=True):
        if line.quota is None or exact is None:
            continue
        recomputed = half_up(exact)
        distance = abs(line.quota - exact)
        if line.quota == recomputed or (room and distance <= room) or (adds_up and distance < 1):
            continue
        message = (
            f"{line.label}的任务数按总数 {base} 和占比应为 {recomputed}，公布为 {line.quota}，"
            f"{more_or_less(line.quota - recomputed)}。"
        )
        yield Finding(
            "quota",
            f"第 {line.number} 行·{line.label}",
            line.quota,
            recomputed,
            line.quota - recomputed,
            message,
        )


def _share_room(table: PublishedTable, base: int | None) -> Fraction:
    """Where only shares are printed, their few decimals leave a quota this much room; else none."""
    if all_visits(table) or base is None or "share" not in table.measures:
        return Fraction(0)
    decimals = max(line.share.decimals for line in table.lines if line.share)
    return HALF + Fraction(base, 2 * 10**decimals)


def _explain_pairs(findings: list[Finding], base: int | None) -> Iterator[Finding]:
    """Two rows that differ by opposite amounts look like an adjustment that was not listed: says so."""
    for finding in findings:
        mirror = next(
            (
                other
                for other in findings
                if isinstance(other.difference, int)
                and isinstance(finding.difference, int)
                and other is not finding
                and abs(other.difference + finding.difference) <= 1
            ),
            None,
        )
        if mirror is None or not isinstance(finding.difference, int) or not base:
            yield finding
            continue
        points = decimal(Fraction(abs(finding.difference) * 100, base), 2).normalize()
        hint = f"与{mirror.where}的差额正好相反（约为总数的 {points:f} 个百分点），可能是没有列出的调整。"
        yield Finding(
            finding.kind,
            finding.where,
            finding.published,
            finding.recomputed,
            finding.difference,
            finding.message + hint,
        )


def _base_finding(stated: int | None, base: int | None) -> Iterator[Finding]:
    if stated is not None and base is not None and stated != base:
        message = f"文本给出的总数是 {stated}，而各行任务数是按 {base} 分配的，相差 {abs(stated - base)}。"
        yield Finding("base", "分配总数", stated, base, stated - base, message)

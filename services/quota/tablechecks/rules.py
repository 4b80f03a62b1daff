"""Recomputes a published table and says what does not add up. Pure.

Shares must be visits ÷ all visits, at the decimals that were printed. Quotas must be base × share plus the
adjustments, rounded half up; a table whose quotas add up to its base may have been rounded to do so, then
each must lie within one card. Subtotals and totals must be the sums of the rows above them. The base is
the total of the text; when another one explains clearly more rows, that is a finding of its own, and the
rows are judged by the one that explains them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from services.quota.publishedtables.rules import (
    MEASURES,
    Line,
    Measure,
    PartsColumn,
    PublishedTable,
    TotalLine,
)
from shared.documents.sheets import normalise

Kind = Literal["share", "quota", "subtotal", "total", "base", "duplicate", "unreadable", "unknown_alliance"]
Figure = int | str | None

_HALF = Fraction(1, 2)
# An inferred base must explain at least this part of the rows, else the table follows no rule we know.
_BASE_SUPPORT = Fraction(1, 2)


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
class Adjusted:
    """What adjustments move to a row: percentage points of the base, and cards."""

    points: Fraction = Fraction(0)
    cards: int = 0


@dataclass(frozen=True, slots=True)
class PrintedSum:
    """A total printed outside the table: for an alliance by name, or for everything (None)."""

    alliance: str | None
    printed: int


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
    stated = total if total is not None else _grand_printed(table)
    base = _base(table, adjusted, stated)
    checked = Checked(table, adjusted, base, _exact_quotas(table, adjusted, base))
    return [
        *_unreadable(table),
        *_duplicates(table),
        *_shares(checked),
        *_explain_pairs(list(_quotas(checked)), base),
        *_base_finding(stated, base),
        *_printed_sums(table, sums),
        *_total_lines(table),
        *_text_total(table, total, base),
    ]


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


def _unreadable(table: PublishedTable) -> Iterator[Finding]:
    for cell in table.unreadable:
        where = f"第 {cell.number} 行·{cell.title}"
        yield Finding(
            "unreadable", where, cell.text[:100], None, None, f"{where}“{cell.text[:100]}”不是可核对的数字。"
        )


def _duplicates(table: PublishedTable) -> Iterator[Finding]:
    first: dict[str, Line] = {}
    for line in table.lines:
        known = first.setdefault(normalise(line.label), line)
        if known is not line:
            message = f"{line.label}在第 {known.number} 行和第 {line.number} 行各出现一次。"
            yield Finding("duplicate", f"第 {line.number} 行·{line.label}", None, None, None, message)


def _all_visits(table: PublishedTable) -> int:
    return sum(line.visits or 0 for line in table.lines)


def _shares(checked: Checked) -> Iterator[Finding]:
    table, visits = checked.table, _all_visits(checked.table)
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
            recomputed = _decimal(exact, decimals)
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
        if not truncated and abs(printed - share) <= unit * _HALF:
            return True
    return False


def _weights(table: PublishedTable, adjusted: Sequence[Adjusted]) -> list[Fraction | None]:
    """Each row's part of the base: by visits, by printed share where there are none, with adjustments."""
    visits = _all_visits(table)
    weights: list[Fraction | None] = []
    for line, moved in zip(table.lines, adjusted, strict=True):
        share: Fraction | None = None
        if visits and line.visits is not None:
            share = Fraction(line.visits, visits)
        elif not visits and line.share is not None:
            share = Fraction(line.share.value)
        weights.append(None if share is None else share + moved.points / 100)
    return weights


def _exact_quotas(
    table: PublishedTable, adjusted: Sequence[Adjusted], base: int | None
) -> list[Fraction | None]:
    return [
        None if weight is None or base is None else base * weight + moved.cards
        for weight, moved in zip(_weights(table, adjusted), adjusted, strict=True)
    ]


def _base(table: PublishedTable, adjusted: Sequence[Adjusted], stated: int | None) -> int | None:
    """What the quotas were computed from: the stated total, unless another explains more rows."""
    inferred, support = _inferred_base(table, adjusted)
    if stated is None:
        return inferred if inferred is not None else _sum(table.lines, "quota") or None
    if inferred is None or support <= _support(table, adjusted, stated):
        return stated
    return inferred


def _support(table: PublishedTable, adjusted: Sequence[Adjusted], base: int) -> int:
    """How many rows are what this base gives, rounded half up."""
    exact = _exact_quotas(table, adjusted, base)
    return sum(
        1
        for line, quota in zip(table.lines, exact, strict=True)
        if line.quota is not None and quota is not None and line.quota == _half_up(quota)
    )


def _inferred_base(table: PublishedTable, adjusted: Sequence[Adjusted]) -> tuple[int | None, int]:
    """The roundest whole base that explains the most rows, and how many; None below half of them.

    Each row allows the bases between two bounds; going through all bounds in order finds where most meet.
    """
    bounds: list[tuple[Fraction, int]] = []
    rows = 0
    for line, weight, moved in zip(table.lines, _weights(table, adjusted), adjusted, strict=True):
        if line.quota is None or weight is None or weight <= 0:
            continue
        rows += 1
        bounds.append(((line.quota - moved.cards - _HALF) / weight, 1))
        bounds.append(((line.quota - moved.cards + _HALF) / weight, -1))
    best: int | None = None
    support = meeting = 0
    added = _sum(table.lines, "quota")
    bounds.sort()
    for place, (start, step) in enumerate(bounds[:-1]):
        meeting += step
        end = bounds[place + 1][0]
        # What the rows add up to is the likeliest base of all, where it is possible.
        candidate = added if start <= added < end else _roundest(start, end)
        if meeting > support and candidate is not None:
            best, support = candidate, meeting
    if best is None or support < rows * _BASE_SUPPORT or support < 2:  # noqa: PLR2004 - one row explains nothing
        return None, 0
    return best, support


def _roundest(start: Fraction, end: Fraction) -> int | None:
    """The whole number in [start, end) with the most zeros at its end."""
    for zeros in range(9, -1, -1):
        unit: int = 10**zeros
        candidate = -(-start.numerator // (start.denominator * unit)) * unit
        if candidate < end and candidate > 0:
            return candidate
    return None


def _quotas(checked: Checked) -> Iterator[Finding]:
    table, base = checked.table, checked.base
    adds_up = base is not None and _sum(table.lines, "quota") == base
    room = _share_room(table, base)
    for line, exact in zip(table.lines, checked.exact, strict=True):
        if line.quota is None or exact is None:
            continue
        recomputed = _half_up(exact)
        distance = abs(line.quota - exact)
        if line.quota == recomputed or (room and distance <= room) or (adds_up and distance < 1):
            continue
        message = (
            f"{line.label}的任务数按总数 {base} 和占比应为 {recomputed}，公布为 {line.quota}，"
            f"{_more_or_less(line.quota - recomputed)}。"
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
    if _all_visits(table) or base is None or "share" not in table.measures:
        return Fraction(0)
    decimals = max(line.share.decimals for line in table.lines if line.share)
    return _HALF + Fraction(base, 2 * 10**decimals)


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
        points = _decimal(Fraction(abs(finding.difference) * 100, base), 2).normalize()
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


def _printed_sums(table: PublishedTable, sums: Sequence[PrintedSum]) -> Iterator[Finding]:
    by_name: dict[str, list[Line]] = {}
    for line in table.lines:
        by_name.setdefault(normalise(line.alliance), []).append(line)
    for entry in sums:
        lines = table.lines if entry.alliance is None else by_name.get(normalise(entry.alliance))
        where = "全部·合计" if entry.alliance is None else f"{entry.alliance}·小计"
        if not lines:
            message = f"表中没有{entry.alliance}的医院，无法核对其公布的小计 {entry.printed}。"
            yield Finding("unknown_alliance", where, entry.printed, None, None, message)
            continue
        added = _sum(lines, "quota")
        if added != entry.printed:
            yield _sum_finding("total" if entry.alliance is None else "subtotal", where, entry.printed, added)


def _total_lines(table: PublishedTable) -> Iterator[Finding]:
    for total in table.totals:
        yield from _total_line(table, total)


def _total_line(table: PublishedTable, total: TotalLine) -> Iterator[Finding]:
    members = [table.lines[place] for place in total.members]
    kind: Kind = "total" if total.grand else "subtotal"
    label = f"第 {total.line.number} 行·{total.line.alliance}{total.line.label}"
    measures: tuple[Measure, ...] = ("visits", "quota")
    for measure in measures:
        printed = total.line.visits if measure == "visits" else total.line.quota
        added = _sum(members, measure)
        if printed is not None and printed != added:
            yield _sum_finding(kind, f"{label}·{MEASURES[measure]}", printed, added)
    share = total.line.share
    if share is not None and members:
        visits = _all_visits(table)
        exact = (
            Fraction(_sum(members, "visits"), visits)
            if visits
            else sum((Fraction(line.share.value) for line in members if line.share), Fraction(0))
        )
        # A printed sum of rounded shares may be off by half a unit for each of them.
        room = Fraction(len(members) + 1, 2 * 10**share.decimals)
        if abs(Fraction(share.value) - exact) > room:
            recomputed = _decimal(exact, share.decimals)
            message = f"{label}的占比应为 {recomputed}，公布为 {share.value}。"
            yield Finding(
                kind,
                f"{label}·{MEASURES['share']}",
                format(share.value, "f"),
                format(recomputed, "f"),
                format(share.value - recomputed, "f"),
                message,
            )


def _text_total(table: PublishedTable, total: int | None, base: int | None) -> Iterator[Finding]:
    """The total of the text against the rows; with another base it is the base that they should give.

    Without any printed total the rows still must give the base that explains them.
    """
    target = base if base is not None else total
    added = _sum(table.lines, "quota")
    if target is None or target == added or target == _grand_printed(table):
        return
    rows = sum(line.quota is not None for line in table.lines)
    yield _sum_finding("total", f"全部 {rows} 家·任务数", target, added)


def _grand_printed(table: PublishedTable) -> int | None:
    printed = [total.line.quota for total in table.totals if total.grand and total.line.quota is not None]
    return printed[-1] if printed else None


def _sum_finding(kind: Kind, where: str, printed: int, added: int) -> Finding:
    message = f"{where}公布为 {printed}，各行相加为 {added}，公布数{_more_or_less(printed - added)}。"
    return Finding(kind, where, printed, added, printed - added, message)


def _sum(lines: Sequence[Line], measure: Measure) -> int:
    values: Mapping[Measure, list[int | None]] = {
        "visits": [line.visits for line in lines],
        "quota": [line.quota for line in lines],
        "share": [],
    }
    return sum(value or 0 for value in values[measure])


def _more_or_less(difference: int) -> str:
    return f"多 {difference}" if difference > 0 else f"少 {-difference}"


def _half_up(value: Fraction) -> int:
    doubled = 2 * value + 1
    return doubled.numerator // (2 * doubled.denominator)


def _decimal(value: Fraction, decimals: int) -> Decimal:
    """Rounded half up, exactly."""
    return Decimal(_half_up(value * 10**decimals)).scaleb(-decimals)

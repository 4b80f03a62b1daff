"""What differs between two versions of the quotas, and why. Pure.

A quota is share × total + adjustments + bounds + rounding. So is a difference: of the total, of the basis
(its figures, or who is in the list), of adjustments, of bounds, and of rounding. The parts add up to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from services.quota.allocation.rules import Exact, Quota, cards


@dataclass(frozen=True, slots=True)
class Line:
    """A hospital in a version: what it got, what that consists of, and the reasons that name it."""

    quota: Quota
    exact: Exact
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cause:
    """The parts of a difference, in cards with six decimals. `rounding` is what the others leave."""

    total: Decimal
    basis: Decimal
    adjustment: Decimal
    bounds: Decimal
    rounding: Decimal


@dataclass(frozen=True, slots=True)
class Difference:
    """None: not in that version. `reasons` are the later version's."""

    key: str
    name: str
    alliance: str
    before: int | None
    after: int | None
    cause: Cause
    reasons: tuple[str, ...] = ()

    @property
    def cards(self) -> int:
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True, slots=True)
class _Sum:
    """One or several lines of a version, in cards × `denominator`; none: nothing of nothing."""

    quota: int = 0
    share: int = 0
    moved: int = 0
    bounded: int = 0
    denominator: int = 1

    def plus(self, line: Line) -> "_Sum":
        """All lines of a version have one denominator."""
        return _Sum(
            self.quota + line.quota.quota,
            self.share + line.exact.share,
            self.moved + line.exact.moved,
            self.bounded + line.exact.bounded,
            line.exact.denominator,
        )


def hospital_differences(
    before: Sequence[Line], after: Sequence[Line], *, totals: tuple[int, int]
) -> list[Difference]:
    """Every hospital of either version: the later one's list, then those that are no longer in it."""
    earlier = {line.quota.unit.hospital_id: line for line in before}
    later = {line.quota.unit.hospital_id: line for line in after}
    found = []
    for hospital_id, line in {**later, **{key: earlier[key] for key in earlier if key not in later}}.items():
        old, new = earlier.get(hospital_id), later.get(hospital_id)
        sums = (_Sum().plus(old) if old else _Sum(), _Sum().plus(new) if new else _Sum())
        unit = line.quota.unit
        found.append(
            Difference(
                key=hospital_id,
                name=unit.hospital,
                alliance=unit.alliance,
                before=old.quota.quota if old else None,
                after=new.quota.quota if new else None,
                cause=_cause(*sums, totals=totals),
                reasons=new.reasons if new else (),
            )
        )
    return found


def alliance_differences(
    before: Sequence[Line], after: Sequence[Line], *, totals: tuple[int, int]
) -> list[Difference]:
    """Every alliance of either version. A hospital that joined or left an alliance counts as its basis."""
    earlier, later = _by_alliance(before), _by_alliance(after)
    names = [*later, *(name for name in earlier if name not in later)]
    return [
        Difference(
            key=name,
            name=name,
            alliance=name,
            before=earlier[name].quota if name in earlier else None,
            after=later[name].quota if name in later else None,
            cause=_cause(earlier.get(name, _Sum()), later.get(name, _Sum()), totals=totals),
        )
        for name in names
    ]


def _by_alliance(lines: Sequence[Line]) -> Mapping[str, _Sum]:
    sums: dict[str, _Sum] = {}
    for line in lines:
        alliance = line.quota.unit.alliance
        if alliance:
            sums[alliance] = sums.get(alliance, _Sum()).plus(line)
    return sums


def _cause(before: _Sum, after: _Sum, *, totals: tuple[int, int]) -> Cause:
    """`share` is in cards of its own version's total, so that another total is another figure."""
    total, later = totals
    both = before.denominator * after.denominator
    parts = Cause(
        total=cards(before.share * (later - total), before.denominator * total),
        basis=cards(
            after.share * before.denominator * total - before.share * after.denominator * later, both * total
        ),
        adjustment=cards(after.moved * before.denominator - before.moved * after.denominator, both),
        bounds=cards(after.bounded * before.denominator - before.bounded * after.denominator, both),
        rounding=Decimal(0),
    )
    explained = parts.total + parts.basis + parts.adjustment + parts.bounds
    return replace(parts, rounding=after.quota - before.quota - explained)

"""The table of a run: what was measured, what was to be reached, and whether it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Target:
    """`least` or `most` of a figure; neither: it is reported only."""

    text: str
    least: float | None = None
    most: float | None = None

    def reached(self, value: float) -> bool | None:
        if self.least is not None:
            return value >= self.least
        return value <= self.most if self.most is not None else None


def at_least(value: float) -> Target:
    return Target(f"≥ {value:g}", least=value)


def at_most(value: float, unit: str = "") -> Target:
    return Target(f"≤ {value:g}{unit and f' {unit}'}", most=value)


REPORTED = Target("to be reported")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `value` is a median where there are several, `low` and `high` their range."""

    operation: str
    measure: str
    target: str
    value: float
    low: float | None = None
    high: float | None = None
    # None: there was nothing to reach.
    reached: bool | None = None
    note: str = ""
    unit: str = ""

    @property
    def shown(self) -> str:
        return _shown(self.value, self.unit)

    @property
    def range(self) -> str:
        if self.low is None or self.high is None:
            return ""
        return f"{_shown(self.low, '')}–{_shown(self.high, '')}"

    @property
    def verdict(self) -> str:
        return {True: "yes", False: "NO", None: ""}[self.reached]


def row_of(
    operation: str, measure: str, samples: Sequence[float], target: Target, *, unit: str = "", note: str = ""
) -> Row:
    """The row of several equal measurements: their median counts."""
    middle = median(samples)
    return Row(
        operation=operation,
        measure=measure,
        target=target.text,
        value=middle,
        low=min(samples) if len(samples) > 1 else None,
        high=max(samples) if len(samples) > 1 else None,
        reached=target.reached(middle),
        note=note,
        unit=unit,
    )


def _shown(value: float, unit: str) -> str:
    digits = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
    return f"{digits} {unit}" if unit else digits


class Void(Exception):
    """Something else happened than was asked for: the figures of the run mean nothing."""

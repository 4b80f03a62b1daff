"""What stands on a paper, whatever it is printed as: workbooks and PDF are made from the same blocks."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

# What stands over everything that a demonstration hands out.
DEMO_MARK = "演示数据 DEMONSTRATION"


@dataclass(frozen=True, slots=True)
class Fen:
    """A cell of money: shown in yuan with two decimals, a number in workbooks."""

    fen: int


@dataclass(frozen=True, slots=True)
class Rate:
    """A cell of a rate (1 is all of it): shown in per cent with two decimals, a number in workbooks."""

    value: Decimal


Cell = str | int | Fen | Rate


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels and what they say, a line each."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table; `total` is its last row. `widths` are parts of the paper's width."""

    header: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    widths: Sequence[int]
    total: Sequence[Cell] | None = None
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Signatures:
    """Places to sign and stamp, two of them beside each other."""

    labels: Sequence[str]


Block = Facts | Grid | Lines | Signatures


@dataclass(frozen=True, slots=True)
class Paper:
    """`mark` is printed over it, such as that it is a demonstration; `name` is that of a workbook's sheet."""

    name: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
    mark: str | None = None

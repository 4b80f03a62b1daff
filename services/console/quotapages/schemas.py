"""The allocation editor's form, and what it becomes in the call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Form

# Rows that the form has room for at once; with more typed, it has more.
ROWS = 4
# Five fields each: a form of more fields than a thousand is refused.
_ROWS_MAX = 150
_TEXT_LENGTH_MAX = 500

Text = Annotated[str, Form(max_length=_TEXT_LENGTH_MAX)]
Texts = Annotated[Sequence[Text], Form(max_length=_ROWS_MAX)]


@dataclass(frozen=True, slots=True)
class Adjustment:
    source: str = ""
    target: str = ""
    points: str = ""
    cards: str = ""
    why: str = ""

    def body(self) -> dict[str, Any]:
        return {
            "from": self.source,
            "to": self.target,
            **({"share_points": self.points} if self.points else {}),
            **({"cards": _number(self.cards)} if self.cards else {}),
            "reason": self.why,
        }


@dataclass(frozen=True, slots=True)
class Bound:
    hospital: str = ""
    least: str = ""
    most: str = ""
    why: str = ""

    def body(self) -> dict[str, Any]:
        return {
            "hospital": self.hospital,
            **({"min": _number(self.least)} if self.least else {}),
            **({"max": _number(self.most)} if self.most else {}),
            "reason": self.why,
        }


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the editor, as typed."""

    total: str = ""
    method: str = "largest_remainder"
    basis: str = "visits"
    effective_month: str = ""
    reason: str = ""
    adjustments: Sequence[Adjustment] = ()
    bounds: Sequence[Bound] = ()

    @property
    def adjustment_rows(self) -> list[Adjustment]:
        """With room for one more at least."""
        return [*self.adjustments, *[Adjustment()] * max(1, ROWS - len(self.adjustments))]

    @property
    def bound_rows(self) -> list[Bound]:
        return [*self.bounds, *[Bound()] * max(1, ROWS - len(self.bounds))]

    def body(self, *, reason: str) -> dict[str, Any]:
        """The call's body; the call judges it."""
        return {
            "total": _number(self.total),
            "method": self.method,
            "basis": self.basis,
            "effective_month": self.effective_month or None,
            "adjustments": [row.body() for row in self.adjustments],
            "bounds": [row.body() for row in self.bounds],
            "reason": reason,
        }


def adjustments_form(
    source: Texts = (), target: Texts = (), points: Texts = (), cards: Texts = (), why: Texts = ()
) -> list[Adjustment]:
    rows = [_stripped(row) for row in zip(source, target, points, cards, why, strict=False)]
    return [Adjustment(*row) for row in rows if any(row)]


def bounds_form(
    hospital: Texts = (), least: Texts = (), most: Texts = (), bound_why: Texts = ()
) -> list[Bound]:
    rows = [_stripped(row) for row in zip(hospital, least, most, bound_why, strict=False)]
    return [Bound(*row) for row in rows if any(row)]


def _stripped(row: Sequence[str]) -> list[str]:
    return [text.strip() for text in row]


def _number(text: str) -> int | str:
    """A number where it is one; else what was typed, for the call to say so."""
    plain = text.replace(",", "").strip()
    return int(plain) if plain.isascii() and plain.isdigit() else text


def typed_again(view: dict[str, Any]) -> Typed:
    """A version's rule as a beginning for the next one."""
    return Typed(
        total=str(view["total"]),
        method=view["method"],
        basis=view["basis"],
        adjustments=[
            Adjustment(
                row["from"], row["to"], row["share_points"] or "", str(row["cards"] or ""), row["reason"]
            )
            for row in view["adjustments"]
        ],
        bounds=[
            Bound(row["hospital"], _text(row["min"]), _text(row["max"]), row["reason"])
            for row in view["bounds"]
        ],
    )


def _text(number: int | None) -> str:
    return "" if number is None else str(number)

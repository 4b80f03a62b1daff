"""Rates, shares and odds: exact decimals with at most six places, never binary fractions."""

import re
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from shared.money import PPM

_PLACES = 6
# Short enough that decimal arithmetic on it never rounds.
_LENGTH_MAX = 24
_MAGNITUDE_MAX = 9
_FORM = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,2})?")


def parse_rate(value: object) -> Decimal:
    """Accepts a number or text ("0.2", 0.2) and returns it exactly as written.

    A JSON number reaches us as a float; its shortest text is what the caller wrote.

    Raises:
        ValueError: not a finite decimal, out of any sensible range, or more than six decimals.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError("must be a decimal number or its text")  # noqa: TRY004 - pydantic reports ValueError
    text = str(value)
    if len(text) > _LENGTH_MAX or _FORM.fullmatch(text) is None:
        raise ValueError("must be a decimal number or its text")
    rate = Decimal(text)
    if rate.adjusted() > _MAGNITUDE_MAX:
        raise ValueError("is out of range")
    # Scaled without rounding: the context's 28 digits hold every text that came this far.
    if rate.scaleb(_PLACES) != rate.scaleb(_PLACES).to_integral_value():
        raise ValueError("at most six decimals")
    return rate


def rate_text(rate: Decimal) -> str:
    """The wire form: plain decimal text without trailing zeros (0.20 → "0.2")."""
    text = format(rate.normalize(), "f")
    return text if rate else "0"


def to_ppm(rate: Decimal) -> int:
    return int(rate * PPM)


def from_ppm(ppm: int) -> Decimal:
    return Decimal(ppm) / PPM


Rate = Annotated[Decimal, BeforeValidator(parse_rate), PlainSerializer(rate_text, return_type=str)]

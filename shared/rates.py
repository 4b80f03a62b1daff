"""Rates, shares and odds: exact decimals with at most six places, never binary fractions."""

from decimal import Decimal, InvalidOperation
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer

from shared.money import PPM

_PLACES = 6


def parse_rate(value: object) -> Decimal:
    """Accepts a number or text ("0.2", 0.2) and returns it exactly as written.

    A JSON number reaches us as a float; its shortest text is what the caller wrote.

    Raises:
        ValueError: not a finite decimal, or more than six decimals.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str, Decimal)):
        raise ValueError("must be a decimal number or its text")  # noqa: TRY004 - pydantic reports ValueError
    try:
        rate = Decimal(str(value))
    except InvalidOperation:
        raise ValueError("must be a decimal number or its text") from None
    if not rate.is_finite():
        raise ValueError("must be finite")
    exponent = rate.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > _PLACES:
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

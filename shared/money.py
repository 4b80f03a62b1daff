"""Money is integer fen (分). Yuan exist only at the edges: documents and pages."""

from collections.abc import Sequence
from decimal import Decimal

FEN_PER_YUAN = 100
PPM = 1_000_000


def split_fen(amount_fen: int, shares_ppm: Sequence[int]) -> list[int]:
    """Splits an amount over payers by largest remainder; the parts add up to the amount, to the fen.

    `shares_ppm` are parts per million that add up to 1,000,000. Ties go to the payer listed first
    (api.md section 3). The SQL twin is core.split_fen; a test holds the two together.
    """
    floors = [amount_fen * share // PPM for share in shares_ppm]
    remainders = [amount_fen * share % PPM for share in shares_ppm]
    left = amount_fen - sum(floors)
    order = sorted(range(len(floors)), key=lambda payer: (-remainders[payer], payer))
    for payer in order[:left]:
        floors[payer] += 1
    return floors


def split_within(amount_fen: int, shares_ppm: Sequence[int], set_aside: Sequence[int]) -> list[int]:
    """The same, but no payer pays more than it has set aside (fen, adding up to the amount at least).

    The part of an amount can round up for a payer for whom the whole rounded down: that fen is paid by the
    payers that are listed first and have it left. The SQL twin is core.split_within.
    """
    parts = split_fen(amount_fen, shares_ppm)
    fitting = [min(pair) for pair in zip(parts, set_aside, strict=True)]
    missing = amount_fen - sum(fitting)
    for payer, have in enumerate(set_aside):
        more = min(missing, have - fitting[payer])
        fitting[payer] += more
        missing -= more
    return fitting


def yuan(amount_fen: int) -> str:
    """Fen as yuan with two decimals and thousands separators, exactly: 123456 → 1,234.56."""
    return f"{Decimal(amount_fen) / FEN_PER_YUAN:,.2f}"


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_UNITS = ((100_000_000, "亿"), (10_000, "万"), (1_000, "仟"), (100, "佰"), (10, "拾"))
_TEN = 10


def capital_yuan(amount_fen: int) -> str:
    """Fen as the capital characters of contracts and vouchers (大写金额): 140950 → 壹仟肆佰零玖元伍角整."""
    sign = "负" if amount_fen < 0 else ""
    whole, fen = divmod(abs(amount_fen), FEN_PER_YUAN)
    jiao, fen = divmod(fen, _TEN)
    text = f"{_capital(whole)}元" if whole or not (jiao or fen) else ""
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    if fen:
        # Without its jiao a fen is told apart from the yuan before it by a zero.
        text += ("零" if whole and not jiao else "") + f"{_DIGITS[fen]}分"
    return sign + (text if fen else f"{text}整")


def _capital(number: int) -> str:
    for unit, name in _UNITS:
        if number >= unit:
            high, low = divmod(number, unit)
            gap = "零" if 0 < low < unit // _TEN else ""
            return _capital(high) + name + gap + (_capital(low) if low else "")
    return _DIGITS[number]

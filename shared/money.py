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


def yuan(amount_fen: int) -> str:
    """Fen as yuan with two decimals and thousands separators, exactly: 123456 → 1,234.56."""
    return f"{Decimal(amount_fen) / FEN_PER_YUAN:,.2f}"

"""Who puts up how much when a budget or the shares change. Pure; all amounts in fen, one for each payer.

Every voucher is split over the payers by itself, to the fen. So what a payer must keep at hand is not its
share of a sum but the sum of its parts: `needed`. What lies beyond it is shared out by the shares.
"""

from collections.abc import Mapping, Sequence

from shared.money import split_fen

# From which account each kind of transfer moves money to which.
WAYS: Mapping[str, tuple[str, str]] = {
    "fund": ("budget", "available"),
    "refund": ("available", "budget"),
    "issue": ("available", "committed"),
    "redeem": ("committed", "payable"),
    "release": ("committed", "available"),
    "reverse": ("payable", "committed"),
    "recommit": ("available", "committed"),
    "expire": ("committed", "available"),
    "revoke": ("committed", "available"),
    "pay": ("payable", "paid"),
    "recover": ("paid", "available"),
}


def needed_fen(pieces: Mapping[int, int], shares_ppm: Sequence[int], reserved: Sequence[int]) -> list[int]:
    """What each payer needs for vouchers still to be issued (`pieces` by their price), and for `reserved`."""
    needed = list(reserved)
    for price_fen, count in pieces.items():
        for payer, part in enumerate(split_fen(price_fen, shares_ppm)):
            needed[payer] += count * part
    return needed


def shared_out(total_fen: int, needed: Sequence[int], shares_ppm: Sequence[int]) -> list[int]:
    """A total that is not below the sum of `needed`: each payer what it needs, the rest by the shares."""
    rest = split_fen(total_fen - sum(needed), shares_ppm)
    return [need + part for need, part in zip(needed, rest, strict=True)]


def taken_back(
    amount_fen: int, available: Sequence[int], needed: Sequence[int], shares_ppm: Sequence[int]
) -> list[int] | None:
    """An amount by the shares, but from no payer what it needs; None when that much is not free."""
    free = [have - need for have, need in zip(available, needed, strict=True)]
    taken = [max(0, min(*pair)) for pair in zip(split_fen(amount_fen, shares_ppm), free, strict=True)]
    missing = amount_fen - sum(taken)
    for payer in range(len(taken)):
        more = max(0, min(missing, free[payer] - taken[payer]))
        taken[payer] += more
        missing -= more
    return None if missing else taken


def topped_up(available: Sequence[int], needed: Sequence[int]) -> list[int]:
    """What is at hand when whoever has too little puts up more, and the others, in their order, less.

    The sum stays as it is. The caller has seen that it is enough.
    """
    topped = [max(pair) for pair in zip(available, needed, strict=True)]
    over = sum(topped) - sum(available)
    for payer, need in enumerate(needed):
        back = min(over, topped[payer] - need)
        topped[payer] -= back
        over -= back
    return topped

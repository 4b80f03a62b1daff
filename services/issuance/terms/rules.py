"""What a campaign's stock may be, measured by its budget and by the caps of its types. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.issuance.changes.errors import BudgetExceeded
from services.issuance.terms.errors import TotalCapExceeded


@dataclass(frozen=True, slots=True)
class PutIn:
    """What all phases together have put in of a type, and how much they may."""

    amount_fen: int
    total_cap: int | None
    pieces: int


def put_in_fen(put_in: Mapping[str, PutIn]) -> int:
    """What all stock can cost at most."""
    return sum(entry.pieces * entry.amount_fen for entry in put_in.values())


def refuse_too_much(put_in: Mapping[str, PutIn], adding: Mapping[str, int], budget_fen: int) -> None:
    """Raises BudgetExceeded, TotalCapExceeded. Every type that is added is one of the campaign."""
    more = sum(count * put_in[key].amount_fen for key, count in adding.items())
    if put_in_fen(put_in) + more > budget_fen:
        raise BudgetExceeded
    for key, count in adding.items():
        entry = put_in[key]
        if entry.total_cap is not None and entry.pieces + count > entry.total_cap:
            raise TotalCapExceeded

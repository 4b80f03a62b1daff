"""Who may work a terminal, and what each of them wrote off. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OperatorTotal:
    """Write-offs of one operator; None: nobody was named."""

    operator: str | None
    count: int
    fen: int


def operator_totals(lines: Iterable[tuple[str | None, int]]) -> list[OperatorTotal] | None:
    """Totals by operator, in the order of their codes, those of nobody last; None when nobody was ever named.

    `lines` are the operator and the fen of each write-off; a correction counts with its fen below zero.
    """
    found: dict[str | None, list[int]] = {}
    for operator, fen in lines:
        found.setdefault(operator, []).append(fen)
    if not found.keys() - {None}:
        return None
    return [
        OperatorTotal(operator, len(found[operator]), sum(found[operator]))
        for operator in sorted(found, key=lambda one: (one is None, one or ""))
    ]


def unattended(terminal_ids: Iterable[str], lists: Sequence[Sequence[str]]) -> list[str]:
    """The terminals at which none of the operators works; `lists` are theirs, an empty one means all."""
    if any(not one for one in lists):
        return []
    listed = {terminal_id for one in lists for terminal_id in one}
    return [terminal_id for terminal_id in terminal_ids if terminal_id not in listed]

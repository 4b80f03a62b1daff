"""Who may work a terminal. Pure."""

from collections.abc import Collection

UNKNOWN = "operator_unknown"


def operator_fault(operator: str | None, known: Collection[str]) -> str | None:
    """`operator_unknown` for a name that is not on the terminal's list; None without a list or a name.

    A request without an operator is let through: tills send some by themselves, such as the reversal of
    what they got no answer for.
    """
    return UNKNOWN if operator is not None and known and operator not in known else None

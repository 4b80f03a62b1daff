"""Which types a decision lets an institution accept. Pure."""

from collections.abc import Sequence

from services.redemption.institutions.rules import Admission


def let_in(admission: Admission, types: Sequence[str]) -> Admission | None:
    """Moves what waits and is named to what is accepted; None when none of it waits any more."""
    moved = tuple(key for key in admission.awaiting if key in types)
    if not moved:
        return None
    return Admission(admission.accepts + moved, tuple(key for key in admission.awaiting if key not in moved))

"""When a terminal that sends wrong codes is locked. Pure."""

import math
from datetime import datetime, timedelta

# Nobody types many wrong codes within these minutes; whoever guesses codes does nothing else.
WINDOW = timedelta(minutes=10)
# Long enough that guessing leads nowhere, short enough that a shop is open again after a coffee.
LOCK = timedelta(minutes=10)


def seconds_until(locked_until: datetime | None, now: datetime) -> int | None:
    """How long the lock still lasts, rounded up; None when there is none (any more)."""
    if locked_until is None or locked_until <= now:
        return None
    return max(1, math.ceil((locked_until - now).total_seconds()))

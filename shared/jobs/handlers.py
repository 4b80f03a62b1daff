"""What a job is: a kind, the service whose workers do it, and a set-based handler."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.db import Tx
from shared.outbox import OutboxItem

# A handler that only writes to the database: its effect and the end of the outbox rows are one transaction.
Effect = Callable[[Tx, Sequence[OutboxItem]], Awaitable[None]]
# A handler that talks to the outside, one row at a time; it must be safe to run twice.
Errand = Callable[[OutboxItem], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Job:
    """Exactly one of `effect` and `errand` is given.

    `attempts_max` bounds the retries (exponential, from 2 s to 15 min); after them the row is dead and
    visible. `seconds_max` is how long one attempt may take before another worker may take it over.
    `alone`: an errand that may take minutes; no other row waits, already begun, behind it.
    """

    kind: str
    effect: Effect | None = None
    errand: Errand | None = None
    attempts_max: int = 12
    seconds_max: int = 30
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Periodic:
    """Work that is due every so often, once for all workers. `run` must be safe to run twice."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[None]]

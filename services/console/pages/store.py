"""Read-only SQL of what waits for the bureau's people, for the menu of every page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import text

from shared.db import Tx

# A figure in a menu is looked at, not worked with: beyond this it says no more.
COUNTED_MAX = 1000
# As the alarms: whoever comes in the morning sees what failed since yesterday.
_FAILED_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Changes to be decided, activities to be reviewed, dead letters and jobs that failed of late."""

    changes: int = 0
    reviews: int = 0
    jobs: int = 0


# Each by an index, and none further than it is shown: every page asks for this.
_WAITING = text("""
    SELECT (SELECT count(*) FROM (SELECT 1 FROM core.change WHERE status = 'pending' LIMIT :most) c)
               AS changes,
           (SELECT count(*) FROM (SELECT 1 FROM issuance.activity WHERE state = 'pending' LIMIT :most) a)
               AS reviews,
           (SELECT count(*) FROM (SELECT 1 FROM core.outbox WHERE state = 'dead' LIMIT :most) o)
               + (SELECT count(*) FROM (SELECT 1 FROM core.job
                                        WHERE state = 'failed' AND finished_at > :since LIMIT :most) j)
               AS jobs
""")


async def waiting(tx: Tx, now: datetime) -> Waiting:
    values = {"most": COUNTED_MAX, "since": now - _FAILED_WITHIN}
    return Waiting(*(await tx.execute(_WAITING, values)).one())

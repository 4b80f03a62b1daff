"""Housekeeping: what nobody will ask for any more is deleted."""

from datetime import timedelta

import structlog

from services.console.staff import store
from services.console.staff.rules import FAILURE_WINDOW
from shared.jobs.handlers import Periodic
from shared.kit import Kit

log = structlog.get_logger(__name__)

EVERY = timedelta(minutes=10)
# Sessions that ended are kept for a while, so that "who was signed in then" can still be answered.
SESSIONS_KEPT = timedelta(days=180)


async def tidy_up(kit: Kit) -> None:
    now = kit.clock.now()
    async with kit.database.transaction() as tx:
        sessions = await store.delete_sessions_before(tx, now - SESSIONS_KEPT)
        failures = await store.forget_failures_before(tx, now - FAILURE_WINDOW)
    log.debug("Sessions and failed sign-ins tidied up", sessions=sessions, failures=failures)


def periodics(kit: Kit) -> list[Periodic]:
    return [Periodic("console.tidy_up", EVERY, lambda: tidy_up(kit))]

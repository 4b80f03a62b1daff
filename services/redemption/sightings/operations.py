"""When each terminal was last seen and how its clock stands: kept in mind, and written now and then.

A till's call never waits for this: what a process has seen is written by a task of its own, so that a
terminal's row changes once a minute at the most, however busy the till is.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from services.redemption.sightings import store
from shared.db import TROUBLE
from shared.errors import Forbidden
from shared.identity.staff import READERS, Staff
from shared.kit import Kit

log = structlog.get_logger(__name__)

# Whoever looks at a list of tills wants to know minutes.
EVERY = timedelta(minutes=1)
FLUSH_SECONDS = 15.0


class Sightings:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._waiting: dict[str, store.Sighting] = {}

    def note(self, terminal_id: str, timestamp: int, now: datetime, *, accepted: bool = True) -> None:
        """Remembers a request that its terminal signed at `timestamp`, Unix seconds.

        One that was refused for its clock tells the clock only: it may be an old one, sent by anybody.
        """
        skew = round(timestamp - now.timestamp())
        self._waiting[terminal_id] = store.Sighting(terminal_id, now if accepted else None, skew)

    async def flush(self) -> int:
        """Writes what was noted; returns how many terminals' rows changed."""
        if not self._waiting:
            return 0
        noted, self._waiting = self._waiting, {}
        try:
            async with self._kit.database.transaction() as tx:
                return await store.write(tx, list(noted.values()), every=EVERY)
        except TROUBLE as error:
            # The database is away; what was seen since is newer.
            log.debug("Sightings not written", error=type(error).__name__)
            self._waiting = noted | self._waiting
            return 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A lifespan of the app."""
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
            await self.flush()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            await self.flush()

    async def page(
        self,
        staff: Staff,
        filters: store.Filters,
        *,
        silent_days: int | None,
        limit: int,
        after: tuple[str, str] | None,
    ) -> tuple[list[store.SeenTerminal], int]:
        """Terminals, for the bureau; an institution's own staff see its own.

        `limit` + 1 at the most, and how many fit.

        Raises:
            Forbidden: another institution's, or staff of neither.
        """
        institution_id = filters.institution_id
        if not staff.has(*READERS):
            if staff.institution_id is None or institution_id not in (None, staff.institution_id):
                raise Forbidden
            institution_id = staff.institution_id
        since = None if silent_days is None else self._kit.clock.now() - timedelta(days=silent_days)
        narrowed = store.Filters(institution_id, filters.status, since, filters.skew_seconds)
        async with self._kit.database.snapshot() as tx:
            found = await store.page(tx, narrowed, limit=limit + 1, after=after)
            return found, await store.count(tx, narrowed)

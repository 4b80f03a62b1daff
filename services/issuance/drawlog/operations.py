"""What anybody may check of the draws, and the sealing of their logs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime

import structlog

from services.issuance.drawlog import store
from services.issuance.drawlog.errors import DrawLogNotPublished
from services.issuance.drawlog.rules import due_seals, first_head
from services.issuance.drawlog.store import AuditedPhase, Head, OpenLog, Position, Root
from shared.errors import NotFound, invariant
from shared.kit import Kit

log = structlog.get_logger(__name__)

# A page of the public log: about a megabyte in memory, however long the log is.
LOG_PAGE = 5000
# Draws that one statement carries the chain on over: a third of a second.
CHAIN_PAGE = 50_000
_BEFORE_ALL = Position(datetime.fromtimestamp(0, tz=UTC))


class DrawLogs:
    """The odds, how often was drawn, the roots of the log, and every draw once a phase has closed.

    `reveal` makes due seeds public. The last root of a phase is made before its seed is told.
    """

    def __init__(self, kit: Kit, reveal: Callable[[], Awaitable[None]]) -> None:
        self._kit = kit
        self._reveal = reveal

    async def audit(self, slug: str) -> list[AuditedPhase]:
        """Raises NotFound. What is due is done on the way, so that it needs no worker."""
        now = self._kit.clock.now()
        found = await self._read(slug)
        if any(phase.seed is None and phase.closes_at <= now for phase in found):
            await self.publish()
            found = await self._read(slug)
        return found

    async def _read(self, slug: str) -> list[AuditedPhase]:
        async with self._kit.database.snapshot() as tx:
            campaign = await store.campaign_id(tx, slug)
            if campaign is None:
                raise NotFound
            return await store.audited_phases(tx, campaign)

    async def published(self, slug: str, seq: int) -> AuditedPhase:
        """A phase whose draws are public.

        Raises:
            NotFound: no such phase.
            DrawLogNotPublished: it has not closed, or closed a few seconds ago.
        """
        phase = next((phase for phase in await self.audit(slug) if phase.seq == seq), None)
        if phase is None:
            raise NotFound
        if phase.seed is None:
            raise DrawLogNotPublished
        return phase

    async def lines(self, phase: AuditedPhase) -> AsyncIterator[list[str]]:
        """All lines of a phase's log, page by page. The log of a closed phase is final."""
        after = _BEFORE_ALL
        while True:
            async with self._kit.database.snapshot(slow=True) as tx:
                page, after = await store.lines(tx, phase.id, after=after, limit=LOG_PAGE)
            if not page:
                return
            yield page

    async def publish(self) -> None:
        """Seals every hour that is over, then reveals the seeds of phases that have closed.

        Safe to run twice, and at the same moment. A log that is not as it was sealed raises InvariantBroken;
        seeds are revealed all the same, so that everybody can see what is wrong.
        """
        try:
            await self.seal()
        finally:
            await self._reveal()

    async def seal(self) -> None:
        """Raises InvariantBroken when a log is not as it was sealed; the other phases are sealed first."""
        now = self._kit.clock.now()
        async with self._kit.database.snapshot() as tx:
            logs = await store.open_logs(tx, now)
        whole = [await self._seal(entry, now) for entry in logs]
        invariant(all(whole), "a draw log is not as it was sealed")

    async def _seal(self, entry: OpenLog, now: datetime) -> bool:
        """False when draws before the last root appeared or disappeared since."""
        sealed = entry.sealed
        sealed_until = sealed.position.at if sealed else None
        due = list(due_seals(entry.opens_at, entry.closes_at, sealed_until=sealed_until, now=now))
        if not due:
            return True
        if sealed is not None and not await self._is_as_sealed(entry, sealed):
            return False
        async with self._kit.database.transaction() as tx:
            await store.cut(tx, entry.phase_id, due[-1])
        start = first_head(entry.slug, entry.seq, entry.seed_commitment)
        head = sealed or Head(_BEFORE_ALL, 0, start)
        for at in due:
            head = await self._chained(entry, head, until=at)
            root = Root(at=at, root=head.head, draws=head.draws, sealed_at=now)
            async with self._kit.database.transaction() as tx:
                if not await store.insert_root(tx, entry.phase_id, root):
                    same = await store.root_at(tx, entry.phase_id, at) == (root.draws, root.root)
                    invariant(same, f"two roots of one hour differ: phase {entry.phase_id}, {at}")
            head = replace(head, position=Position(at))
        return True

    async def _is_as_sealed(self, entry: OpenLog, sealed: Head) -> bool:
        async with self._kit.database.snapshot(slow=True) as tx:
            drawn = await store.drawn_before(tx, entry.phase_id, sealed.position.at)
        if drawn != sealed.draws:
            log.error(
                "Draw log is not as it was sealed",
                phase=str(entry.phase_id),
                at=sealed.position.at.isoformat(),
                sealed=sealed.draws,
                found=drawn,
            )
        return drawn == sealed.draws

    async def _chained(self, entry: OpenLog, head: Head, *, until: datetime) -> Head:
        while True:
            async with self._kit.database.snapshot(slow=True) as tx:
                further = await store.chain(tx, entry.phase_id, head, until=until, limit=CHAIN_PAGE)
            if further.draws - head.draws < CHAIN_PAGE:
                return further
            head = further

"""Proposing and deciding changes."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.approvals import store
from shared.approvals.errors import AlreadyDecided, SamePerson
from shared.approvals.store import Change, Listed
from shared.audit import AuditEntry, record
from shared.clock import Clock
from shared.db import Database, Tx
from shared.errors import NotFound
from shared.identity.staff import Staff
from shared.ids import new_id

# Applies a change in the given transaction; raises NoLongerFits (or another refusal) when it cannot.
Applier = Callable[[Tx, Change], Awaitable[None]]


async def propose(
    tx: Tx,
    staff: Staff,
    *,
    service: str,
    kind: str,
    target: str,
    body: dict[str, Any],
    before: dict[str, Any],
    reason: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Writes the pending change and its audit entry; returns the 202 answer of api.md."""
    change_id = new_id()
    await store.insert_change(
        tx,
        Change(
            id=change_id,
            service=service,
            kind=kind,
            target=target,
            body=body,
            before=before,
            reason=reason,
            status="pending",
            proposed_by=staff.id,
            proposed_at=now,
        ),
    )
    entry = AuditEntry(staff.actor, f"{kind}.propose", f"change:{change_id}", before=before, after=body)
    await record(tx, entry, at=now)
    return {"change_id": str(change_id), "status": "pending"}


@dataclass(frozen=True, slots=True)
class Approvals:
    """The decisions of one service."""

    service: str
    database: Database
    clock: Clock
    appliers: Mapping[str, Applier]

    async def approve(self, staff: Staff, change_id: UUID) -> dict[str, Any]:
        """Applies the change and marks it, in one transaction.

        Raises:
            NotFound, AlreadyDecided, SamePerson, or what the applier refuses (then still pending).
        """
        async with self.database.transaction() as tx:
            change = await self._undecided(tx, change_id)
            if change.proposed_by == staff.id:
                raise SamePerson
            await self.appliers[change.kind](tx, change)
            await self._decide(tx, staff, change, status="applied", reason=None)
        return {"change_id": str(change_id), "status": "applied"}

    async def reject(self, staff: Staff, change_id: UUID, reason: str) -> dict[str, Any]:
        """Raises NotFound, AlreadyDecided. The proposer may withdraw its own change this way."""
        async with self.database.transaction() as tx:
            change = await self._undecided(tx, change_id)
            await self._decide(tx, staff, change, status="rejected", reason=reason)
        return {"change_id": str(change_id), "status": "rejected"}

    async def page(
        self,
        status: str | None,
        *,
        limit: int,
        after: tuple[datetime, UUID] | None,
        target: str | None = None,
    ) -> list[Listed]:
        """Newest first, of one target where it is named.

        `limit` + 1 rows at the most so that the caller knows whether more follow.
        """
        async with self.database.snapshot() as tx:
            return await store.page(tx, self.service, status, limit=limit + 1, after=after, target=target)

    async def how_many(self, status: str | None, *, target: str | None = None) -> int:
        """All that `page` goes through."""
        async with self.database.snapshot() as tx:
            return await store.how_many(tx, self.service, status, target=target)

    async def _undecided(self, tx: Tx, change_id: UUID) -> Change:
        change = await store.lock(tx, self.service, change_id)
        if change is None:
            raise NotFound
        if change.status != "pending":
            raise AlreadyDecided
        return change

    async def _decide(self, tx: Tx, staff: Staff, change: Change, *, status: str, reason: str | None) -> None:
        now = self.clock.now()
        await store.decide(tx, change.id, status=status, by=staff.id, at=now, reason=reason)
        entry = AuditEntry(
            staff.actor,
            f"{change.kind}.{'approve' if status == 'applied' else 'reject'}",
            f"change:{change.id}",
            before=change.before,
            after=change.body if status == "applied" else {"reason": reason},
        )
        await record(tx, entry, at=now)

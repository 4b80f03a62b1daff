"""Holds: write-offs that somebody looks at are left out of settlements until they are released."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.redemption.holds import store
from services.redemption.holds.errors import HoldReleased
from services.redemption.holds.store import Hold
from services.redemption.reversals.errors import AlreadyReversed, AlreadySettled
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import HotId, new_id
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class Holds:
    kit: Kit

    async def place(
        self, staff: Staff, institution_id: str, redemption: HotId | None, reason: str, key: RequestKey | None
    ) -> Answer:
        """Leaves a write-off, or all of an institution's, out of every settlement that is made from now on.

        Raises:
            NotFound: no such institution, or no such write-off of it.
            AlreadySettled, AlreadyReversed, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            hold = await self.hold(tx, institution_id, redemption, reason=reason, actor=staff.actor, now=now)
            entry = AuditEntry(
                staff.actor,
                "settlement.hold",
                f"institution:{institution_id}",
                after={"hold_id": str(hold.id), "redemption_id": _text(redemption), "reason": reason},
            )
            await record(tx, entry, at=now)
            return shown(hold)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def hold(
        self,
        tx: Tx,
        institution_id: str,
        redemption: HotId | None,
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> Hold:
        """The same in the caller's transaction, for what decides on its own. Locks the memberships.

        Raises:
            NotFound, AlreadySettled, AlreadyReversed.
        """
        if not await store.lock_memberships(tx, institution_id):
            raise NotFound
        if redemption is not None:
            found = await store.lock_write_off(tx, redemption, institution_id)
            if found is None:
                raise NotFound
            state, settlement_id = found
            if settlement_id is not None:
                raise AlreadySettled
            if state == "reversed":
                raise AlreadyReversed
        hold = Hold(
            id=new_id(),
            institution_id=institution_id,
            bucket=None if redemption is None else redemption.bucket,
            redemption_id=None if redemption is None else redemption.uuid,
            reason=reason,
            placed_at=now,
            released_at=None,
        )
        await store.place(tx, hold, actor=actor)
        return hold

    async def hold_all(
        self,
        tx: Tx,
        institution_id: str,
        write_offs: Sequence[HotId],
        *,
        reason: str,
        actor: str,
        now: datetime,
    ) -> dict[HotId, UUID]:
        """A hold for each of these that can still be held, by write-off. Locks the memberships.

        Raises:
            NotFound: no such institution.
        """
        if not await store.lock_memberships(tx, institution_id):
            raise NotFound
        return await store.place_all(tx, institution_id, write_offs, reason=reason, actor=actor, now=now)

    async def release_all(self, tx: Tx, hold_ids: Sequence[UUID], *, actor: str, now: datetime) -> int:
        """Ends these holds; returns how many were not released before."""
        return await store.release_all(tx, hold_ids, actor=actor, now=now)

    async def release(self, staff: Staff, hold_id: UUID, reason: str, key: RequestKey | None) -> Answer:
        """What was held is settled with the next period.

        Raises:
            NotFound, HoldReleased, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            released = await store.release(tx, hold_id, actor=staff.actor, now=now)
            hold = await store.by_id(tx, hold_id)
            if hold is None:
                raise NotFound
            if not released:
                raise HoldReleased
            entry = AuditEntry(
                staff.actor,
                "settlement.release",
                f"institution:{hold.institution_id}",
                after={"hold_id": str(hold_id), "reason": reason},
            )
            await record(tx, entry, at=now)
            return shown(hold)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def page(
        self,
        institution_id: str | None,
        *,
        open_only: bool,
        limit: int,
        after: tuple[datetime, UUID] | None,
    ) -> list[Hold]:
        """Newest first, one more than `limit` if there are more."""
        async with self.kit.database.snapshot() as tx:
            return await store.page(tx, institution_id, open_only=open_only, limit=limit + 1, after=after)


def shown(hold: Hold) -> dict[str, Any]:
    return {
        "id": str(hold.id),
        "institution_id": hold.institution_id,
        "redemption_id": _text(hold.redemption),
        "reason": hold.reason,
        "placed_at": rfc3339(hold.placed_at),
        "released_at": None if hold.released_at is None else rfc3339(hold.released_at),
    }


def _text(redemption: HotId | None) -> str | None:
    return None if redemption is None else str(redemption)

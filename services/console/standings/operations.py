"""How accounts of staff stand now: second factor, sessions, locks; ended and unlocked by administrators."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from services.console.secondfactor.store import with_factor
from services.console.sessions import store as sessions
from services.console.sessions.rules import Session
from services.console.staff import store as staff_store
from services.console.staff.errors import SignInNotLocked
from services.console.staff.rules import SIGN_IN_DOMAIN, Account, Standing
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.errors import NotFound, Unauthenticated
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class Standings:
    kit: Kit

    async def of(self, accounts: Sequence[Account]) -> dict[UUID, Standing]:
        """In one look for all of them."""
        now, ids = self.kit.clock.now(), [account.staff.id for account in accounts]
        hashes = {account.staff.id: self._hash(account.staff.username) for account in accounts}
        async with self.kit.database.snapshot() as tx:
            factors = await with_factor(tx, ids)
            counts = await sessions.live_counts(tx, ids, now)
            attempts = await staff_store.attempts_of(tx, list(hashes.values()))
        return {
            staff_id: Standing(
                second_factor=staff_id in factors,
                sessions=counts.get(staff_id, 0),
                locked_seconds=found.locked_seconds(now) if (found := attempts.get(digest)) else 0,
            )
            for staff_id, digest in hashes.items()
        }

    async def sessions_of(self, staff_id: UUID) -> list[Session]:
        """The live ones, the one last seen first. Raises NotFound."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            if await staff_store.account(tx, staff_id) is None:
                raise NotFound
            return await sessions.live_sessions(tx, staff_id, now)

    async def end_session(
        self, by: Staff, staff_id: UUID, token_hash: bytes, *, reason: str, key: RequestKey | None
    ) -> Answer:
        """One session of somebody; 0 when it had ended. Raises NotFound, RequestNoReused."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            act = partial(self._end, tx, by, staff_id, token_hash, reason=reason, now=now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _end(
        self, tx: Tx, by: Staff, staff_id: UUID, token_hash: bytes, *, reason: str, now: datetime
    ) -> dict[str, Any]:
        account = await _locked(tx, by, staff_id)
        ended = int(await sessions.revoke_session(tx, token_hash, staff_id, now))
        if ended:
            after = {"sessions_ended": ended, "reason": reason}
            entry = AuditEntry(by.actor, "staff.end_sessions", account.staff.actor, None, after)
            await record(tx, entry, at=now)
        return {"id": str(staff_id), "sessions_ended": ended}

    async def unlock(self, by: Staff, staff_id: UUID, *, reason: str, key: RequestKey | None) -> Answer:
        """Forgets the failed sign-ins. Raises NotFound, SignInNotLocked, RequestNoReused."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            act = partial(self._unlock, tx, by, staff_id, reason=reason, now=now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _unlock(
        self, tx: Tx, by: Staff, staff_id: UUID, *, reason: str, now: datetime
    ) -> dict[str, Any]:
        account = await _locked(tx, by, staff_id)
        username_hash = self._hash(account.staff.username)
        attempts = await staff_store.attempts(tx, username_hash)
        if attempts is None or not attempts.locked_seconds(now):
            raise SignInNotLocked
        await staff_store.forget_failures(tx, username_hash)
        before, after = {"locked": True}, {"locked": False, "reason": reason}
        await record(tx, AuditEntry(by.actor, "staff.unlock", account.staff.actor, before, after), at=now)
        return {"id": str(staff_id), "status": "unlocked"}

    def _hash(self, username: str) -> bytes:
        return self.kit.keys.index.digest(SIGN_IN_DOMAIN, username)


async def _locked(tx: Tx, by: Staff, staff_id: UUID) -> Account:
    """Locked, with all administrators. Raises Unauthenticated: we are none any more; NotFound."""
    found = await staff_store.lock_with_admins(tx, staff_id)
    if by.id not in found:
        raise Unauthenticated
    if staff_id not in found:
        raise NotFound
    return found[staff_id]

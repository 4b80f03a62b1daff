"""Staff accounts: made, given other roles, disabled; and the first administrator."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog

from services.console.staff import store
from services.console.staff.errors import (
    AlreadyDisabled,
    NoAdministrator,
    OwnAccount,
    UsernameTaken,
    WeakPassword,
)
from services.console.staff.rules import Account, binding_faults, password_faults
from services.console.staff.store import Bound, NewStaff, Wanted
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import TROUBLE, Tx
from shared.errors import InvalidRequest, NotFound, Unauthenticated
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Role, Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.passwords import Passwords

log = structlog.get_logger(__name__)

_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class StaffAccounts:
    kit: Kit
    passwords: Passwords

    async def create(
        self,
        by: Staff,
        *,
        username: str,
        password: str,
        roles: tuple[Role, ...],
        institution_id: str | None,
        hospital_id: str | None,
        key: RequestKey | None,
    ) -> Answer:
        """Raises InvalidRequest, WeakPassword, UsernameTaken, RequestNoReused, Busy."""
        if faults := binding_faults(roles, institution_id=institution_id, hospital_id=hospital_id):
            raise InvalidRequest(faults=faults)
        if faults := password_faults(password, username):
            raise WeakPassword(faults)
        new = NewStaff(
            id=new_id(),
            username=username,
            password_hash=await self.passwords.hash(password),
            roles=tuple(sorted(set(roles))),
            institution_id=institution_id,
            hospital_id=hospital_id,
        )
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            act = partial(self._insert, tx, by, new, now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    def disguised(self, password: str) -> str:
        """Stands for a password in a request's fingerprint, which must be no quick way to try passwords."""
        return self.kit.keys.index.digest("password-fingerprint", password).hex()

    async def _insert(self, tx: Tx, by: Staff, new: NewStaff, now: datetime) -> dict[str, Any]:
        if not await store.insert_staff(tx, new, now):
            raise UsernameTaken
        await record(tx, _created(by.actor, new), at=now)
        return {"id": str(new.id), "username": new.username, "roles": list(new.roles)}

    async def disable(self, by: Staff, staff_id: UUID, *, reason: str, key: RequestKey | None) -> Answer:
        """Ends the account's sessions at once.

        Raises:
            OwnAccount, NotFound, AlreadyDisabled, RequestNoReused.
        """
        if staff_id == by.id:
            raise OwnAccount
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            act = partial(self._disable, tx, by, staff_id, reason, now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _disable(self, tx: Tx, by: Staff, staff_id: UUID, reason: str, now: datetime) -> dict[str, Any]:
        account = await _locked_account(tx, by, staff_id)
        if account.disabled_at is not None:
            raise AlreadyDisabled
        await store.disable(tx, staff_id, now)
        await store.revoke_sessions_of(tx, staff_id, now)
        after = {"disabled": True, "reason": reason}
        entry = AuditEntry(by.actor, "staff.disable", account.staff.actor, {"disabled": False}, after)
        await record(tx, entry, at=now)
        return {"id": str(staff_id), "disabled_at": rfc3339(now)}

    async def change_roles(
        self,
        by: Staff,
        staff_id: UUID,
        *,
        roles: tuple[Role, ...],
        institution_id: str | None,
        hospital_id: str | None,
        reason: str,
        key: RequestKey | None,
    ) -> Answer:
        """In force with the account's next call.

        Raises:
            OwnAccount, InvalidRequest, NotFound, AlreadyDisabled, RequestNoReused.
        """
        if staff_id == by.id:
            raise OwnAccount
        if faults := binding_faults(roles, institution_id=institution_id, hospital_id=hospital_id):
            raise InvalidRequest(faults=faults)
        after = Bound(tuple(sorted(set(roles))), institution_id, hospital_id)
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            act = partial(self._change_roles, tx, by, staff_id, after, reason=reason, now=now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _change_roles(
        self, tx: Tx, by: Staff, staff_id: UUID, after: Bound, *, reason: str, now: datetime
    ) -> dict[str, Any]:
        account = await _locked_account(tx, by, staff_id)
        if account.disabled_at is not None:
            raise AlreadyDisabled
        await store.change_roles(tx, staff_id, after)
        was = account.staff
        before = Bound(tuple(sorted(was.roles)), was.institution_id, was.hospital_id)
        told = {**_told(after), "reason": reason}
        await record(tx, AuditEntry(by.actor, "staff.change_roles", was.actor, _told(before), told), at=now)
        return {"id": str(staff_id), "username": was.username, "roles": list(after.roles)}

    async def end_sessions(self, by: Staff, staff_id: UUID, *, reason: str, key: RequestKey | None) -> Answer:
        """Every session of the account. Raises NotFound, RequestNoReused."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            act = partial(self._end_sessions, tx, by, staff_id, reason, now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _end_sessions(
        self, tx: Tx, by: Staff, staff_id: UUID, reason: str, now: datetime
    ) -> dict[str, Any]:
        account = await _locked_account(tx, by, staff_id)
        ended = await store.revoke_sessions_of(tx, staff_id, now)
        after = {"sessions_ended": ended, "reason": reason}
        entry = AuditEntry(by.actor, "staff.end_sessions", account.staff.actor, None, after)
        await record(tx, entry, at=now)
        return {"id": str(staff_id), "sessions_ended": ended}

    async def one(self, staff_id: UUID) -> Account:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            found = await store.account(tx, staff_id)
        if found is None:
            raise NotFound
        return found

    async def page(
        self, wanted: Wanted, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[Account], int]:
        """Newest first, `limit` + 1 at the most, so that the caller knows of more; and how many fit."""
        async with self.kit.database.snapshot() as tx:
            found = await store.page(tx, wanted, limit=limit + 1, after=after)
            return found, await store.count(tx, wanted)


class FirstAdmin:
    """Makes the first administrator from the settings, as soon as the database is there; once."""

    def __init__(self, kit: Kit, passwords: Passwords) -> None:
        self._kit = kit
        self._passwords = passwords
        self._exists = False

    async def ensure(self) -> bool:
        """True when there is an administrator. Safe for several processes at once: one of them inserts."""
        settings = self._kit.settings
        if await self._look() or settings.admin_username is None or settings.admin_password is None:
            return self._exists
        new = NewStaff(
            id=new_id(),
            username=settings.admin_username,
            password_hash=await self._passwords.hash(settings.admin_password.get_secret_value()),
            roles=(Role.ADMIN,),
            institution_id=None,
            hospital_id=None,
        )
        now = self._kit.clock.now()
        async with self._kit.database.transaction() as tx:
            if await store.insert_staff(tx, new, now, only_without_admin=True):
                await record(tx, _created("system", new), at=now)
        return await self._look()

    async def _look(self) -> bool:
        if not self._exists:
            async with self._kit.database.snapshot() as tx:
                self._exists = await store.has_admin(tx)
        return self._exists

    async def ready(self) -> None:
        """Raises NoAdministrator: nobody could sign in."""
        if not await self._look():
            raise NoAdministrator

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """A lifespan of the app; a start does not wait for a database that is away."""
        there = await self._try()
        task = asyncio.create_task(self._until_there(there=there))
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _until_there(self, *, there: bool) -> None:
        while not there:
            await asyncio.sleep(_RETRY_SECONDS)
            there = await self._try()

    async def _try(self) -> bool:
        try:
            return await self.ensure()
        except TROUBLE as error:
            # Away, or not migrated yet: readiness says so meanwhile.
            log.debug("First administrator not made yet", error=type(error).__name__)
            return False


async def _locked_account(tx: Tx, by: Staff, staff_id: UUID) -> Account:
    """Locked, with all administrators. Raises Unauthenticated, NotFound."""
    locked = await store.lock_with_admins(tx, staff_id)
    if by.id not in locked:
        # Somebody disabled us meanwhile, or took the role: an administrator always remains.
        raise Unauthenticated
    if staff_id not in locked:
        raise NotFound
    return locked[staff_id]


def _told(bound: Bound) -> dict[str, Any]:
    return {
        "roles": [role.value for role in bound.roles],
        "institution_id": bound.institution_id,
        "hospital_id": bound.hospital_id,
    }


def _created(actor: str, new: NewStaff) -> AuditEntry:
    after = {
        "username": new.username,
        "roles": list(new.roles),
        "institution_id": new.institution_id,
        "hospital_id": new.hospital_id,
    }
    return AuditEntry(actor, "staff.create", f"staff:{new.id}", None, after)

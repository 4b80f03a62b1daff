"""Staff: signing in and out, making and disabling accounts, and the first administrator."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.exc import SQLAlchemyError

from services.console.staff import store
from services.console.staff.errors import (
    AlreadyDisabled,
    BadCredentials,
    NoAdministrator,
    OwnAccount,
    SignInLocked,
    UsernameTaken,
    WeakPassword,
)
from services.console.staff.rules import (
    FAILURE_WINDOW,
    FAILURES_MAX,
    Account,
    binding_faults,
    password_faults,
)
from services.console.staff.store import NewStaff
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import InvalidRequest, NotFound, Unauthenticated
from shared.idempotency import Answer, RequestKey, once
from shared.identity.lifetimes import staff_session_life
from shared.identity.staff import SESSION_DOMAIN, Role, Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.passwords import Passwords

log = structlog.get_logger(__name__)

_USERNAME_DOMAIN = "sign-in"
# 256 bits: a session cannot be guessed.
_TOKEN_BYTES = 32
_RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class SignedIn:
    token: str
    staff: Staff
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Sessions:
    kit: Kit
    passwords: Passwords

    async def sign_in(self, username: str, password: str) -> SignedIn:
        """Raises BadCredentials, SignInLocked, Busy."""
        staff, _ = await self._verified(username, password)
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), self.kit.clock.now()
        expires_at = now + staff_session_life(self.kit.settings)
        async with self.kit.database.transaction() as tx:
            if not await store.hold_if_enabled(tx, staff.id):
                raise BadCredentials
            await store.forget_failures(tx, self._username_hash(username))
            await store.insert_session(
                tx,
                token_hash=self._token_hash(token),
                staff_id=staff.id,
                now=now,
                expires_at=expires_at,
            )
            await record(tx, AuditEntry(staff.actor, "session.begin", staff.actor), at=now)
        return SignedIn(token, staff, expires_at)

    async def sign_out(self, staff: Staff, token: str) -> None:
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            if await store.revoke_session(tx, self._token_hash(token), now):
                await record(tx, AuditEntry(staff.actor, "session.end", staff.actor), at=now)

    async def change_password(self, staff: Staff, *, current: str, new: str) -> None:
        """Ends every session of the account, also this one: whoever else had the password is out.

        Raises:
            WeakPassword, BadCredentials, SignInLocked, Busy.
        """
        if faults := password_faults(new, staff.username, loc="body.new_password"):
            raise WeakPassword(faults)
        _, old_hash = await self._verified(staff.username, current)
        new_hash, now = await self.passwords.hash(new), self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            if not await store.change_password_hash(tx, staff.id, old=old_hash, new=new_hash):
                raise BadCredentials
            await store.forget_failures(tx, self._username_hash(staff.username))
            await store.revoke_sessions_of(tx, staff.id, now)
            await record(tx, AuditEntry(staff.actor, "staff.change_password", staff.actor), at=now)

    async def _verified(self, username: str, password: str) -> tuple[Staff, str]:
        """The staff member whose password this is, and its hash; a wrong one is counted.

        The lock is looked at inside the slot: guesses that are sent all at once run a few at a time, so
        those behind the fifth find the name locked.
        """
        username_hash = self._username_hash(username)
        async with self.passwords.slot():
            now = self.kit.clock.now()
            async with self.kit.database.snapshot() as tx:
                attempts = await store.attempts(tx, username_hash)
                found = await store.by_username(tx, username)
            if attempts is not None and (wait := attempts.locked_seconds(now)):
                raise SignInLocked(retry_after_seconds=wait)
            if await self.passwords.fits(found[1] if found else None, password) and found is not None:
                return found
            async with self.kit.database.transaction() as tx:
                counted = await store.count_failure(
                    tx, username_hash, now=now, window_floor=now - FAILURE_WINDOW, failures_max=FAILURES_MAX
                )
        log.info("Sign-in failed", failures=counted.failures)
        raise BadCredentials

    def _token_hash(self, token: str) -> bytes:
        return self.kit.keys.index.digest(SESSION_DOMAIN, token)

    def _username_hash(self, username: str) -> bytes:
        return self.kit.keys.index.digest(_USERNAME_DOMAIN, username)


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
        locked = await store.lock_with_admins(tx, staff_id)
        if by.id not in locked:
            # Somebody disabled us meanwhile: an administrator always remains.
            raise Unauthenticated
        account = locked.get(staff_id)
        if account is None:
            raise NotFound
        if account.disabled_at is not None:
            raise AlreadyDisabled
        await store.disable(tx, staff_id, now)
        await store.revoke_sessions_of(tx, staff_id, now)
        after = {"disabled": True, "reason": reason}
        entry = AuditEntry(by.actor, "staff.disable", account.staff.actor, {"disabled": False}, after)
        await record(tx, entry, at=now)
        return {"id": str(staff_id), "disabled_at": rfc3339(now)}

    async def page(self, *, limit: int, after: tuple[datetime, UUID] | None) -> list[Account]:
        """Newest first, `limit` + 1 at the most so that the caller knows whether more follow."""
        async with self.kit.database.snapshot() as tx:
            return await store.page(tx, limit=limit + 1, after=after)


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
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            # Away, or not migrated yet: readiness says so meanwhile.
            log.debug("First administrator not made yet", error=type(error).__name__)
            return False


def _created(actor: str, new: NewStaff) -> AuditEntry:
    after = {
        "username": new.username,
        "roles": list(new.roles),
        "institution_id": new.institution_id,
        "hospital_id": new.hospital_id,
    }
    return AuditEntry(actor, "staff.create", f"staff:{new.id}", None, after)

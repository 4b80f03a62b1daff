"""Sessions of staff: begun with a password and, where it is on, a second factor; listed and ended."""

import secrets
from dataclasses import dataclass
from datetime import datetime

import structlog

from services.console.secondfactor.errors import (
    SecondFactorNotEnabled,
    SecondFactorRequired,
    SecondFactorWrong,
)
from services.console.secondfactor.operations import SecondFactors
from services.console.sessions import store
from services.console.sessions.rules import SEEN_EVERY, Session
from services.console.sessions.store import NewSession
from services.console.staff import store as staff_store
from services.console.staff.errors import BadCredentials, SignInLocked, WeakPassword
from services.console.staff.rules import FAILURE_WINDOW, FAILURES_MAX, SIGN_IN_DOMAIN, password_faults
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.identity.lifetimes import staff_session_life
from shared.identity.staff import SESSION_DOMAIN, Staff
from shared.kit import Kit
from shared.passwords import Passwords

log = structlog.get_logger(__name__)

# 256 bits: a session cannot be guessed.
_TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class OwnSession:
    session: Session
    current: bool


@dataclass(frozen=True, slots=True)
class SignedIn:
    token: str
    staff: Staff
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Sessions:
    kit: Kit
    passwords: Passwords
    factors: SecondFactors

    async def sign_in(self, username: str, password: str, *, code: str | None, device: str) -> SignedIn:
        """Raises BadCredentials, SecondFactorRequired, SecondFactorWrong, SignInLocked, Busy."""
        staff, _ = await self._verified(username, password)
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), self.kit.clock.now()
        expires_at = now + staff_session_life(self.kit.settings)
        async with self.kit.database.transaction() as tx:
            if not await staff_store.hold_if_enabled(tx, staff.id):
                raise BadCredentials
            fits = await self._code_fits(tx, staff, code, now)
            if fits:
                await staff_store.forget_failures(tx, self._username_hash(username))
                begun = NewSession(self._token_hash(token), staff.id, device, now, expires_at)
                await store.insert_session(tx, begun)
                await record(tx, AuditEntry(staff.actor, "session.begin", staff.actor), at=now)
        if not fits:
            # Raised after the commit: the failure stays counted.
            raise SecondFactorWrong
        return SignedIn(token, staff, expires_at)

    async def _code_fits(self, tx: Tx, staff: Staff, code: str | None, now: datetime) -> bool:
        """Counts a wrong one towards the lock of the name. Raises SecondFactorRequired, SignInLocked."""
        if not await self.factors.asked_for(tx, staff.id):
            return True
        if not code:
            raise SecondFactorRequired
        fits = await self.factors.accept(tx, staff.id, code, now)
        # Read again under the factor's lock: of guesses sent at once those behind the fifth find the lock.
        username_hash = self._username_hash(staff.username)
        attempts = await staff_store.attempts(tx, username_hash)
        if attempts is not None and (wait := attempts.locked_seconds(now)):
            raise SignInLocked(retry_after_seconds=wait)
        if not fits:
            await self._count_failure(tx, username_hash, now)
        return fits

    async def turn_second_factor_off(self, staff: Staff, *, password: str, code: str) -> None:
        """One's own. Raises BadCredentials, SecondFactorWrong, SecondFactorNotEnabled, SignInLocked, Busy."""
        await self._verified(staff.username, password)
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            if not await self.factors.asked_for(tx, staff.id):
                raise SecondFactorNotEnabled
            fits = await self._code_fits(tx, staff, code, now)
            if fits:
                await self.factors.turn_off(tx, staff)
                await record(tx, AuditEntry(staff.actor, "second_factor.disable", staff.actor), at=now)
        if not fits:
            raise SecondFactorWrong

    async def sign_out(self, staff: Staff, token: str) -> None:
        await self.end(staff, self._token_hash(token))

    async def end(self, staff: Staff, token_hash: bytes) -> bool:
        """One of one's own; False when it had ended or is nobody's."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            ended = await store.revoke_session(tx, token_hash, staff.id, now)
            if ended:
                await record(tx, AuditEntry(staff.actor, "session.end", staff.actor), at=now)
        return ended

    async def end_others(self, staff: Staff, token: str) -> int:
        """All but this one; how many."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            ended = await store.revoke_other_sessions(tx, self._token_hash(token), staff.id, now)
            if ended:
                after = {"sessions_ended": ended}
                await record(
                    tx, AuditEntry(staff.actor, "session.end_others", staff.actor, None, after), at=now
                )
        return ended

    async def own(self, staff: Staff, token: str) -> list[OwnSession]:
        """The live ones, the one last seen first."""
        now, current = self.kit.clock.now(), self._token_hash(token)
        async with self.kit.database.snapshot() as tx:
            found = await store.live_sessions(tx, staff.id, now)
        return [OwnSession(session, session.token_hash == current) for session in found]

    async def seen(self, token: str) -> None:
        """Notes that the session is in use, at most every few minutes."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            await store.note_seen(tx, self._token_hash(token), now, floor=now - SEEN_EVERY)

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
            if not await staff_store.change_password_hash(tx, staff.id, old=old_hash, new=new_hash):
                raise BadCredentials
            await staff_store.forget_failures(tx, self._username_hash(staff.username))
            await staff_store.revoke_sessions_of(tx, staff.id, now)
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
                attempts = await staff_store.attempts(tx, username_hash)
                found = await staff_store.by_username(tx, username)
            if attempts is not None and (wait := attempts.locked_seconds(now)):
                raise SignInLocked(retry_after_seconds=wait)
            if await self.passwords.fits(found[1] if found else None, password) and found is not None:
                return found
            async with self.kit.database.transaction() as tx:
                await self._count_failure(tx, username_hash, now)
        raise BadCredentials

    async def _count_failure(self, tx: Tx, username_hash: bytes, now: datetime) -> None:
        counted = await staff_store.count_failure(
            tx, username_hash, now=now, window_floor=now - FAILURE_WINDOW, failures_max=FAILURES_MAX
        )
        log.info("Sign-in failed", failures=counted.failures)

    def _token_hash(self, token: str) -> bytes:
        return self.kit.keys.index.digest(SESSION_DOMAIN, token)

    def _username_hash(self, username: str) -> bytes:
        return self.kit.keys.index.digest(SIGN_IN_DOMAIN, username)

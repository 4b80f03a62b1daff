"""Passwords: argon2id, in threads, a few at a time.

Each hash takes memory and time on purpose. So few run at once, and when too many wait the answer is 503:
signing in never takes the machine away from a till.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from shared.errors import Busy

# OWASP's minimum for argon2id. Guessing online is stopped by the lock; this is for a leaked table, where
# the passwords of the few staff have ten characters of three kinds at least.
MEMORY_KIB = 19 * 1024
TIME_COST = 2
PARALLELISM = 1
# As many as there are cores on the smallest machine; 38 MiB for each process.
CONCURRENT = 2
# About two seconds of waiting.
WAITING_MAX = 100


class Passwords:
    def __init__(self) -> None:
        self._hasher = PasswordHasher(TIME_COST, MEMORY_KIB, PARALLELISM)
        self._slots = asyncio.Semaphore(CONCURRENT)
        self._waiting = 0
        self._decoy: str | None = None

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Holds one of the few places in which a password is checked; what is read inside is not old.

        Raises:
            Busy: too many wait already.
        """
        if self._waiting >= WAITING_MAX:
            raise Busy
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            yield
        finally:
            self._slots.release()

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether the password is the one behind the hash; None takes as long and never fits.

        Call it inside a slot.
        """
        if self._decoy is None:
            self._decoy = await asyncio.to_thread(self._hasher.hash, secrets.token_urlsafe(32))
        return await asyncio.to_thread(self._verify, password_hash or self._decoy, password)

    async def hash(self, password: str) -> str:
        async with self.slot():
            return await asyncio.to_thread(self._hasher.hash, password)

    def _verify(self, password_hash: str, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash, password)
        except (Argon2Error, InvalidHashError):
            return False

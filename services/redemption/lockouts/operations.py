"""Terminals that send wrong codes are locked for some minutes, in every process and over restarts.

Wrong codes are counted in Postgres, after the answer is known and only for a miss: a good write-off pays
nothing. The lock is part of what a process knows of a terminal (two seconds old at the most), so that asking
costs nothing either.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from services.redemption.lockouts import store
from services.redemption.lockouts.errors import TooManyWrongCodes
from services.redemption.lockouts.rules import LOCK, WINDOW, seconds_until
from services.redemption.risk.store import Case, open_cases
from services.redemption.terminals.operations import Keyring, SignedTerminal
from shared.audit import AuditEntry, record
from shared.clock import CHINA, rfc3339
from shared.db import Tx, retried
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit

log = structlog.get_logger(__name__)

_CASE = "wrong_codes"


@dataclass(frozen=True, slots=True)
class Lockouts:
    kit: Kit
    keyring: Keyring

    def require_open(self, terminal: SignedTerminal) -> None:
        """Before anything that tells whether a code exists.

        Raises:
            TooManyWrongCodes: it is locked; says for how long.
        """
        if terminal.locked_until is not None:
            self._refuse_while(terminal.locked_until)

    async def refuse_miss(self, terminal: SignedTerminal) -> None:
        """Counts one wrong code.

        Raises:
            TooManyWrongCodes: the terminal was locked, by this one or by others before it.
        """
        self._refuse_while(await self.count(terminal, 1))

    @retried
    async def count(self, terminal: SignedTerminal, misses: int) -> datetime | None:
        """Counts wrong codes, locks the terminal after too many; returns until when it is locked."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            within, locked_until = await store.count(
                tx, terminal.id, misses=misses, now=now, window_start=now - WINDOW
            )
            most = self._most()
            if most and within >= most and seconds_until(locked_until, now) is None:
                locked_until = now + LOCK
                await self._lock(tx, terminal, within, locked_until, now)
        if seconds_until(locked_until, now) is not None:
            # This process knows at once; the others within two seconds.
            await self.keyring.of(terminal.id, again=True)
        return locked_until

    def _most(self) -> int:
        """How many wrong codes lock a terminal; 0: never. Load tests lift this limit with the others."""
        settings = self.kit.settings
        return settings.wrong_codes_max if settings.rate_limits == "on" else 0

    async def _lock(
        self, tx: Tx, terminal: SignedTerminal, misses: int, until: datetime, now: datetime
    ) -> None:
        await store.lock(tx, terminal.id, until=until, now=now)
        values = {
            "terminal_id": terminal.id,
            "institution_id": terminal.institution_id,
            "kind": "locked",
            "misses": misses,
            "locked_until": until,
            "actor": f"terminal:{terminal.id}",
            "at": now,
        }
        await store.write_history(tx, values)
        campaign_id = await store.newest_campaign(tx, terminal.institution_id)
        if campaign_id is not None:
            # One case for a terminal's day, however often it is locked on it.
            day = now.astimezone(CHINA).date().isoformat()
            evidence = {"wrong_codes": misses, "locked_until": rfc3339(until)}
            case = Case(
                kind=_CASE,
                reference=f"{terminal.id}/{day}",
                campaign_id=campaign_id,
                institution_id=terminal.institution_id,
                terminal_id=terminal.id,
                evidence=evidence,
            )
            await open_cases(tx, [case], now)
        log.warning(
            "Terminal locked after too many wrong codes",
            terminal_id=terminal.id,
            institution_id=terminal.institution_id,
            wrong_codes=misses,
        )

    async def unlock(self, staff: Staff, terminal_id: str, reason: str, key: RequestKey | None) -> Answer:
        """Lets a terminal in again before its time; one that is not locked stays as it is.

        Raises:
            NotFound, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            institution_id = await store.institution_of(tx, terminal_id)
            if institution_id is None:
                raise NotFound
            if await store.unlock(tx, terminal_id, now):
                values = {
                    "terminal_id": terminal_id,
                    "institution_id": institution_id,
                    "kind": "unlocked",
                    "reason": reason,
                    "actor": staff.actor,
                    "at": now,
                }
                await store.write_history(tx, values)
                entry = AuditEntry(
                    staff.actor,
                    "terminal.unlock",
                    f"terminal:{terminal_id}",
                    before={"locked": True},
                    after={"locked": False, "reason": reason},
                )
                await record(tx, entry, at=now)
            return {"terminal_id": terminal_id, "locked": False}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def page(self, *, limit: int, after: tuple[datetime, UUID] | None) -> list[store.Lockout]:
        """The newest first; one more than `limit` if there are more."""
        async with self.kit.database.snapshot() as tx:
            return await store.page(tx, after=after, limit=limit + 1)

    def _refuse_while(self, locked_until: datetime | None) -> None:
        seconds = seconds_until(locked_until, self.kit.clock.now())
        if seconds is not None:
            raise TooManyWrongCodes(retry_after_seconds=seconds)

"""Terminals: their keys rotated at check-in, paused and revoked at once."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.redemption.terminals import store
from services.redemption.terminals.errors import TerminalNotActive
from services.redemption.terminals.rules import KEY_OVERLAP, TerminalKeys, TerminalStatus
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.errors import Forbidden, NotFound
from shared.idempotency import Answer, Caller, RequestKey, once
from shared.identity.staff import READERS, Staff
from shared.kit import Kit
from shared.remembered import Remembered
from shared.signing import BadSignature, SignatureHeader
from shared.signing.store import use_nonce

# Of a key, in random bytes; a terminal signs with the text that they are written as.
KEY_BYTES = 32


def _sealing_context(terminal_id: str) -> str:
    return f"terminal/{terminal_id}/key"


@dataclass(frozen=True, slots=True)
class KnownTerminal:
    """Who signs with a key id."""

    id: str
    caller: Caller
    institution_id: str
    keys: TerminalKeys
    locked_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SignedTerminal:
    """A terminal whose signature was checked; `header` carries the nonce that its call uses up."""

    id: str
    caller: Caller
    institution_id: str
    header: SignatureHeader
    locked_until: datetime | None = None


class Keyring:
    """The terminals' keys as this process knows them, for two seconds at the most.

    Pausing does not wait for that: the write-off reads the terminal's row. A key that does not fit is
    looked up again before it is refused, because another process may just have rotated it.
    """

    # api.md: revoking bites within 5 s everywhere.
    LIFE_SECONDS = 2.0

    def __init__(self, kit: Kit) -> None:
        self._database = kit.database
        self._sealer = kit.keys.sealer
        self._known: Remembered[str, KnownTerminal] = Remembered(self._load, seconds=self.LIFE_SECONDS)

    async def of(self, terminal_id: str, *, again: bool = False) -> KnownTerminal:
        """The terminal behind a key id; `again` when its keys did not fit.

        Raises:
            BadSignature: it is unknown, not activated yet or revoked; strangers learn no more.
        """
        return await self._known.get(terminal_id, fresh=again)

    async def _load(self, terminal_id: str) -> KnownTerminal:
        row = await store.signing_row(self._database, terminal_id)
        if row is None:
            raise BadSignature
        return KnownTerminal(
            id=terminal_id,
            caller=Caller(bucket=row.bucket, id=row.caller_id),
            institution_id=row.institution_id,
            keys=self.opened(terminal_id, row),
            locked_until=row.locked_until,
        )

    def sealed(self, terminal_id: str, terminal_key: str) -> bytes:
        return self._sealer.seal_text(terminal_key, context=_sealing_context(terminal_id))

    def opened(self, terminal_id: str, row: store.SigningRow) -> TerminalKeys:
        context = _sealing_context(terminal_id)
        previous = row.previous_key_sealed
        return TerminalKeys(
            current=self._sealer.open_text(row.key_sealed, context=context),
            previous=None if previous is None else self._sealer.open_text(previous, context=context),
            previous_good_until=row.previous_good_until,
        )


@dataclass(frozen=True, slots=True)
class TerminalDesk:
    """What staff and devices do with terminals."""

    kit: Kit
    keyring: Keyring

    async def check_in(
        self, terminal: SignedTerminal, signed_with: str, version: str | None
    ) -> tuple[str, datetime]:
        """A new key and the server's time; the key before stays good for ten minutes.

        A check-in that is signed with the key before asks again for an answer that got lost: it gets the
        key that was made then, so that a till on a bad line is never locked out by its own retries.

        Raises:
            Replayed, BadSignature.
        """
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            await use_nonce(tx, terminal.header, now)
            row = await store.lock_signing_row(tx, terminal.id)
            if row is None:
                raise BadSignature
            keys = self.keyring.opened(terminal.id, row)
            if signed_with not in keys.good(now):
                raise BadSignature
            terminal_key = keys.current
            if signed_with == keys.current:
                terminal_key = secrets.token_urlsafe(KEY_BYTES)
                await store.rotate_key(
                    tx,
                    terminal.id,
                    key_sealed=self.keyring.sealed(terminal.id, terminal_key),
                    previous_key_sealed=row.key_sealed,
                    previous_good_until=now + KEY_OVERLAP,
                )
            skew = round(terminal.header.timestamp - now.timestamp())
            await store.mark_checked_in(tx, terminal.id, now, skew_seconds=skew, version=version)
        return terminal_key, now

    async def of_institution(self, staff: Staff, institution_id: str) -> list[store.Terminal]:
        """An institution's terminals, for the bureau and for the institution itself.

        Raises:
            Forbidden, NotFound.
        """
        if not staff.has(*READERS) and staff.institution_id != institution_id:
            raise Forbidden
        async with self.kit.database.snapshot() as tx:
            if not await store.institution_exists(tx, institution_id):
                raise NotFound
            return await store.terminals(tx, institution_id)

    async def pause(self, staff: Staff, terminal_id: str, reason: str, key: RequestKey | None) -> Answer:
        """Raises NotFound, TerminalNotActive, RequestNoReused."""
        return await self._set_status(staff, terminal_id, "paused", reason, key)

    async def resume(self, staff: Staff, terminal_id: str, reason: str, key: RequestKey | None) -> Answer:
        """Raises NotFound, TerminalNotActive, RequestNoReused."""
        return await self._set_status(staff, terminal_id, "active", reason, key)

    async def revoke(self, staff: Staff, terminal_id: str, reason: str, key: RequestKey | None) -> Answer:
        """For good: its keys are forgotten. Raises NotFound, TerminalNotActive, RequestNoReused."""
        return await self._set_status(staff, terminal_id, "revoked", reason, key)

    async def _set_status(
        self, staff: Staff, terminal_id: str, status: TerminalStatus, reason: str, key: RequestKey | None
    ) -> Answer:
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            return await self.apply_status(tx, staff, terminal_id, status, reason, now=now)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def apply_status(
        self, tx: Tx, staff: Staff, terminal_id: str, status: TerminalStatus, reason: str, *, now: datetime
    ) -> dict[str, Any]:
        """The same in the caller's transaction. Raises NotFound, TerminalNotActive."""
        expected: tuple[TerminalStatus, ...] = (
            ("pending", "active", "paused") if status == "revoked" else ("active", "paused")
        )
        before = await store.change_status(tx, terminal_id, expected=expected, status=status)
        if before is None:
            if await store.terminal(tx, terminal_id) is None:
                raise NotFound
            raise TerminalNotActive
        entry = AuditEntry(
            staff.actor,
            f"terminal.{status}",
            f"terminal:{terminal_id}",
            before={"status": before},
            after={"status": status, "reason": reason},
        )
        await record(tx, entry, at=now)
        return {"terminal_id": terminal_id, "status": status}

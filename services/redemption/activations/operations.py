"""How a device becomes a terminal: by a code that staff make, that works once, and that can be made again."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.redemption.activations import store
from services.redemption.activations.errors import ActivationCodeUnknown, ResumeBeforeReissue
from services.redemption.activations.rules import (
    ACTIVATION_LIFE,
    ACTIVATION_SYMBOLS,
    read_activation_code,
    shown_activation_code,
)
from services.redemption.terminals.errors import TerminalNotActive
from services.redemption.terminals.operations import KEY_BYTES, Keyring
from services.redemption.terminals.store import institution_stays
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.errors import NotFound, invariant
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import BUCKETS, new_id, random_symbols, short_id
from shared.kit import Kit

_DOMAIN = "terminal-activation"


@dataclass(frozen=True, slots=True)
class ActivatedTerminal:
    terminal_id: str
    terminal_key: str
    institution_id: str


@dataclass(frozen=True, slots=True)
class _Code:
    """A fresh code: what is kept of it, and what staff are told this once."""

    hashed: bytes
    symbols: str
    expires_at: datetime

    def told(self, terminal_id: str) -> dict[str, Any]:
        return {
            "terminal_id": terminal_id,
            "activation_code": shown_activation_code(self.symbols),
            "expires_at": rfc3339(self.expires_at),
        }


@dataclass(frozen=True, slots=True)
class Activations:
    kit: Kit
    keyring: Keyring

    async def make(self, staff: Staff, institution_id: str, label: str, key: RequestKey | None) -> Answer:
        """A pending terminal and its activation code, which is told this once.

        Raises:
            NotFound: no such institution.
            RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            if not await institution_stays(tx, institution_id):
                raise NotFound
            terminal_id, caller_id, code = short_id("trm_"), new_id(), self._code(now)
            await store.insert_terminal(
                tx,
                {
                    "id": terminal_id,
                    "bucket": caller_id.int % BUCKETS,
                    "caller_id": caller_id,
                    "institution_id": institution_id,
                    "label": label,
                    "activation_hash": code.hashed,
                    "activation_expires_at": code.expires_at,
                    "created_by": staff.id,
                    "created_at": now,
                },
            )
            after = {"institution_id": institution_id, "label": label, "status": "pending"}
            entry = AuditEntry(staff.actor, "terminal.make", f"terminal:{terminal_id}", after=after)
            await record(tx, entry, at=now)
            return code.told(terminal_id)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def reissue(self, staff: Staff, terminal_id: str, reason: str, key: RequestKey | None) -> Answer:
        """A new code for a terminal; the code before it, or the key of a device that broke, dies at once.

        Its write-offs and its request numbers stay its own.

        Raises:
            NotFound, RequestNoReused.
            ResumeBeforeReissue: it is paused.
            TerminalNotActive: it was revoked.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            status = await store.status_of(tx, terminal_id)
            if status is None:
                raise NotFound
            if status == "paused":
                raise ResumeBeforeReissue
            if status == "revoked":
                raise TerminalNotActive
            code = self._code(now)
            await store.await_activation(
                tx, terminal_id, activation_hash=code.hashed, expires_at=code.expires_at
            )
            entry = AuditEntry(
                staff.actor,
                "terminal.reissue",
                f"terminal:{terminal_id}",
                before={"status": status},
                after={"status": "pending", "reason": reason},
            )
            await record(tx, entry, at=now)
            return code.told(terminal_id)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def activate(self, activation_code: str, device_id: str) -> ActivatedTerminal:
        """Uses the code up and gives the terminal its key.

        Raises:
            ActivationCodeUnknown: also for a code that was used or has expired.
        """
        now = self.kit.clock.now()
        symbols = read_activation_code(activation_code)
        if symbols is None:
            raise ActivationCodeUnknown
        activation_hash = self.kit.keys.index.digest(_DOMAIN, symbols)
        terminal_key = secrets.token_urlsafe(KEY_BYTES)
        async with self.kit.database.transaction() as tx:
            terminal_id = await store.pending_terminal(tx, activation_hash, now)
            if terminal_id is None:
                raise ActivationCodeUnknown
            sealed = self.keyring.sealed(terminal_id, terminal_key)
            institution_id = await store.activate(
                tx, terminal_id, key_sealed=sealed, device_id=device_id, now=now
            )
            invariant(institution_id, "a locked pending terminal cannot be activated")
            entry = AuditEntry(
                f"terminal:{terminal_id}",
                "terminal.activate",
                f"terminal:{terminal_id}",
                before={"status": "pending"},
                after={"status": "active", "device_id": device_id},
            )
            await record(tx, entry, at=now)
        return ActivatedTerminal(terminal_id, terminal_key, str(institution_id))

    def _code(self, now: datetime) -> _Code:
        symbols = random_symbols(ACTIVATION_SYMBOLS)
        return _Code(self.kit.keys.index.digest(_DOMAIN, symbols), symbols, now + ACTIVATION_LIFE)

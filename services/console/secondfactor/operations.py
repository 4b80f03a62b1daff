"""The second factor of staff: enrolled by oneself, asked for at the sign-in, reset by an administrator."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from services.console.secondfactor import store
from services.console.secondfactor.errors import (
    EnrolmentNotBegun,
    SecondFactorEnabled,
    SecondFactorNotEnabled,
    SecondFactorWrong,
)
from services.console.secondfactor.rules import (
    RECOVERY_CODE_BYTES,
    RECOVERY_CODES,
    SECRET_BYTES,
    Factor,
    enrolment_address,
    is_recovery_code,
    recovery_code,
    shown_secret,
    step_accepted,
    typed,
)
from services.console.staff.store import lock_with_admins
from shared.audit import AuditEntry, record
from shared.clock import OffsetClock, machine_now, rfc3339
from shared.db import Tx
from shared.errors import NotFound, Unauthenticated
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit

_RECOVERY_DOMAIN = "recovery-code"


@dataclass(frozen=True, slots=True)
class Standing:
    """`confirmed_at` is None while the second factor is off."""

    confirmed_at: datetime | None
    recovery_codes_left: int


@dataclass(frozen=True, slots=True)
class SecondFactors:
    kit: Kit

    async def standing(self, staff: Staff) -> Standing:
        async with self.kit.database.snapshot() as tx:
            found = await store.factor(tx, staff.id)
            left = await store.recovery_codes_left(tx, staff.id)
        return Standing(found.confirmed_at if found else None, left)

    async def pending(self, staff: Staff) -> tuple[str, str] | None:
        """Secret and address of an enrolment that waits for its first code."""
        async with self.kit.database.snapshot() as tx:
            found = await store.factor(tx, staff.id)
        if found is None or found.confirmed_at is not None:
            return None
        secret = self._opened(staff.id, found).secret
        return shown_secret(secret), enrolment_address(staff.username, secret)

    async def enrol(self, staff: Staff, key: RequestKey | None) -> Answer:
        """A new secret to enrol. Raises SecondFactorEnabled, RequestNoReused."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            act = partial(self._begin, tx, staff, now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _begin(self, tx: Tx, staff: Staff, now: datetime) -> dict[str, Any]:
        secret = secrets.token_bytes(SECRET_BYTES)
        if not await store.begin(tx, staff.id, self._sealed(staff.id, secret), now):
            raise SecondFactorEnabled
        return {"secret": shown_secret(secret), "address": enrolment_address(staff.username, secret)}

    async def confirm(self, staff: Staff, code: str, key: RequestKey | None) -> Answer:
        """Turns it on; answers the recovery codes, this once.

        Raises:
            EnrolmentNotBegun, SecondFactorEnabled, SecondFactorWrong, RequestNoReused.
        """
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            act = partial(self._confirm, tx, staff, code, now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _confirm(self, tx: Tx, staff: Staff, code: str, now: datetime) -> dict[str, Any]:
        found = await store.lock_factor(tx, staff.id)
        if found is None:
            raise EnrolmentNotBegun
        if found.confirmed_at is not None:
            raise SecondFactorEnabled
        step = step_accepted(self._opened(staff.id, found), typed(code), self._phones_now())
        if step is None:
            raise SecondFactorWrong
        codes = [recovery_code(secrets.token_bytes(RECOVERY_CODE_BYTES)) for _ in range(RECOVERY_CODES)]
        await store.confirm(tx, staff.id, step, now)
        hashes = [self._recovery_hash(staff.id, typed(code)) for code in codes]
        await store.keep_recovery_codes(tx, staff.id, hashes)
        await record(tx, AuditEntry(staff.actor, "second_factor.enable", staff.actor), at=now)
        return {"enabled_at": rfc3339(now), "recovery_codes": codes}

    async def asked_for(self, tx: Tx, staff_id: UUID) -> bool:
        """Whether a sign-in needs a code."""
        found = await store.factor(tx, staff_id)
        return found is not None and found.confirmed_at is not None

    async def accept(self, tx: Tx, staff_id: UUID, code: str, now: datetime) -> bool:
        """Spends the code; False for one that is wrong, late or spent. Call `asked_for` first.

        Locks the factor: of one code sent twice at once the second is refused, and wrong ones are counted
        one after the other.
        """
        found = await store.lock_factor(tx, staff_id)
        if found is None or found.confirmed_at is None:
            # Turned off meanwhile.
            return True
        given = typed(code)
        if is_recovery_code(given):
            return await store.use_recovery_code(tx, staff_id, self._recovery_hash(staff_id, given), now)
        step = step_accepted(self._opened(staff_id, found), given, self._phones_now())
        if step is not None:
            await store.spend_step(tx, staff_id, step)
        return step is not None

    async def turn_off(self, tx: Tx, staff: Staff) -> None:
        """Raises SecondFactorNotEnabled."""
        if not await store.remove(tx, staff.id):
            raise SecondFactorNotEnabled

    async def reset(self, by: Staff, staff_id: UUID, *, reason: str, key: RequestKey | None) -> Answer:
        """For somebody who lost the device. Raises NotFound, SecondFactorNotEnabled, RequestNoReused."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            act = partial(self._reset, tx, by, staff_id, reason, now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _reset(self, tx: Tx, by: Staff, staff_id: UUID, reason: str, now: datetime) -> dict[str, Any]:
        locked = await lock_with_admins(tx, staff_id)
        if by.id not in locked:
            raise Unauthenticated
        if staff_id not in locked:
            raise NotFound
        if not await store.remove(tx, staff_id):
            raise SecondFactorNotEnabled
        before, after = {"enabled": True}, {"enabled": False, "reason": reason}
        entry = AuditEntry(by.actor, "second_factor.reset", locked[staff_id].staff.actor, before, after)
        await record(tx, entry, at=now)
        return {"id": str(staff_id), "reset_at": rfc3339(now)}

    def _phones_now(self) -> datetime:
        """A demonstration's clock is moved; the phones that show the codes are not."""
        clock = self.kit.clock
        return machine_now() if isinstance(clock, OffsetClock) else clock.now()

    def _sealed(self, staff_id: UUID, secret: bytes) -> bytes:
        return self.kit.keys.sealer.seal(secret, context=_context(staff_id))

    def _opened(self, staff_id: UUID, found: store.StoredFactor) -> Factor:
        secret = self.kit.keys.sealer.open(found.secret_sealed, context=_context(staff_id))
        return Factor(secret, found.confirmed_at, found.last_step)

    def _recovery_hash(self, staff_id: UUID, code: str) -> bytes:
        return self.kit.keys.index.digest(_RECOVERY_DOMAIN, f"{staff_id}\n{code}")


def _context(staff_id: UUID) -> bytes:
    return f"staff_factor:{staff_id}".encode()

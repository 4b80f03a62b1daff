"""Keys of the card platform: made by an administrator, shown once, revoked at once."""

import secrets
from dataclasses import dataclass
from typing import Any

from services.quota.platformkeys import store
from services.quota.platformkeys.errors import AlreadyRevoked
from services.quota.platformkeys.schemas import PlatformKeys, PlatformKeyView
from services.quota.programmes.operations import require_programme
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import short_id
from shared.kit import Kit
from shared.signing.store import forget_nonces

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class PlatformKeyring:
    kit: Kit

    async def create(self, staff: Staff, slug: str, label: str, key: RequestKey | None) -> Answer:
        """Raises NotFound. Only a repetition of this very request shows the key again."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                key_id, secret = short_id("key_"), secrets.token_urlsafe(_KEY_BYTES)
                row = {
                    "key_id": key_id,
                    "programme_id": programme.id,
                    "label": label,
                    "key_sealed": self.kit.keys.sealer.seal_text(secret, context=_context(key_id)),
                    "created_by": staff.id,
                    "created_at": now,
                }
                await store.insert_key(tx, row)
                entry = AuditEntry(
                    staff.actor,
                    "platform_key.create",
                    f"platform_key:{key_id}",
                    after={"programme": slug, "label": label},
                )
                await record(tx, entry, at=now)
                return {"key_id": key_id, "key": secret}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def revoke(
        self, staff: Staff, slug: str, key_id: str, reason: str, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, AlreadyRevoked."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                if not await store.revoke_key(tx, programme.id, key_id, by=staff.id, now=now):
                    known = {entry.key_id for entry in await store.keys(tx, programme.id)}
                    raise AlreadyRevoked if key_id in known else NotFound
                entry = AuditEntry(
                    staff.actor,
                    "platform_key.revoke",
                    f"platform_key:{key_id}",
                    after={"programme": slug, "reason": reason},
                )
                await record(tx, entry, at=now)
                return {"key_id": key_id, "revoked_at": rfc3339(now)}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def listed(self, slug: str) -> PlatformKeys:
        """Newest first, never the keys themselves. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            found = await store.keys(tx, programme.id)
        return PlatformKeys(
            items=[
                PlatformKeyView(
                    key_id=entry.key_id,
                    label=entry.label,
                    created_at=rfc3339(entry.created_at),
                    revoked_at=rfc3339(entry.revoked_at) if entry.revoked_at else None,
                )
                for entry in found
            ]
        )

    async def keys_for(self, slug: str, key_id: str) -> tuple[str, ...]:
        """What this key id may sign with for this programme; nothing for an unknown or revoked one."""
        sealed = await store.key_of(self.kit.database, slug, key_id)
        if sealed is None:
            return ()
        return (self.kit.keys.sealer.open_text(sealed, context=_context(key_id)),)

    async def forget_nonces(self) -> None:
        """Deletes the nonces of signatures that are too old to be sent again."""
        async with self.kit.database.transaction(slow=True) as tx:
            await forget_nonces(tx, self.kit.clock.now())


def _context(key_id: str) -> str:
    return f"platform_key/{key_id}"

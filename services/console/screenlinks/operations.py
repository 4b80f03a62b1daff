"""Links of the big screen: made by staff, told once, good for days, revoked at once."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.console.screenlinks import store
from services.console.screenlinks.errors import ScreenLinkRevokedAlready, ScreenLinkUnknown
from services.console.screenlinks.rules import ScreenLink
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.kit import Kit

# Keeps the keyed hashes of these tokens apart from those of sessions.
_DOMAIN = "screen-link"
# 256 bits: a link cannot be guessed. The mark tells its token from that of a session.
_TOKEN_BYTES = 32
LINK_MARK = "scr_"


@dataclass(frozen=True, slots=True)
class ScreenLinks:
    kit: Kit

    async def make(
        self, staff: Staff, *, label: str, valid_days: int, key: RequestKey | None
    ) -> tuple[Answer, str | None]:
        """The answer, and the token, which nothing keeps: a repetition has none. Raises RequestNoReused."""
        now, token = self.kit.clock.now(), LINK_MARK + secrets.token_urlsafe(_TOKEN_BYTES)
        link = ScreenLink(new_id(), label, staff.username, now, now + timedelta(days=valid_days), None)

        async def act() -> dict[str, Any]:
            await store.insert_link(
                tx,
                {
                    "id": link.id,
                    "token_hash": self._hash(token),
                    "label": label,
                    "created_by": staff.id,
                    "created_at": now,
                    "expires_at": link.expires_at,
                },
            )
            told = {"label": label, "expires_at": rfc3339(link.expires_at)}
            entry = AuditEntry(staff.actor, "screen_link.make", f"screen_link:{link.id}", after=told)
            await record(tx, entry, at=now)
            return {"link_id": str(link.id), "expires_at": rfc3339(link.expires_at)}

        async with self.kit.database.transaction() as tx:
            answer = await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)
        return answer, None if answer.replayed else token

    async def revoke(self, staff: Staff, link_id: UUID, *, reason: str, key: RequestKey | None) -> Answer:
        """Raises NotFound, ScreenLinkRevokedAlready, RequestNoReused."""
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            label = await store.revoke(tx, link_id, by=staff.id, now=now)
            if label is None:
                raise ScreenLinkRevokedAlready if await store.exists(tx, link_id) else NotFound
            told = {"label": label, "reason": reason}
            entry = AuditEntry(staff.actor, "screen_link.revoke", f"screen_link:{link_id}", after=told)
            await record(tx, entry, at=now)
            return {"link_id": str(link_id), "revoked_at": rfc3339(now)}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def page(self, *, limit: int, after: tuple[datetime, UUID] | None) -> list[ScreenLink]:
        """Newest first, `limit` + 1 at the most so that the caller knows whether more follow."""
        async with self.kit.database.snapshot() as tx:
            return await store.page(tx, limit=limit + 1, after=after)

    async def of_token(self, token: str) -> ScreenLink:
        """The link as it is now; whether it is still good says `rules.require_valid`.

        Raises:
            ScreenLinkUnknown.
        """
        async with self.kit.database.snapshot() as tx:
            link = await store.by_token(tx, self._hash(token))
        if link is None:
            raise ScreenLinkUnknown
        return link

    def _hash(self, token: str) -> bytes:
        return self.kit.keys.index.digest(_DOMAIN, token)

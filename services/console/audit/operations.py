"""Reading the audit log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from shared.audit import store
from shared.audit.store import Filter, StoredEntry
from shared.identity.store import usernames
from shared.kit import Kit

_STAFF = "staff:"


@dataclass(frozen=True, slots=True)
class AuditPage:
    entries: Sequence[StoredEntry]
    usernames: Mapping[str, str]
    total: int


@dataclass(frozen=True, slots=True)
class AuditDesk:
    kit: Kit

    async def page(self, wanted: Filter, *, limit: int, before_seq: int | None) -> AuditPage:
        """Newest first, `limit` + 1 entries at the most; with the user names of the staff among them.

        `total` counts all that fit.
        """
        async with self.kit.database.snapshot() as tx:
            entries = await store.newest(tx, wanted, before_seq=before_seq, limit=limit + 1)
            actors = {stored.entry.actor for stored in entries if stored.entry.actor.startswith(_STAFF)}
            names = await usernames(tx, {UUID(actor.removeprefix(_STAFF)) for actor in actors})
            total = await store.count(tx, wanted)
        called = {f"{_STAFF}{staff_id}": name for staff_id, name in names.items()}
        return AuditPage(entries, called, total)

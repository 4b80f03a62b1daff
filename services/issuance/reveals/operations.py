"""Personal data in clear, for staff: by role, with a reason, and never without leaving a trace."""

from dataclasses import dataclass
from uuid import UUID

from services.issuance.reveals import store
from services.issuance.reveals.schemas import Reveal, Revealed, RevealEntry
from shared.audit import AuditEntry, record
from shared.audit import store as audit
from shared.audit.store import Filter, StoredEntry
from shared.clock import rfc3339
from shared.errors import NotFound
from shared.identity.persons import person_context
from shared.identity.staff import Staff
from shared.identity.store import usernames
from shared.ids import HotId
from shared.kit import Kit

ACTION = "person.reveal"
_PERSON = "person:"
_STAFF = "staff:"


@dataclass(frozen=True, slots=True)
class Reveals:
    kit: Kit

    async def reveal(self, staff: Staff, person: HotId, wanted: Reveal) -> Revealed:
        """The values, once the trace of it is durable. The trace names fields and reason, never a value.

        Raises:
            NotFound: there is no such person.
        """
        now, fields = self.kit.clock.now(), sorted(set(wanted.fields))
        async with self.kit.database.transaction() as tx:
            sealed = await store.sealed_fields(tx, person)
            if sealed is None:
                raise NotFound
            after = {"fields": fields, "reason": wanted.reason}
            await record(tx, AuditEntry(staff.actor, ACTION, f"{_PERSON}{person}", after=after), at=now)
        opener = self.kit.keys.sealer.open_text
        revealed = Revealed(person_id=str(person))
        if "name" in fields and sealed.name is not None:
            revealed.name = opener(sealed.name, context=person_context(person.uuid, "name"))
        if "id_number" in fields and sealed.id_number is not None:
            context = person_context(person.uuid, "id_number")
            revealed.id_number = opener(sealed.id_number, context=context)
        return revealed

    async def page(self, *, before_seq: int | None, limit: int) -> list[tuple[int, RevealEntry]]:
        """Who looked at whom, newest first, each with its place in the audit log."""
        async with self.kit.database.snapshot() as tx:
            found = await audit.newest(tx, Filter(action=ACTION), before_seq=before_seq, limit=limit)
            names = await usernames(tx, {_staff_id(entry) for entry in found})
        return [(entry.seq, _view(entry, names.get(_staff_id(entry)))) for entry in found]


def _staff_id(entry: StoredEntry) -> UUID:
    return UUID(entry.entry.actor.removeprefix(_STAFF))


def _view(stored: StoredEntry, username: str | None) -> RevealEntry:
    after = stored.entry.after or {}
    return RevealEntry(
        at=rfc3339(stored.at),
        staff_id=_staff_id(stored).hex,
        username=username,
        person_id=stored.entry.object.removeprefix(_PERSON),
        fields=after["fields"],
        reason=after["reason"],
    )

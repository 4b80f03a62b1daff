"""What failed too often, of every service: tried again, or put aside for a reason.

Trying again is safe whatever the kind does: its effect and the end of its row are one transaction, so what
moved money once does not move it twice.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.console.deadletters.errors import DeadLetterNeeded
from services.console.deadletters.rules import can_be_put_aside
from services.console.deadletters.schemas import DeadLetterPutAside, DeadLetterRetried
from shared.audit import AuditEntry, record
from shared.errors import NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import HotId
from shared.jobs.awaited.store import reopen
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.outbox.store import DeadRow, dead_count, dead_page, put_aside, revive


@dataclass(frozen=True, slots=True)
class Letters:
    kit: Kit

    async def page(
        self, kind: Kind | None, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[DeadRow], int]:
        """Newest first, one more than `limit` when there are more; and how many there are in all."""
        kinds = [kind] if kind else list(Kind)
        async with self.kit.database.snapshot() as tx:
            found = await dead_page(tx, kinds, after=after, limit=limit + 1)
            return found, await dead_count(tx, kinds)

    async def retry(self, staff: Staff, letter: HotId, key: RequestKey | None) -> Answer:
        """With all its attempts. Raises NotFound: it is no dead letter (any more)."""
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                revived = await revive(tx, list(Kind), letter.bucket, letter.uuid)
                if revived is None:
                    raise NotFound
                if "job_id" in revived.payload:
                    # Somebody waits for it and was told that it failed.
                    await reopen(tx, UUID(revived.payload["job_id"]))
                await record(tx, _told(staff, "dead_letter.retry", revived, {"state": "ready"}), at=now)
                return DeadLetterRetried(id=str(letter), status="queued").model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def put_aside(self, staff: Staff, letter: HotId, reason: str, key: RequestKey | None) -> Answer:
        """Never done; the audit log keeps what it was. Raises NotFound, DeadLetterNeeded."""
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                gone = await put_aside(tx, letter.bucket, letter.uuid)
                if gone is None:
                    raise NotFound
                if not can_be_put_aside(gone.kind):
                    raise DeadLetterNeeded
                after = {"state": "put_aside", "reason": reason}
                await record(tx, _told(staff, "dead_letter.put_aside", gone, after), at=now)
                return DeadLetterPutAside(id=str(letter), status="put_aside").model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)


def _told(staff: Staff, action: str, row: DeadRow, after: dict[str, Any]) -> AuditEntry:
    before = {"state": "dead", "kind": row.kind, "payload": row.payload, "error": row.error}
    return AuditEntry(staff.actor, action, f"outbox:{HotId(row.bucket, row.id)}", before, after)

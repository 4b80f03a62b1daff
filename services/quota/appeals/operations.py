"""A hospital appeals against where an event was counted, and the bureau answers in words."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.quota.appeals import store
from services.quota.appeals.errors import AppealAnswered, AppealOpen
from services.quota.appeals.rules import AppealStatus
from services.quota.appeals.schemas import AnswerBody, AppealView
from services.quota.appeals.store import Appeal
from services.quota.attribution.operations import Attribution
from services.quota.programmes.operations import own_hospital, require_programme
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.errors import Forbidden, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class Appeals:
    kit: Kit
    attribution: Attribution

    async def lodge(
        self, staff: Staff, slug: str, event_id: str, reason: str, key: RequestKey | None
    ) -> Answer:
        """A hospital appeals about an event that it may trace.

        Raises:
            NotFound, EventUnknown, Forbidden, AppealOpen.
        """
        now = self.kit.clock.now()
        hospital_id = own_hospital(staff)
        if hospital_id is None:
            raise Forbidden
        # Whoever may not trace an event cannot appeal about it.
        await self.attribution.trace(staff, slug, event_id)

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                appeal_id = new_id()
                row = {
                    "id": appeal_id,
                    "programme_id": programme.id,
                    "event_id": event_id,
                    "hospital_id": hospital_id,
                    "reason": reason,
                    "lodged_by": staff.id,
                    "lodged_at": now,
                }
                if not await store.lodge(tx, row):
                    raise AppealOpen
                after = {"event_id": event_id, "hospital_id": hospital_id, "reason": reason}
                entry = AuditEntry(staff.actor, "card_appeal.lodge", f"card_appeal:{appeal_id}", after=after)
                await record(tx, entry, at=now)
                lodged = await store.by_id(tx, programme.id, appeal_id)
                assert lodged is not None  # noqa: S101 - narrows the type; it was just written
                return appeal_view(lodged).model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def answer(
        self, staff: Staff, slug: str, appeal_id: UUID, body: AnswerBody, key: RequestKey | None
    ) -> Answer:
        """Raises NotFound, AppealAnswered."""
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                programme = await require_programme(tx, slug)
                answered = await store.answer(
                    tx, programme.id, appeal_id, status=body.status, words=body.answer, by=staff.id, now=now
                )
                appeal = await store.by_id(tx, programme.id, appeal_id)
                if appeal is None:
                    raise NotFound
                if not answered:
                    raise AppealAnswered
                after = {"status": body.status, "answer": body.answer}
                entry = AuditEntry(
                    staff.actor,
                    "card_appeal.answer",
                    f"card_appeal:{appeal_id}",
                    before={"status": "open"},
                    after=after,
                )
                await record(tx, entry, at=now)
                return appeal_view(appeal).model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def page(
        self,
        staff: Staff,
        slug: str,
        *,
        status: AppealStatus | None,
        limit: int,
        after: tuple[datetime, UUID] | None,
    ) -> tuple[list[Appeal], int]:
        """Newest first, one more than `limit` if there are more, and how many fit; a hospital sees its own.

        Raises NotFound.
        """
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            own = own_hospital(staff)
            found = await store.page(
                tx, programme.id, hospital_id=own, status=status, limit=limit + 1, after=after
            )
            return found, await store.count(tx, programme.id, hospital_id=own, status=status)


def appeal_view(appeal: Appeal) -> AppealView:
    return AppealView(
        id=str(appeal.id),
        event_id=appeal.event_id,
        hospital_id=appeal.hospital_id,
        hospital=appeal.hospital,
        reason=appeal.reason,
        status=appeal.status,
        lodged_at=rfc3339(appeal.lodged_at),
        answer=appeal.answer,
        answered_at=rfc3339(appeal.answered_at) if appeal.answered_at else None,
    )

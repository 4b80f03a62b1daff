"""Cases of stuffing: one person looks, and two take cards out of the effective figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from services.quota.programmes.operations import require_programme
from services.quota.stuffing import store
from services.quota.stuffing.errors import CaseDecided, CaseNotConfirmed
from services.quota.stuffing.rules import UNDECIDED, Decision
from services.quota.stuffing.store import Case, Filters, Item
from shared.approvals import Applier, Change, propose
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.errors import NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit

ChangeKind = Literal["stuffing_confirmation", "stuffing_withdrawal"]
CONFIRM: ChangeKind = "stuffing_confirmation"
WITHDRAW: ChangeKind = "stuffing_withdrawal"


@dataclass(frozen=True, slots=True)
class StuffingCases:
    kit: Kit
    service: str

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {CONFIRM: self._confirm, WITHDRAW: self._withdraw}

    async def page(
        self, slug: str, filters: Filters, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[Case], int]:
        """Newest first, one more than `limit` if there are more, and how many fit. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            found = await store.page(tx, programme.id, filters, limit=limit + 1, after=after)
            return found, await store.count(tx, programme.id, filters)

    async def one(
        self, slug: str, case_id: UUID, *, limit: int, after: tuple[datetime, str] | None
    ) -> tuple[Case, list[Item]]:
        """A case with its cards, one more than `limit` if there are more. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            case = await store.by_id(tx, programme.id, case_id)
            if case is None:
                raise NotFound
            return case, await store.items(tx, case_id, limit=limit + 1, after=after)

    async def decide(
        self,
        staff: Staff,
        slug: str,
        case_id: UUID,
        *,
        status: Decision,
        reason: str,
        key: RequestKey | None,
    ) -> Answer:
        """Watches on, or dismisses what nobody has decided. Raises NotFound, CaseDecided."""
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            case = await self._lock(tx, slug, case_id)
            if case.status not in UNDECIDED:
                raise CaseDecided
            await store.decide(tx, case.id, status, reason=reason, by=staff.id, now=now)
            entry = AuditEntry(
                staff.actor,
                "stuffing.decide",
                f"stuffing_case:{case.id}",
                before={"status": case.status},
                after={"status": status, "reason": reason},
            )
            await record(tx, entry, at=now)
            return {"id": str(case.id), "status": status}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def propose(
        self,
        staff: Staff,
        slug: str,
        case_id: UUID,
        *,
        kind: ChangeKind,
        reason: str,
        key: RequestKey | None,
    ) -> Answer:
        """Proposes to confirm a case, or to take its confirmation back.

        Raises:
            NotFound, CaseDecided, CaseNotConfirmed.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            case = await self._lock(tx, slug, case_id)
            if kind == CONFIRM and case.status not in UNDECIDED:
                raise CaseDecided
            if kind == WITHDRAW and case.status != "confirmed":
                raise CaseNotConfirmed
            return await propose(
                tx,
                staff,
                service=self.service,
                kind=kind,
                target=slug,
                body={
                    "case_id": str(case.id),
                    "kind": case.kind,
                    "hospital": case.hospital,
                    "day": case.day.isoformat(),
                    "cards": case.cards,
                    "reason": reason,
                },
                before={"status": case.status, "not_effective": case.void},
                reason=reason,
                now=now,
            )

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _confirm(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: it was decided meanwhile."""
        case = await self._lock(tx, change.target, UUID(change.body["case_id"]))
        if case.status not in UNDECIDED:
            raise NoLongerFits("该案件已有处理结论。")
        await self._end(tx, case, change, "confirmed")
        await store.void(tx, case, void=True, now=self.kit.clock.now())

    async def _withdraw(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: it was taken back meanwhile."""
        case = await self._lock(tx, change.target, UUID(change.body["case_id"]))
        if case.status != "confirmed":
            raise NoLongerFits("该案件已被撤回。")
        await self._end(tx, case, change, "dismissed")
        await store.void(tx, case, void=False, now=self.kit.clock.now())

    async def _end(
        self, tx: Tx, case: Case, change: Change, status: Literal["confirmed", "dismissed"]
    ) -> None:
        await store.decide(
            tx,
            case.id,
            status,
            reason=change.body["reason"],
            by=change.proposed_by,
            now=self.kit.clock.now(),
            change_id=change.id,
        )

    @staticmethod
    async def _lock(tx: Tx, slug: str, case_id: UUID) -> Case:
        """Raises NotFound."""
        programme = await require_programme(tx, slug)
        case = await store.lock(tx, programme.id, case_id)
        if case is None:
            raise NotFound
        return case

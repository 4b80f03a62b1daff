"""Cases: what stands out is looked at by a person, who says what is to be done."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.redemption.casefiles.rules import Action
from services.redemption.casefiles.store import actions, others_pause, write_action
from services.redemption.holds.operations import Holds
from services.redemption.institutions.operations import Directory
from services.redemption.institutions.store import find as find_institution
from services.redemption.risk import store
from services.redemption.risk.errors import CaseDecided, CaseOpen, NoHolds, NothingToHold
from services.redemption.risk.rules import Decision, Filters, Shown
from services.redemption.risk.store import Item
from services.redemption.terminals.operations import TerminalDesk
from services.redemption.terminals.store import terminal
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is to be done; `terminal_id` is for a case that names none."""

    decision: Decision
    note: str
    terminal_id: str | None = None


@dataclass(frozen=True, slots=True)
class Cases:
    kit: Kit
    holds: Holds
    terminals: TerminalDesk
    directory: Directory

    async def page(
        self, campaign_slug: str | None, filters: Filters, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[list[Shown], int]:
        """Newest first, one more than `limit` if there are more; and how many fit.

        Raises:
            NotFound: no such campaign.
        """
        async with self.kit.database.snapshot() as tx:
            if campaign_slug is not None:
                campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
                filters = replace(filters, campaign_id=campaign.id)
            found = await store.page(tx, filters, limit=limit + 1, after=after)
            return found, await store.count(tx, filters)

    async def one(
        self, case_id: UUID, *, limit: int, after: tuple[datetime, UUID] | None
    ) -> tuple[Shown, list[Item], list[Action]]:
        """A case with its write-offs, one more than `limit` if there are more, and what was done with it.

        Raises:
            NotFound.
        """
        async with self.kit.database.snapshot() as tx:
            case = await store.by_id(tx, case_id)
            if case is None:
                raise NotFound
            found = await store.items(tx, case_id, limit=limit + 1, after=after)
            return case, found, await actions(tx, case_id)

    async def decide(self, staff: Staff, case_id: UUID, verdict: Verdict, key: RequestKey | None) -> Answer:
        """Decides an open case and does what was decided, in one transaction.

        Locks: the request, the case, then what the effect locks (memberships before write-offs).

        Raises:
            NotFound, CaseDecided, NothingToHold, RequestNoReused.
            InvalidRequest: neither the case nor the verdict names a terminal to pause.
            TerminalNotActive: that terminal cannot be paused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            case = await store.lock(tx, case_id)
            if case is None:
                raise NotFound
            if case.status != "open":
                raise CaseDecided
            done = await self._carry_out(tx, staff, case, verdict, now)
            await store.decide(
                tx, case_id, decision=verdict.decision, note=verdict.note, by=staff.id, now=now
            )
            said = {"decision": verdict.decision, "note": verdict.note, **done}
            action = Action("decide", verdict.decision, verdict.note, done, staff.id, now)
            await write_action(tx, case_id, action)
            entry = AuditEntry(
                staff.actor, "risk.decide", f"case:{case_id}", before={"status": "open"}, after=said
            )
            await record(tx, entry, at=now)
            return {
                "id": str(case_id),
                "status": "decided",
                "decision": verdict.decision,
                "held": done["held"],
                "terminal_id": done["terminal_id"],
            }

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _carry_out(
        self, tx: Tx, staff: Staff, case: Shown, verdict: Verdict, now: datetime
    ) -> dict[str, Any]:
        """What was done; `was_paused` tells that somebody had paused it before, and not only cases."""
        held, terminal_id, was_paused = 0, None, False
        match verdict.decision:
            case "hold_settlement":
                held = await self._hold(tx, staff, case, verdict.note, now)
            case "pause_terminal":
                terminal_id, is_paused = await self._terminal(tx, case, verdict)
                was_paused = is_paused and await self._by_others(tx, case, "pause_terminal", terminal_id)
                await self.terminals.apply_status(tx, staff, terminal_id, "paused", verdict.note, now=now)
            case "pause_institution":
                found = await find_institution(tx, case.institution_id)
                is_paused = found is not None and found.status == "paused"
                was_paused = is_paused and await self._by_others(tx, case, "pause_institution", None)
                await self.directory.apply_status(
                    tx, staff, case.institution_id, "paused", reason=verdict.note, now=now
                )
            case "dismiss" | "watch":
                pass
        return {"held": held, "terminal_id": terminal_id, "was_paused": was_paused}

    async def _by_others(self, tx: Tx, case: Shown, decision: Decision, terminal_id: str | None) -> bool:
        """Whether it is not only cases that paused it."""
        before = await others_pause(tx, case.id, case.institution_id, decision, terminal_id)
        return before is None or before

    async def _hold(self, tx: Tx, staff: Staff, case: Shown, reason: str, now: datetime) -> int:
        evidence = await store.evidence(tx, case.id)
        holds = await self.holds.hold_all(
            tx, case.institution_id, evidence, reason=reason, actor=staff.actor, now=now
        )
        if not holds:
            raise NothingToHold
        await store.set_holds(tx, case.id, holds)
        return len(holds)

    async def _terminal(self, tx: Tx, case: Shown, verdict: Verdict) -> tuple[str, bool]:
        """Which to pause, and whether it is paused already."""
        terminal_id = verdict.terminal_id or case.terminal_id
        if terminal_id is None:
            fault = Fault("body.terminal_id", "案件涉及多台终端，请指定一台", "terminal_required")
            raise InvalidRequest(faults=(fault,))
        found = await terminal(tx, terminal_id)
        if found is None or found.institution_id != case.institution_id:
            raise NotFound
        return terminal_id, found.status == "paused"

    async def release(self, staff: Staff, case_id: UUID, reason: str, key: RequestKey | None) -> Answer:
        """Ends the holds that the case's decision placed: what was held is settled with the next period.

        Raises:
            NotFound, NoHolds, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            if await store.lock(tx, case_id) is None:
                raise NotFound
            hold_ids = await store.holds_of(tx, case_id)
            released = await self.holds.release_all(tx, hold_ids, actor=staff.actor, now=now)
            if not released:
                raise NoHolds
            await write_action(
                tx, case_id, Action("release", None, reason, {"released": released}, staff.id, now)
            )
            after = {"released": released, "reason": reason}
            entry = AuditEntry(staff.actor, "risk.release", f"case:{case_id}", after=after)
            await record(tx, entry, at=now)
            return {"id": str(case_id), "released": released}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def reopen(self, staff: Staff, case_id: UUID, reason: str, key: RequestKey | None) -> Answer:
        """Takes a decision back, with what it did: holds end, what it paused works again.

        What was paused before, or what another case wants paused, stays paused; so does a terminal that was
        revoked, or an institution that was closed, since.

        Locks: as for a decision.

        Raises:
            NotFound, CaseOpen, RequestNoReused.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            case = await store.lock(tx, case_id)
            if case is None:
                raise NotFound
            if case.status != "decided" or case.decision is None:
                raise CaseOpen
            hold_ids = await store.holds_of(tx, case_id)
            released = await self.holds.release_all(tx, hold_ids, actor=staff.actor, now=now)
            resumed = await self._resume(tx, staff, case, reason, now)
            await store.reopen(tx, case_id)
            done = {"released": released, "resumed": resumed}
            await write_action(tx, case_id, Action("reopen", None, reason, done, staff.id, now))
            entry = AuditEntry(
                staff.actor,
                "risk.reopen",
                f"case:{case_id}",
                before={"status": "decided", "decision": case.decision},
                after={"status": "open", "reason": reason, **done},
            )
            await record(tx, entry, at=now)
            return {"id": str(case_id), "status": "open", **done}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _resume(self, tx: Tx, staff: Staff, case: Shown, reason: str, now: datetime) -> bool:
        """Whether what the case's decision paused works again."""
        if case.decision not in ("pause_terminal", "pause_institution"):
            return False
        effect = [one.effect for one in await actions(tx, case.id) if one.action == "decide"][-1]
        terminal_id = None
        if case.decision == "pause_terminal":
            terminal_id = effect.get("terminal_id") or case.terminal_id
        others = await others_pause(tx, case.id, case.institution_id, case.decision, terminal_id)
        if effect.get("was_paused") or others is not None:
            return False
        if terminal_id is not None:
            found = await terminal(tx, terminal_id)
            if found is None or found.status != "paused":
                return False
            await self.terminals.apply_status(tx, staff, terminal_id, "active", reason, now=now)
            return True
        kept = await find_institution(tx, case.institution_id)
        if kept is None or kept.status != "paused":
            return False
        await self.directory.apply_status(tx, staff, case.institution_id, "active", reason=reason, now=now)
        return True

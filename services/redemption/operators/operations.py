"""Named operators of terminals: entered by the bureau or by the institution itself, ended, never reused."""

from dataclasses import dataclass
from typing import Any

from services.redemption.institutions.operations import see_own
from services.redemption.operators import store
from services.redemption.operators.errors import OperatorCodeTaken, OperatorEnded
from services.redemption.terminals.store import institution_exists, institution_stays
from shared.audit import AuditEntry, record
from shared.errors import Fault, Forbidden, InvalidRequest, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import WRITERS, Role, Staff
from shared.kit import Kit


def _may_write(staff: Staff, institution_id: str) -> None:
    """Raises Forbidden."""
    own = staff.has(Role.INSTITUTION) and staff.institution_id == institution_id
    if not staff.has(*WRITERS) and not own:
        raise Forbidden


@dataclass(frozen=True, slots=True)
class Operators:
    kit: Kit

    async def add(
        self,
        staff: Staff,
        institution_id: str,
        *,
        code: str,
        label: str,
        terminal_id: str | None,
        key: RequestKey | None,
    ) -> Answer:
        """From now on this terminal (or all of the institution's) knows its operators by code.

        Raises:
            Forbidden, NotFound, OperatorCodeTaken, RequestNoReused.
            InvalidRequest: the terminal is not the institution's.
        """
        _may_write(staff, institution_id)
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            if not await institution_stays(tx, institution_id):
                raise NotFound
            if terminal_id is not None and not await store.has_terminal(tx, institution_id, terminal_id):
                foreign = Fault("body.terminal_id", "is no terminal of this institution", "terminal_unknown")
                raise InvalidRequest(faults=(foreign,))
            values = {
                "institution_id": institution_id,
                "code": code,
                "label": label,
                "terminal_id": terminal_id,
                "created_by": staff.id,
                "created_at": now,
            }
            if not await store.insert_operator(tx, values):
                raise OperatorCodeTaken
            after = {"code": code, "terminal_id": terminal_id}
            added = AuditEntry(staff.actor, "operator.add", f"institution:{institution_id}", after=after)
            await record(tx, added, at=now)
            return {"code": code, "label": label, "terminal_id": terminal_id}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def end(self, staff: Staff, institution_id: str, code: str, key: RequestKey | None) -> Answer:
        """No terminal takes the code any more, within seconds.

        Raises:
            Forbidden, NotFound, OperatorEnded, RequestNoReused.
        """
        _may_write(staff, institution_id)
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            if not await store.end_operator(tx, institution_id, code, by=staff.id, at=now):
                if any(one.code == code for one in await store.operators(tx, institution_id)):
                    raise OperatorEnded
                raise NotFound
            ended = AuditEntry(
                staff.actor, "operator.end", f"institution:{institution_id}", after={"code": code}
            )
            await record(tx, ended, at=now)
            return {"code": code}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def of_institution(self, staff: Staff, institution_id: str) -> list[store.Operator]:
        """Raises Forbidden, NotFound."""
        see_own(staff, institution_id)
        async with self.kit.database.snapshot() as tx:
            if not await institution_exists(tx, institution_id):
                raise NotFound
            return await store.operators(tx, institution_id)

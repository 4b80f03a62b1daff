"""Named operators of terminals: entered by the bureau or by the institution itself, ended, never reused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from services.redemption.institutions.operations import see_own
from services.redemption.operators import store
from services.redemption.operators.errors import OperatorCodeTaken, OperatorEnded
from services.redemption.operators.rules import unattended
from services.redemption.terminals.operations import SignedTerminal
from services.redemption.terminals.store import institution_stays
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.errors import Fault, Forbidden, InvalidRequest, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import WRITERS, Role, Staff
from shared.kit import Kit
from shared.signing.store import use_nonce


@dataclass(frozen=True, slots=True)
class Roster:
    """Operators, and whether their institution writes nothing off without one of them."""

    required: bool
    operators: list[store.Operator]


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
        terminals: Sequence[str],
        key: RequestKey | None,
    ) -> Answer:
        """From now on these terminals (none named: all of the institution's) know the operator by code.

        Raises:
            Forbidden, NotFound, OperatorCodeTaken, RequestNoReused.
            InvalidRequest: a terminal is not the institution's.
        """
        _may_write(staff, institution_id)
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            if not await institution_stays(tx, institution_id):
                raise NotFound
            chosen = await _own_terminals(tx, institution_id, terminals)
            values = {
                "institution_id": institution_id,
                "code": code,
                "label": label,
                "terminals": chosen,
                "created_by": staff.id,
                "created_at": now,
            }
            if not await store.insert_operator(tx, values):
                raise OperatorCodeTaken
            after = {"code": code, "terminal_ids": chosen}
            added = AuditEntry(staff.actor, "operator.add", f"institution:{institution_id}", after=after)
            await record(tx, added, at=now)
            return _made(code, label, chosen)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def assign(
        self,
        staff: Staff,
        institution_id: str,
        code: str,
        *,
        terminals: Sequence[str],
        reason: str,
        key: RequestKey | None,
    ) -> Answer:
        """The operator works at these terminals from now on, and at no others; none named: at all of them.

        Raises:
            Forbidden, NotFound, OperatorEnded, RequestNoReused.
            InvalidRequest: a terminal is not the institution's.
        """
        _may_write(staff, institution_id)
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            before = await _locked(tx, institution_id, code)
            chosen = await _own_terminals(tx, institution_id, terminals)
            await store.set_terminals(tx, institution_id, code, chosen)
            entry = AuditEntry(
                staff.actor,
                "operator.assign",
                f"institution:{institution_id}",
                before={"code": code, "terminal_ids": before.terminals},
                after={"code": code, "terminal_ids": chosen, "reason": reason},
            )
            await record(tx, entry, at=now)
            return _made(code, before.label, chosen)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def rename(
        self,
        staff: Staff,
        institution_id: str,
        code: str,
        *,
        label: str,
        reason: str,
        key: RequestKey | None,
    ) -> Answer:
        """What the institution calls the operator from now on; the code stays.

        Raises:
            Forbidden, NotFound, OperatorEnded, RequestNoReused.
        """
        _may_write(staff, institution_id)
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            before = await _locked(tx, institution_id, code)
            await store.rename(tx, institution_id, code, label)
            entry = AuditEntry(
                staff.actor,
                "operator.rename",
                f"institution:{institution_id}",
                before={"code": code, "label": before.label},
                after={"code": code, "label": label, "reason": reason},
            )
            await record(tx, entry, at=now)
            return _made(code, label, before.terminals)

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def end(
        self, staff: Staff, institution_id: str, code: str, reason: str, key: RequestKey | None
    ) -> Answer:
        """No terminal takes the code any more; bites at once, everywhere.

        Raises:
            Forbidden, NotFound, OperatorEnded, RequestNoReused.
        """
        _may_write(staff, institution_id)
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            await _locked(tx, institution_id, code)
            await store.end_operator(tx, institution_id, code, reason=reason, by=staff.id, at=now)
            after = {"code": code, "reason": reason}
            ended = AuditEntry(staff.actor, "operator.end", f"institution:{institution_id}", after=after)
            await record(tx, ended, at=now)
            return {"code": code}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def require(
        self, staff: Staff, institution_id: str, *, required: bool, reason: str, key: RequestKey | None
    ) -> Answer:
        """Whether the institution's tills write off only with an operator of their list; bites at once.

        It moves neither money nor stock, and the institution may decide it by itself.

        Raises:
            Forbidden, NotFound, RequestNoReused.
        """
        _may_write(staff, institution_id)
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            before = await store.are_required(tx, institution_id, lock=True)
            if before is None:
                raise NotFound
            await store.require(tx, institution_id, required=required)
            working = [one.terminals for one in await store.operators(tx, institution_id) if not one.ended_at]
            without = unattended(await store.terminal_ids(tx, institution_id), working)
            entry = AuditEntry(
                staff.actor,
                "operator.require",
                f"institution:{institution_id}",
                before={"required": before},
                after={"required": required, "reason": reason},
            )
            await record(tx, entry, at=now)
            return {
                "institution_id": institution_id,
                "required": required,
                "terminals_without_operators": without,
            }

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def of_institution(self, staff: Staff, institution_id: str) -> Roster:
        """All of them, also those who were ended. Raises Forbidden, NotFound."""
        see_own(staff, institution_id)
        async with self.kit.database.snapshot() as tx:
            required = await store.are_required(tx, institution_id)
            if required is None:
                raise NotFound
            return Roster(required, await store.operators(tx, institution_id))

    async def of_terminal(self, staff: Staff, terminal_id: str) -> Roster:
        """Those who work there now, for the bureau and the institution itself. Raises Forbidden, NotFound."""
        async with self.kit.database.snapshot() as tx:
            institution_id = await store.institution_of(tx, terminal_id)
            if institution_id is None:
                raise NotFound
            see_own(staff, institution_id)
            return await _roster_at(tx, institution_id, terminal_id)

    async def for_cashier(self, terminal: SignedTerminal) -> Roster:
        """Those who work at the terminal that asks. Raises Replayed."""
        async with self.kit.database.transaction() as tx:
            await use_nonce(tx, terminal.header, self.kit.clock.now())
            return await _roster_at(tx, terminal.institution_id, terminal.id)


async def _roster_at(tx: Tx, institution_id: str, terminal_id: str) -> Roster:
    required = await store.are_required(tx, institution_id)
    return Roster(bool(required), await store.operators_at(tx, institution_id, terminal_id))


async def _locked(tx: Tx, institution_id: str, code: str) -> store.Operator:
    """An operator who still works there. Raises NotFound, OperatorEnded."""
    found = await store.lock_operator(tx, institution_id, code)
    if found is None:
        raise NotFound
    if found.ended_at is not None:
        raise OperatorEnded
    return found


async def _own_terminals(tx: Tx, institution_id: str, terminals: Sequence[str]) -> list[str]:
    """Each once, in the order in which they were named. Raises InvalidRequest."""
    if not terminals:
        return []
    own = frozenset(await store.terminal_ids(tx, institution_id))
    faults = tuple(
        Fault(
            f"body.terminal_ids.{place}", "is no terminal of this institution, or revoked", "terminal_unknown"
        )
        for place, terminal_id in enumerate(terminals)
        if terminal_id not in own
    )
    if faults:
        raise InvalidRequest(faults=faults)
    return list(dict.fromkeys(terminals))


def _made(code: str, label: str, terminals: Sequence[str]) -> dict[str, Any]:
    return {
        "code": code,
        "label": label,
        "terminal_ids": list(terminals),
        "terminal_id": only(terminals),
    }


def only(terminals: Sequence[str]) -> str | None:
    """The one terminal, where it is one."""
    return terminals[0] if len(terminals) == 1 else None

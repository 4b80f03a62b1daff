"""Payees' accounts: where an institution is paid. Proposed by one, approved by another, masked for all."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

from services.redemption.institutions.operations import see_own
from services.redemption.payees import store
from services.redemption.payees.errors import SamePayeeAccount
from services.redemption.payees.rules import Details, details_of, sealing_context
from services.redemption.payees.store import Account
from shared.approvals import Applier, Change, propose
from shared.audit import AuditEntry, record
from shared.crypto import Sealer
from shared.db import Tx
from shared.errors import NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, fingerprint, once, staff_caller
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.kit import Kit

SET_ACCOUNT = "institution.payee_account"
_DOMAIN = "payee_account"


@dataclass(frozen=True, slots=True)
class Payees:
    kit: Kit

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {SET_ACCOUNT: self._apply}

    async def propose(
        self, staff: Staff, institution_id: str, details: Details, reason: str, request_no: str | None
    ) -> Answer:
        """Proposes the account that an institution is paid to. The change shows it masked.

        Raises:
            NotFound: no such institution, or it is closed.
            SamePayeeAccount, RequestNoReused.
        """
        now, masked = self.kit.clock.now(), details.masked()

        async def act() -> dict[str, Any]:
            institution = await store.institution_name(tx, institution_id)
            if institution is None:
                raise NotFound
            before = (await store.in_force(tx, [institution_id])).get(institution_id)
            if before is not None and opened(self.kit.keys.sealer, before) == details:
                raise SamePayeeAccount
            account_id = new_id()
            values = {
                "id": account_id,
                "institution_id": institution_id,
                "details_sealed": self.kit.keys.sealer.seal_text(
                    details.sealed_form(), context=sealing_context(account_id)
                ),
                **{f"{name}_masked": text for name, text in asdict(masked).items()},
                "proposed_by": staff.id,
                "proposed_at": now,
            }
            await store.insert_proposed(tx, values)
            return await propose(
                tx,
                staff,
                service="redemption",
                kind=SET_ACCOUNT,
                target=f"institution:{institution_id}",
                body={
                    "institution_id": institution_id,
                    "institution": institution,
                    "account_id": str(account_id),
                    **asdict(masked),
                    "reason": reason,
                },
                before={} if before is None else shown(before),
                reason=reason,
                now=now,
            )

        key = self._key(staff, institution_id, details, reason, request_no)
        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    def _key(
        self, staff: Staff, institution_id: str, details: Details, reason: str, request_no: str | None
    ) -> RequestKey | None:
        """Told apart by a keyed hash: a plain one of an account number could be guessed."""
        if request_no is None:
            return None
        hashed = self.kit.keys.index.digest(_DOMAIN, details.sealed_form()).hex()
        told = fingerprint([institution_id, hashed, reason])
        return RequestKey(staff_caller(staff.id), SET_ACCOUNT, request_no, told)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Raises NoLongerFits: the institution was closed meanwhile. Locks the institution."""
        institution_id = change.body["institution_id"]
        await store.lock_institution(tx, institution_id, shared=False)
        if await store.institution_name(tx, institution_id) is None:
            raise NoLongerFits("该机构已关闭。")
        await store.approve(
            tx, UUID(change.body["account_id"]), change_id=change.id, now=self.kit.clock.now()
        )

    async def versions(self, staff: Staff, institution_id: str) -> list[Account]:
        """All that ever were in force, masked; for the bureau and for the institution itself.

        Raises:
            Forbidden, NotFound.
        """
        see_own(staff, institution_id)
        async with self.kit.database.snapshot() as tx:
            found = await store.versions(tx, institution_id)
            if not found and await store.institution_name(tx, institution_id) is None:
                raise NotFound
        return found

    async def reveal(self, staff: Staff, institution_id: str, account_id: UUID, reason: str) -> Details:
        """An account in full, for who has to compare it with a paper; that it was seen is written down.

        Raises:
            NotFound.
        """
        async with self.kit.database.transaction() as tx:
            sealed = await store.proposed(tx, institution_id, account_id)
            if sealed is None:
                raise NotFound
            entry = AuditEntry(
                staff.actor,
                "payee_account.reveal",
                f"institution:{institution_id}",
                after={"account_id": str(account_id), "reason": reason},
            )
            await record(tx, entry, at=self.kit.clock.now())
        return _open(self.kit.keys.sealer, account_id, sealed)


def opened(sealer: Sealer, account: Account) -> Details:
    """The account in clear, for the payment file."""
    return _open(sealer, account.id, account.sealed)


def shown(account: Account) -> dict[str, Any]:
    return {"id": str(account.id), "version": account.version, **asdict(account.masked)}


def _open(sealer: Sealer, account_id: UUID, sealed: bytes) -> Details:
    return details_of(sealer.open_text(sealed, context=sealing_context(account_id)))

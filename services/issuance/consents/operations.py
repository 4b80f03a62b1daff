"""What citizens agree to: the texts as staff publish them, and who agreed to which."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from services.issuance.accounts import store as accounts
from services.issuance.consents import store
from services.issuance.consents.errors import ConsentNotGiven, ConsentVersionTaken, ConsentVersionUnknown
from services.issuance.consents.rules import Kind
from services.issuance.consents.schemas import (
    ConsentView,
    GiveConsent,
    NewText,
    OwnConsents,
    TextHead,
    TextView,
    WithdrawConsent,
)
from services.issuance.consents.store import Text
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import Fault, NotFound, Unauthenticated
from shared.idempotency import Answer, RequestKey, fingerprint, once
from shared.identity.citizens import Citizen
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.kit import Kit


@dataclass(frozen=True, slots=True)
class Consents:
    kit: Kit

    async def publish(self, staff: Staff, body: NewText, key: RequestKey | None) -> Answer:
        """Publishes a text for good.

        Raises:
            ConsentVersionTaken: also for the same text again; a repetition carries its request number.
        """
        now = self.kit.clock.now()
        published = Text(body.kind, body.version, body.title, body.text, body.effective_from, now)

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                if not await store.publish(tx, published, staff.id):
                    raise ConsentVersionTaken
                head = _head(published).model_dump(mode="json")
                name = f"consent_text:{body.kind}/{body.version}"
                await record(tx, AuditEntry(staff.actor, "consent_text.publish", name, after=head), at=now)
                return head

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def texts(self, kind: Kind | None) -> list[TextHead]:
        async with self.kit.database.snapshot() as tx:
            return [_head(found) for found in await store.texts(tx, kind)]

    async def in_force(self, kind: Kind) -> TextView:
        """Raises NotFound while none is in effect."""
        async with self.kit.database.snapshot() as tx:
            return _view(await store.text_in_force(tx, kind, self.kit.clock.now()))

    async def text(self, kind: Kind, version: str) -> TextView:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            return _view(await store.text_of(tx, kind, version))

    async def give(self, citizen: Citizen, body: GiveConsent) -> Answer:
        """Agrees to a text. Raises ConsentVersionUnknown, RequestNoReused, Unauthenticated."""
        now = self.kit.clock.now()
        key = RequestKey(citizen.caller, "consent", body.request_no, fingerprint([body.kind, body.version]))
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                if await accounts.lock_account(tx, citizen.account_id) is None:
                    raise Unauthenticated
                await require_known_text(tx, body.kind, body.version, now, field="version")
                await accounts.record_consent(
                    tx, citizen.account_id, purpose=body.kind, version=body.version, how="explicit", now=now
                )
                return {"withdrawn": False}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def withdraw(self, citizen: Citizen, body: WithdrawConsent) -> Answer:
        """Takes consent back: nothing new from now on. What was lawful before stays so.

        Raises:
            ConsentNotGiven, RequestNoReused, Unauthenticated.
        """
        now = self.kit.clock.now()
        key = RequestKey(citizen.caller, "consent_withdrawal", body.request_no, fingerprint([]))
        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                if await accounts.lock_account(tx, citizen.account_id) is None:
                    raise Unauthenticated
                if not await store.withdraw(tx, new_id(), citizen.account_id, now):
                    raise ConsentNotGiven
                return {"withdrawn": True}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def mine(self, citizen: Citizen) -> OwnConsents:
        async with self.kit.database.snapshot() as tx:
            found = await store.consents(tx, citizen.account_id)
            withdrawn = await store.is_withdrawn(tx, citizen.account_id)
        items = [
            ConsentView.model_validate(
                {
                    "purpose": entry.purpose,
                    "version": entry.version,
                    "action": entry.action,
                    "how": entry.how,
                    "at": rfc3339(entry.at),
                }
            )
            for entry in found
        ]
        return OwnConsents(withdrawn=withdrawn, items=items)


async def require_known_text(
    tx: Tx, kind: Kind, version: str, now: datetime, *, field: str = "consent_version"
) -> None:
    """Raises ConsentVersionUnknown when texts are published and this version is none that is in effect."""
    if not await store.is_known(tx, kind, version, now):
        fault = Fault(f"body.{field}", f"没有版本为“{version}”的授权文本", ConsentVersionUnknown.code)
        raise ConsentVersionUnknown(faults=(fault,))


def _head(found: Text) -> TextHead:
    return TextHead(
        kind=found.kind,
        version=found.version,
        title=found.title,
        effective_from=rfc3339(found.effective_from),
        published_at=rfc3339(found.published_at),
    )


def _view(found: Text | None) -> TextView:
    if found is None:
        raise NotFound
    return TextView(**_head(found).model_dump(), text=found.text)

"""Results of directed services: taken from tills, carried to the health code, kept no longer than that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from services.redemption.serviceresults import store
from services.redemption.serviceresults.errors import (
    RedemptionReversed,
    ReportsNoResult,
    ResultAlreadyReported,
)
from services.redemption.serviceresults.schemas import Content
from services.redemption.terminals.operations import SignedTerminal
from shared.audit import AuditEntry, record
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import Fault, InvalidRequest, NotFound, Refusal
from shared.healthcode import HealthCode, ReportedResult
from shared.idempotency import Answer, RequestKey, fingerprint, once
from shared.identity.persons import person_context
from shared.identity.staff import Staff
from shared.ids import HotId, parse_hot_id
from shared.jobs.kinds import Kind, Queue
from shared.kit import Kit
from shared.outbox import OutboxItem, add, add_many
from shared.outbox.store import DeadRow, dead_page, revive
from shared.signing import SKEW
from shared.signing.store import use_nonce

# One pass of the job that takes up what waited: as many as are delivered within some minutes.
TAKEN_UP_MAX = 500

_FINGERPRINT_DOMAIN = "service-result"


def content_context(address: HotId) -> str:
    """What ties a sealed result to its write-off."""
    return f"service-result/{address}"


@dataclass(frozen=True, slots=True)
class ServiceResults:
    """`health_code` is None where no platform is set up: results then wait until one is."""

    kit: Kit
    health_code: HealthCode | None

    async def report(
        self, terminal: SignedTerminal, address: HotId, request_no: str, content: Content
    ) -> Answer:
        """Takes the result of a service that was written off, once for each write-off.

        Raises:
            InvalidRequest: performed in the future.
            NotFound: no such write-off of this institution.
            ReportsNoResult, RedemptionReversed, ResultAlreadyReported, Replayed, RequestNoReused.
        """
        now = self.kit.clock.now()
        if content.performed_at > now + SKEW:
            raise InvalidRequest(
                faults=(Fault("body.performed_at", "lies in the future", "performed_at_in_future"),)
            )
        clear = msgspec.json.encode(content)
        # Keyed: what somebody's result was must not be found out by hashing guesses.
        digest = self.kit.keys.index.digest(_FINGERPRINT_DOMAIN, f"{address}\n{clear.decode()}")
        key = RequestKey(terminal.caller, "service-result", request_no, fingerprint(digest.hex()))

        async def act() -> dict[str, Any]:
            campaign_id = await store.take(tx, address, terminal.institution_id, now)
            if campaign_id is None:
                raise await self._why_not(tx, terminal, address)
            status = "waiting" if self.health_code is None else "due"
            await store.insert_result(
                tx,
                {
                    "bucket": address.bucket,
                    "redemption_id": address.uuid,
                    "campaign_id": campaign_id,
                    "institution_id": terminal.institution_id,
                    "terminal_id": terminal.id,
                    "content_sealed": self.kit.keys.sealer.seal(
                        clear, context=content_context(address).encode()
                    ),
                    "status": status,
                    "reported_at": now,
                },
            )
            if status == "due":
                payload = {"redemption_id": str(address)}
                await add(tx, Queue.REDEMPTION, Kind.SERVICE_RESULT_DUE, payload, bucket=address.bucket)
            return {"redemption_id": str(address), "status": status}

        async with self.kit.database.transaction() as tx:
            await use_nonce(tx, terminal.header, now)
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _why_not(self, tx: Tx, terminal: SignedTerminal, address: HotId) -> Refusal:
        found = await store.standing(tx, address, terminal.institution_id)
        if found is None:
            return NotFound()
        if not found.reports:
            return ReportsNoResult()
        return ResultAlreadyReported() if found.reported else RedemptionReversed()

    async def status_of(self, terminal: SignedTerminal, address: HotId) -> store.Item:
        """How far a result has come.

        Raises:
            Replayed.
            NotFound: none was reported for that write-off of this institution.
        """
        async with self.kit.database.transaction() as tx:
            await use_nonce(tx, terminal.header, self.kit.clock.now())
            found = await store.one(tx, address, terminal.institution_id)
        if found is None:
            raise NotFound
        return found

    async def deliver(self, item: OutboxItem) -> None:
        """Carries one result; safe to run twice, because the platform knows it by its id.

        Raises:
            HealthCodeFailed: it is tried again later.
        """
        address = parse_hot_id(str(item.payload["redemption_id"]))
        if self.health_code is None:
            async with self.kit.database.transaction() as tx:
                await store.put_back(tx, address)
            return
        async with self.kit.database.transaction() as tx:
            begun = await store.begin(tx, address)
        if begun is None:
            return
        told = self._told(address, begun)
        if told is not None:
            await self.health_code.report(told)
        async with self.kit.database.transaction() as tx:
            status = "undeliverable" if told is None else "delivered"
            await store.end(tx, address, status, self.kit.clock.now())

    def _told(self, address: HotId, begun: store.Begun) -> ReportedResult | None:
        """None when the holder was forgotten: there is nobody to report about."""
        if begun.name_sealed is None or begun.id_number_sealed is None:
            return None
        sealer = self.kit.keys.sealer
        clear = sealer.open(begun.content_sealed, context=content_context(address).encode())
        content = msgspec.json.decode(clear, type=Content)
        person = begun.person_id
        return ReportedResult(
            id=str(address),
            kind=content.kind,
            report_no=content.report_no,
            result=content.result,
            performed_at=rfc3339(content.performed_at),
            holder_name=sealer.open_text(begun.name_sealed, context=person_context(person, "name")),
            holder_id_number=sealer.open_text(
                begun.id_number_sealed, context=person_context(person, "id_number")
            ),
            institution=begun.institution,
        )

    async def take_up(self) -> None:
        """Gives what waits its job, once a platform is set up. Safe to run twice."""
        async with self.kit.database.transaction(slow=True) as tx:
            await store.give_up_forgotten(tx)
            if self.health_code is None:
                return
            taken = await store.take_up(tx, TAKEN_UP_MAX)
            rows = [(address.bucket, {"redemption_id": str(address)}) for address in taken]
            await add_many(tx, Queue.REDEMPTION, Kind.SERVICE_RESULT_DUE, rows)

    async def page(
        self, statuses: Sequence[str], *, limit: int, after: tuple[datetime, UUID] | None
    ) -> list[store.Item]:
        """The newest first; one more than `limit` if there are more."""
        async with self.kit.database.snapshot() as tx:
            return await store.page(tx, statuses, after=after, limit=limit + 1)

    async def dead(self, *, limit: int, after: tuple[datetime, UUID] | None) -> list[DeadRow]:
        """Deliveries that failed too often, the newest first; one more than `limit` if there are more."""
        async with self.kit.database.snapshot() as tx:
            return await dead_page(tx, [Kind.SERVICE_RESULT_DUE], after=after, limit=limit + 1)

    async def retry(self, staff: Staff, dead: HotId, key: RequestKey | None) -> Answer:
        """Has a delivery tried again, with all its attempts. Raises NotFound, RequestNoReused."""
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            revived = await revive(tx, [Kind.SERVICE_RESULT_DUE], dead.bucket, dead.uuid)
            if revived is None:
                raise NotFound
            entry = AuditEntry(
                staff.actor,
                "service_result.retry",
                f"outbox:{dead}",
                before={"state": "dead", "error": revived.error},
                after={"state": "ready"},
            )
            await record(tx, entry, at=now)
            return {"id": str(dead), "status": "queued"}

        async with self.kit.database.transaction() as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

"""Card events: counted exactly once each, whether the platform sends them or a clerk brings a file."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.quota.cards import store
from services.quota.cards.rules import (
    EVENT_COLUMNS,
    EVENTS_MAX,
    FILE_EVENTS_MAX,
    Event,
    EventFile,
    batch_faults,
    read_events,
)
from services.quota.cards.schemas import EventImportReport
from services.quota.cards.store import Batch
from services.quota.programmes.operations import require_programme
from services.quota.programmes.store import remember_file, was_imported
from services.quota.qrcodes.rules import read_scene
from shared.audit import AuditEntry, record
from shared.crypto import KeyedHash, bucket_of
from shared.db import retried
from shared.documents.sheets import find_table, read_rows
from shared.errors import Fault, InvalidRequest
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.signing import SignatureHeader
from shared.signing.store import use_nonce

_EVENT_DOMAIN = "card-event"
_HOLDER_DOMAIN = "card-holder"
_DEVICE_DOMAIN = "card-device"
_DEVICE_HASH_BYTES = 8
_HOLDER_HASH_BYTES = 16
_EVENTS_FILE = "card_events"


@dataclass(frozen=True, slots=True)
class CardEvents:
    kit: Kit

    @retried
    async def count(self, slug: str, header: SignatureHeader, events: Sequence[Event]) -> list[str]:
        """Counts a signed batch and uses its nonce up; one outcome for each event, in order.

        Raises:
            NotFound, Replayed, InvalidRequest: names every event that cannot be right; none was counted.
        """
        now = self.kit.clock.now()
        faults = tuple(batch_faults(events, now))
        if faults:
            raise InvalidRequest(faults=faults)
        batch = self.columns(events)
        async with self.kit.database.transaction() as tx:
            programme = await require_programme(tx, slug)
            await use_nonce(tx, header, now)
            return await store.count_events(
                tx, programme.id, batch, source=f"platform:{header.key_id}", now=now
            )

    async def import_file(self, staff: Staff, slug: str, content: bytes) -> EventImportReport:
        """Counts the good rows of a file, a batch at a time; sent again, what was counted is a duplicate.

        Raises:
            NotFound, InvalidRequest: the file cannot be read, has not the columns, or is too long.
        """
        now = self.kit.clock.now()
        digest = hashlib.sha256(content).digest()
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            already = await was_imported(tx, programme.id, _EVENTS_FILE, digest)
        read = await asyncio.to_thread(_read, content, programme.timezone, now)
        outcomes: Counter[str] = Counter()
        for start in range(0, len(read.events), EVENTS_MAX):
            part = read.events[start : start + EVENTS_MAX]
            outcomes.update(await self._count_part(slug, part, source=f"file:{digest.hex()[:16]}"))
        duplicates = outcomes.pop("duplicate_event", 0)
        report = EventImportReport.model_validate(
            {
                "rows": read.rows,
                "accepted": len(read.events) - duplicates,
                "rejected": read.rejected,
                "duplicates": duplicates,
                "errors": read.faults,
                "already_imported": already,
                "outcomes": dict(outcomes),
            }
        )
        await self._remember(staff, slug, digest, report)
        return report

    @retried
    async def _count_part(self, slug: str, events: Sequence[Event], *, source: str) -> list[str]:
        now = self.kit.clock.now()
        async with self.kit.database.transaction(slow=True) as tx:
            programme = await require_programme(tx, slug)
            return await store.count_events(tx, programme.id, self.columns(events), source=source, now=now)

    async def _remember(self, staff: Staff, slug: str, digest: bytes, report: EventImportReport) -> None:
        now = self.kit.clock.now()
        async with self.kit.database.transaction() as tx:
            programme = await require_programme(tx, slug)
            await remember_file(tx, programme.id, _EVENTS_FILE, digest, staff_id=staff.id, now=now)
            entry = AuditEntry(
                staff.actor,
                "card_events.import",
                f"programme:{slug}",
                after={"file_sha256": digest.hex(), **report.model_dump(exclude={"errors"})},
            )
            await record(tx, entry, at=now)

    def columns(self, events: Sequence[Event]) -> Batch:
        """The events as the counting function takes them: holders as keyed hashes, scenes understood."""
        index = self.kit.keys.index
        holders = [index.digest(_HOLDER_DOMAIN, event.holder_ref) for event in events]
        return Batch(
            event_buckets=[event_bucket(index, event.event_id) for event in events],
            event_ids=[event.event_id for event in events],
            buckets=[bucket_of(holder) for holder in holders],
            holders=[holder[:_HOLDER_HASH_BYTES] for holder in holders],
            kinds=[event.kind for event in events],
            scenes=[event.scene for event in events],
            codes=[read_scene(event.scene) for event in events],
            ats=[event.at for event in events],
            devices=[_device_hash(index, event.device_ref) for event in events],
        )


def event_bucket(index: KeyedHash, event_id: str) -> int:
    """Where the key of an event lives: by its own id, since the id may come back under another holder."""
    return bucket_of(index.digest(_EVENT_DOMAIN, event_id))


def _device_hash(index: KeyedHash, device_ref: str | None) -> int | None:
    """Tells devices apart; 64 bits, as wide as the column."""
    if device_ref is None:
        return None
    digest = index.digest(_DEVICE_DOMAIN, device_ref)
    return int.from_bytes(digest[:_DEVICE_HASH_BYTES], "big", signed=True)


def _read(content: bytes, timezone: str, now: datetime) -> EventFile:
    table = find_table(read_rows(content), EVENT_COLUMNS)
    if len(table.rows) > FILE_EVENTS_MAX:
        message = f"文件超过 {FILE_EVENTS_MAX} 行，请拆分后上传"
        raise InvalidRequest(faults=(Fault("file", message, "too_many_rows"),))
    return read_events(table, timezone=timezone, now=now)

"""Card events: counted exactly once each, whether the platform sends them or a clerk brings a file."""

import asyncio
import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.quota.cards import store
from services.quota.cards.rules import (
    EVENT_COLUMNS,
    EVENT_EXAMPLES,
    EVENT_NOTES,
    EVENTS_AT_ONCE,
    EVENTS_MAX,
    Event,
    EventFile,
    SentEvent,
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
from shared.documents.templates import workbook_template
from shared.errors import InvalidRequest, invariant
from shared.identity.staff import Staff
from shared.ids import new_id
from shared.jobs.awaited import AwaitedJobs, Progress
from shared.jobs.awaited.store import AwaitedJob, ended_addresses
from shared.jobs.kinds import Kind as JobKind
from shared.kit import Kit
from shared.objects import ObjectStore
from shared.signing import Replayed, SignatureHeader

_EVENT_DOMAIN = "card-event"
_HOLDER_DOMAIN = "card-holder"
_DEVICE_DOMAIN = "card-device"
_DEVICE_HASH_BYTES = 8
_HOLDER_HASH_BYTES = 16
_EVENTS_FILE = "card_events"
# Every few minutes the files of jobs that ended are forgotten; a worker is not away for longer than this.
_UPLOADS_FORGOTTEN_WITHIN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _Upload:
    """A file, and who brought it."""

    slug: str
    digest: bytes
    staff_id: UUID
    actor: str


@dataclass(frozen=True, slots=True)
class CardEvents:
    kit: Kit
    objects: ObjectStore
    jobs: AwaitedJobs

    @retried
    async def count(self, slug: str, header: SignatureHeader, events: Sequence[SentEvent]) -> list[str]:
        """Counts a signed batch and uses its nonce up; one outcome for each event, in order.

        Raises:
            Replayed, InvalidRequest: names every event that cannot be right; none was counted.
        """
        now = self.kit.clock.now()
        faults = tuple(batch_faults(events, now))
        if faults:
            raise InvalidRequest(faults=faults)
        outcomes = await store.count_signed(
            self.kit.database,
            slug,
            header,
            self.columns(events),
            source=f"platform:{header.key_id}",
            now=now,
        )
        if outcomes is None:
            raise Replayed
        return outcomes

    async def import_file(
        self, staff: Staff, slug: str, content: bytes
    ) -> EventImportReport | dict[str, str]:
        """Counts the good rows of a file, a batch at a time; sent again, what was counted is a duplicate.

        Returns the report; for a long file the job that will have it (`job_id`).

        Raises:
            NotFound, InvalidRequest: the file cannot be read, has not the columns, or is too long.
        """
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
        now = self.kit.clock.now()
        read = await asyncio.to_thread(_read, content, programme.timezone, now)
        if len(read.events) > EVENTS_AT_ONCE:
            return await self._leave_to_a_job(staff, slug, content)
        digest = hashlib.sha256(content).digest()
        outcomes: Counter[str] = Counter()
        for start in range(0, len(read.events), EVENTS_MAX):
            part = read.events[start : start + EVENTS_MAX]
            outcomes.update(await self._count_part(slug, part, source=_source(digest)))
        return await self._remember(_Upload(slug, digest, staff.id, staff.actor), read, outcomes)

    async def foresee_file(self, slug: str, content: bytes) -> EventImportReport:
        """What importing the file would come to; counts nothing. Raises as `import_file`."""
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
        read = await asyncio.to_thread(_read, content, programme.timezone, self.kit.clock.now())
        fresh = {event.event_id: event_bucket(self.kit.keys.index, event.event_id) for event in read.events}
        async with self.kit.database.snapshot() as tx:
            known = await store.known_events(tx, programme.id, fresh)
            already = await was_imported(tx, programme.id, _EVENTS_FILE, hashlib.sha256(content).digest())
        accepted = len(fresh) - known
        return EventImportReport(
            rows=read.rows,
            accepted=accepted,
            rejected=read.rejected,
            duplicates=len(read.events) - accepted,
            errors=list(read.faults),
            already_imported=already,
            dry_run=True,
        )

    async def template(self, slug: str) -> bytes:
        """The sheet that the import understands, with an example of each kind. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            await require_programme(tx, slug)
        return await asyncio.to_thread(workbook_template, EVENT_COLUMNS, EVENT_EXAMPLES, EVENT_NOTES)

    async def import_uploaded(self, job: AwaitedJob, progress: Progress) -> dict[str, Any]:
        """A long file. Begun again, it goes on behind the last part that was counted."""
        upload_id, slug = UUID(job.arguments["upload_id"]), job.arguments["programme"]
        sealed = await self.objects.get(job.arguments["address"])
        invariant(sealed is not None, "an uploaded file is there until its job has ended")
        content = self.kit.keys.sealer.open(sealed or b"", context=_context(upload_id))
        async with self.kit.database.snapshot() as tx:
            programme = await require_programme(tx, slug)
            counted, before = await store.import_progress(tx, job.id)
        # As of the upload, so that an event is judged alike by every attempt.
        read = await asyncio.to_thread(_read, content, programme.timezone, job.created_at)
        digest, outcomes = hashlib.sha256(content).digest(), Counter(before)
        for start in range(counted, len(read.events), EVENTS_MAX):
            part = read.events[start : start + EVENTS_MAX]
            outcomes = await self._count_on(job.id, slug, part, start, outcomes, source=_source(digest))
            await progress.report(start + len(part), len(read.events))
        by = job.requested_by
        assert by is not None  # noqa: S101 - narrows the type; staff ask for it
        report = await self._remember(_Upload(slug, digest, by, f"staff:{by}"), read, outcomes)
        return report.model_dump()

    async def forget_uploads(self) -> None:
        """Forgets the files of jobs that have ended. Safe to run twice."""
        async with self.kit.database.snapshot() as tx:
            since = self.kit.clock.now() - _UPLOADS_FORGOTTEN_WITHIN
            addresses = await ended_addresses(tx, JobKind.CARD_EVENTS_UPLOADED, since=since)
        for address in addresses:
            await self.objects.delete(address)

    async def _leave_to_a_job(self, staff: Staff, slug: str, content: bytes) -> dict[str, str]:
        upload_id = new_id()
        address = await self.objects.put(self.kit.keys.sealer.seal(content, context=_context(upload_id)))
        arguments = {"upload_id": str(upload_id), "address": address, "programme": slug}
        async with self.kit.database.transaction() as tx:
            return await self.jobs.request(tx, JobKind.CARD_EVENTS_UPLOADED, arguments, requested_by=staff.id)

    @retried
    async def _count_on(
        self,
        job_id: UUID,
        slug: str,
        events: Sequence[Event],
        start: int,
        before: Counter[str],
        *,
        source: str,
    ) -> Counter[str]:
        """Counts the next part and remembers that it did, in one transaction."""
        now = self.kit.clock.now()
        async with self.kit.database.transaction(slow=True) as tx:
            programme = await require_programme(tx, slug)
            counted = await store.count_events(tx, programme.id, self.columns(events), source=source, now=now)
            outcomes = before + Counter(counted)
            await store.move_import(tx, job_id, start + len(events), dict(outcomes))
        return outcomes

    @retried
    async def _count_part(self, slug: str, events: Sequence[Event], *, source: str) -> list[str]:
        now = self.kit.clock.now()
        async with self.kit.database.transaction(slow=True) as tx:
            programme = await require_programme(tx, slug)
            return await store.count_events(tx, programme.id, self.columns(events), source=source, now=now)

    async def _remember(self, upload: _Upload, read: EventFile, outcomes: Counter[str]) -> EventImportReport:
        now = self.kit.clock.now()
        known = outcomes["duplicate_event"]
        async with self.kit.database.transaction() as tx:
            programme = await require_programme(tx, upload.slug)
            already = await was_imported(tx, programme.id, _EVENTS_FILE, upload.digest)
            report = EventImportReport.model_validate(
                {
                    "rows": read.rows,
                    "accepted": len(read.events) - known,
                    "rejected": read.rejected,
                    "duplicates": known,
                    "errors": read.faults,
                    "already_imported": already,
                    "outcomes": {name: n for name, n in outcomes.items() if name != "duplicate_event"},
                }
            )
            await remember_file(
                tx, programme.id, _EVENTS_FILE, upload.digest, staff_id=upload.staff_id, now=now
            )
            entry = AuditEntry(
                upload.actor,
                "card_events.import",
                f"programme:{upload.slug}",
                after={"file_sha256": upload.digest.hex(), **report.model_dump(exclude={"errors"})},
            )
            await record(tx, entry, at=now)
        return report

    def columns(self, events: Sequence[SentEvent]) -> Batch:
        """The events as the counting function takes them: holders as keyed hashes, scenes understood."""
        index = self.kit.keys.index
        event_ids = [event.event_id for event in events]
        holders = index.digests(_HOLDER_DOMAIN, [event.holder_ref for event in events])
        # A thousand events come through a few dozen codes, each of which is understood once.
        codes = {scene: read_scene(scene) for scene in {event.scene for event in events}}
        return Batch(
            event_buckets=[bucket_of(digest) for digest in index.digests(_EVENT_DOMAIN, event_ids)],
            event_ids=event_ids,
            buckets=[bucket_of(holder) for holder in holders],
            holders=[holder[:_HOLDER_HASH_BYTES] for holder in holders],
            kinds=[event.kind for event in events],
            scenes=[event.scene for event in events],
            codes=[codes[event.scene] for event in events],
            ats=[event.at for event in events],
            devices=_device_hashes(index, [event.device_ref for event in events]),
        )


def event_bucket(index: KeyedHash, event_id: str) -> int:
    """Where the key of an event lives: by its own id, since the id may come back under another holder."""
    return bucket_of(index.digest(_EVENT_DOMAIN, event_id))


def _device_hashes(index: KeyedHash, device_refs: Sequence[str | None]) -> list[int | None]:
    """Tells devices apart; 64 bits, as wide as the column."""
    told = list({ref for ref in device_refs if ref is not None})
    hashes = {
        ref: int.from_bytes(digest[:_DEVICE_HASH_BYTES], "big", signed=True)
        for ref, digest in zip(told, index.digests(_DEVICE_DOMAIN, told), strict=True)
    }
    return [None if ref is None else hashes[ref] for ref in device_refs]


def _read(content: bytes, timezone: str, now: datetime) -> EventFile:
    return read_events(find_table(read_rows(content), EVENT_COLUMNS), timezone=timezone, now=now)


def _source(digest: bytes) -> str:
    return f"file:{digest.hex()[:16]}"


def _context(upload_id: UUID) -> bytes:
    return f"card-events-upload/{upload_id}".encode()

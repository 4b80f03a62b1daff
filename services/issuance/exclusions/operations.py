"""Who may not take part: listed by hand or by file, told neutrally, lifted with a reason."""

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from services.issuance.accounts.rules import masked_id_number
from services.issuance.exclusions import store
from services.issuance.exclusions.errors import (
    AlreadyExcluded,
    ExclusionAlreadyLifted,
    ParticipationExcluded,
)
from services.issuance.exclusions.rules import Draft, Listed, RowFault, Terms, compare, in_force, judge
from services.issuance.exclusions.schemas import ExclusionBody, ExclusionView
from services.issuance.exclusions.store import Entry, Exclusion, Filter, Identity, Known
from shared.audit import AuditEntry, record
from shared.clock import CHINA, rfc3339
from shared.db import Tx, retried
from shared.documents.reports import ERRORS_MAX, ImportFault, ImportReport
from shared.documents.sheets import Table, column, find_table, read_rows
from shared.documents.templates import workbook_template
from shared.errors import Fault, InvalidRequest, NotFound, Refusal, invariant
from shared.idempotency import Answer, RequestKey, once
from shared.identity.citizens import Citizen
from shared.identity.persons import IDENTITY_DOMAIN, resident_id
from shared.identity.staff import Staff
from shared.ids import HotId, new_id, parse_hot_id, parse_uuid
from shared.jobs.awaited import AwaitedJobs, Progress
from shared.jobs.awaited.store import AwaitedJob, ended_addresses
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.objects import ObjectStore
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

ResultT = TypeVar("ResultT")

# A file of so many rows is taken in while its sender waits; a longer one is a job.
ROWS_AT_ONCE = 2000
# A transaction holds up the turns of those whom it lists, so that a long file takes many short ones.
CHUNK = 500
# Every few minutes the files of jobs that ended are forgotten; a worker is not away for longer than this.
_UPLOADS_FORGOTTEN_WITHIN = timedelta(days=7)
_REPLACED = "由新的名单记录替代"
_FILE_DOMAIN = "exclusion-file"

COLUMNS = (
    column("id_number", "身份证号", "身份证号码?", "公民身份号码", "证件号码?", "idnumber", "id_number"),
    column("list", "名单", "名单(类型)?", "list"),
    column("reason", "原因", "原因", "列入原因", "reason"),
    column("expires_on", "到期日", "到期日期?", "截止日期?", "expireson", "expires_on", required=False),
    column("appeal_note", "申诉说明", "申诉说明", "告知内容", "appealnote", "appeal_note", required=False),
)
_SHOWN = {entry.key: entry.title for entry in COLUMNS}
# A row that was left in from the template is an example; its number's check digit is wrong besides.
_EXAMPLE_NUMBER = "【示例】53250119900101001X"
_EXAMPLE = {
    "id_number": _EXAMPLE_NUMBER,
    "list": "工作人员",
    "reason": "活动组织单位工作人员",
    "expires_on": "2020-12-31",
    "appeal_note": "如有疑问，请致电 0873-0000000。",
}
_NOTES = (
    "一行一人。标 * 的列必须填写；列的先后顺序可以调整。身份证号请设为文本格式。",
    "名单：工作人员 或 黑名单。同一人可以同时在两个名单中。",
    "原因仅工作人员可见；申诉说明会告知本人，请写明咨询电话。",
    "到期日：当日仍有效，次日自动失效；不填表示长期有效。",
    "已在名单中的人员再次导入时，更新其原因、到期日和申诉说明。",
    "身份证号以“【示例】”开头的行是示例，导入时忽略。",
)


@dataclass(slots=True)
class _Tally:
    """What became of the rows of a file."""

    rows: int = 0
    accepted: int = 0
    updated: int = 0
    duplicates: int = 0
    faults: list[tuple[int, list[RowFault]]] = field(default_factory=list)

    def report(self, *, already: bool, dry_run: bool) -> ImportReport:
        errors = [
            ImportFault(row=number, column=_SHOWN[fault.field], message=fault.message)
            for number, found in self.faults
            for fault in found
        ]
        return ImportReport(
            rows=self.rows,
            accepted=self.accepted,
            rejected=len(self.faults),
            duplicates=self.duplicates,
            updated=self.updated,
            errors=errors[:ERRORS_MAX],
            already_imported=already,
            dry_run=dry_run,
        )


@dataclass(frozen=True, slots=True)
class _Import:
    """Who imports into which campaign. Of a job `since`: what it made before it died."""

    campaign: CampaignRef
    by: UUID
    since: datetime | None
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Exclusions:
    kit: Kit
    objects: ObjectStore
    jobs: AwaitedJobs

    @retried
    async def add(self, staff: Staff, slug: str, body: ExclusionBody, key: RequestKey | None) -> Answer:
        """Excludes somebody from now on; who is drawing at this moment has drawn before.

        Raises:
            NotFound, IdNumberInvalid, AlreadyExcluded, InvalidRequest (no such person, a past end).
        """
        now = self.kit.clock.now()
        if body.expires_at is not None and body.expires_at <= now:
            raise InvalidRequest(faults=(Fault("body.expires_at", "到期时间已过", "expires_in_the_past"),))
        terms = Terms(body.list, body.reason, body.appeal_note, body.expires_at)
        subject = self._subject(body, now)

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                campaign = await catalogue.campaign_by_slug(tx, slug)
                entry = Entry(new_id(), subject, terms)
                await _add_one(tx, campaign, entry, by=staff.id, now=now)
                told = {"list": terms.list, "reason": terms.reason, "exclusion_id": str(entry.id)}
                await record(tx, _audited(staff.actor, "exclusion.add", campaign, told), at=now)
                return await _shown(tx, campaign.id, entry.id, now)

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def lift(
        self, staff: Staff, slug: str, exclusion_id: str, reason: str, key: RequestKey | None
    ) -> Answer:
        """Ends an entry now. Raises NotFound, ExclusionAlreadyLifted."""
        now, wanted = self.kit.clock.now(), parse_uuid(exclusion_id)

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                campaign = await catalogue.campaign_by_slug(tx, slug)
                if not await store.lift(tx, campaign.id, [wanted], by=staff.id, reason=reason, now=now):
                    if await store.one(tx, campaign.id, wanted) is None:
                        raise NotFound
                    raise ExclusionAlreadyLifted
                told = {"exclusion_id": str(wanted), "reason": reason}
                await record(tx, _audited(staff.actor, "exclusion.lift", campaign, told), at=now)
                return await _shown(tx, campaign.id, wanted, now)

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def page(
        self, slug: str, wanted: Filter, *, before: tuple[datetime, UUID] | None, limit: int
    ) -> tuple[list[ExclusionView], tuple[datetime, UUID] | None]:
        """Newest first, and the place of the last one when there are more. Raises NotFound."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            found = await store.page(tx, campaign.id, wanted, now=now, before=before, limit=limit + 1)
        last = found[limit - 1] if len(found) > limit else None
        return [_view(row, now) for row in found[:limit]], None if last is None else (last.added_at, last.id)

    async def import_file(
        self, staff: Staff, slug: str, content: bytes, *, dry_run: bool
    ) -> ImportReport | dict[str, str]:
        """The report; for a long file the job that will have it (`job_id`).

        Raises:
            NotFound, InvalidRequest: unreadable.
        """
        table = await asyncio.to_thread(_table_of, content)
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
        if len(table.rows) <= ROWS_AT_ONCE:
            doing = _Import(campaign, staff.id, since=None, dry_run=dry_run)
            return await self._import(doing, staff.actor, content, table, _say_nothing)
        upload_id = new_id()
        sealed = self.kit.keys.sealer.seal(content, context=_context(upload_id))
        address = await self.objects.put(sealed)
        arguments = {
            "upload_id": str(upload_id),
            "address": address,
            "campaign_id": str(campaign.id),
            "dry_run": dry_run,
        }
        async with self.kit.database.transaction() as tx:
            return await self.jobs.request(tx, Kind.EXCLUSIONS_UPLOADED, arguments, requested_by=staff.id)

    async def import_uploaded(self, job: AwaitedJob, progress: Progress) -> dict[str, Any]:
        """A long file, in many short transactions; begun again, it counts what it took in before."""
        upload_id, address = UUID(job.arguments["upload_id"]), job.arguments["address"]
        sealed = await self.objects.get(address)
        invariant(sealed is not None, "an uploaded list is there until its job has ended")
        content = self.kit.keys.sealer.open(sealed or b"", context=_context(upload_id))
        table = await asyncio.to_thread(_table_of, content)
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_id(tx, UUID(job.arguments["campaign_id"]))
        by = job.requested_by
        assert by is not None  # noqa: S101 - narrows the type; staff ask for it
        doing = _Import(campaign, by, since=job.created_at, dry_run=job.arguments["dry_run"])
        report = await self._import(doing, f"staff:{by}", content, table, progress.report)
        return report.model_dump()

    async def forget_uploads(self) -> None:
        """Forgets the files of jobs that have ended. Safe to run twice."""
        async with self.kit.database.snapshot() as tx:
            since = self.kit.clock.now() - _UPLOADS_FORGOTTEN_WITHIN
            addresses = await ended_addresses(tx, Kind.EXCLUSIONS_UPLOADED, since=since)
        for address in addresses:
            await self.objects.delete(address)

    async def template(self, slug: str) -> bytes:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            await catalogue.campaign_by_slug(tx, slug)
        choices = {"list": ("工作人员", "黑名单")}
        return await asyncio.to_thread(workbook_template, COLUMNS, [_EXAMPLE], _NOTES, choices=choices)

    def _subject(self, body: ExclusionBody, now: datetime) -> Identity | HotId:
        """Raises IdNumberInvalid, InvalidRequest."""
        if body.id_number is not None:
            return self._identity(resident_id(body.id_number, now.astimezone(CHINA).date()))
        try:
            return parse_hot_id(body.person_id or "")
        except NotFound:
            raise _person_unknown() from None

    def _identity(self, number: str) -> Identity:
        digest = self.kit.keys.index.digest(IDENTITY_DOMAIN, number)
        sealed = self.kit.keys.sealer.seal_text(number, context=f"exclusion/{digest.hex()}/id_number")
        return Identity(digest, sealed, masked_id_number(number))

    async def _import(
        self, doing: _Import, actor: str, content: bytes, table: Table, tell: Callable[[int, int], Any]
    ) -> ImportReport:
        """Takes in what is right, in short transactions, and names what is not."""
        now = self.kit.clock.now()
        content_hash = hashlib.sha256(content).hexdigest()
        file_hash = self.kit.keys.index.digest(_FILE_DOMAIN, content_hash)
        tally = _Tally()
        wanted = await asyncio.to_thread(_judged, table, doing.campaign, now, tally)
        total = len(wanted)
        for start in range(0, total, CHUNK):
            part = [
                (self._identity(listed.id_number), listed.terms) for listed in wanted[start : start + CHUNK]
            ]
            await self._take(doing, part, tally, now)
            await tell(start + len(part), total)
        async with self.kit.database.transaction() as tx:
            await store.lock_lists(tx, doing.campaign.id)
            already = await store.is_imported(tx, doing.campaign.id, file_hash)
            report = tally.report(already=already, dry_run=doing.dry_run)
            if not doing.dry_run:
                if not already:
                    await store.remember_import(
                        tx,
                        doing.campaign.id,
                        file_hash,
                        rows=report.rows,
                        accepted=report.accepted,
                        by=doing.by,
                        now=now,
                    )
                told = report.model_dump(exclude={"errors", "dry_run"})
                await record(tx, _audited(actor, "exclusions.import", doing.campaign, told), at=now)
        return report

    @retried
    async def _take(
        self, doing: _Import, part: Sequence[tuple[Identity, Terms]], tally: _Tally, now: datetime
    ) -> None:
        campaign = doing.campaign
        hashes = [identity.hash for identity, _ in part]
        taken = _Tally()
        async with self.kit.database.transaction() as tx:
            await store.lock_lists(tx, campaign.id)
            if not doing.dry_run:
                await store.lock_turns_of(tx, campaign.id, hashes)
            known = await store.known_by_identity(tx, campaign.id, hashes)
            entries, replaced = [], []
            for identity, terms in part:
                before = known.get((identity.hash, terms.list))
                verdict = compare(None if before is None else before.terms, terms, now=now)
                if verdict == "same" and not _of_this_import(before, doing):
                    taken.duplicates += 1
                    continue
                taken.accepted += 1
                if verdict != "same":
                    entries.append(Entry(new_id(), identity, terms))
                if before is not None and verdict == "update":
                    taken.updated += 1
                    replaced.append(before.id)
            if not doing.dry_run:
                await store.lift(tx, campaign.id, replaced, by=doing.by, reason=_REPLACED, now=now)
                await store.insert_entries(tx, campaign.id, entries, by=doing.by, now=now)
        tally.accepted += taken.accepted
        tally.updated += taken.updated
        tally.duplicates += taken.duplicates


async def with_appeals(
    kit: Kit, campaign_id: UUID, citizens: Sequence[Citizen], results: Sequence[ResultT | Refusal]
) -> list[ResultT | Refusal]:
    """The results of a batch, one for each citizen: whoever is excluded is told whom to ask."""
    places = [place for place, result in enumerate(results) if isinstance(result, ParticipationExcluded)]
    told = list(results)
    if places:
        people = [HotId(citizens[place].bucket, citizens[place].person_id) for place in places]
        notes = await store.appeal_notes(kit.database, campaign_id, people, now=kit.clock.now())
        for place, note in zip(places, notes, strict=True):
            told[place] = ParticipationExcluded(note)
    return told


async def require_not_excluded(tx: Tx, campaign_id: UUID, person: HotId, now: datetime) -> None:
    """Raises ParticipationExcluded. The caller holds the person's turn."""
    note = await store.appeal_note(tx, campaign_id, person, now=now)
    if note is not None:
        raise ParticipationExcluded(note)


async def _add_one(tx: Tx, campaign: CampaignRef, entry: Entry, *, by: UUID, now: datetime) -> None:
    """Raises AlreadyExcluded, InvalidRequest. An entry that is over makes room for the new one."""
    await store.lock_lists(tx, campaign.id)
    subject = entry.subject
    if isinstance(subject, HotId):
        if not await store.person_exists(tx, subject):
            raise _person_unknown()
        await store.lock_turn(tx, campaign.id, subject)
        before = (await store.known_by_person(tx, campaign.id, subject)).get(entry.terms.list)
    else:
        await store.lock_turns_of(tx, campaign.id, [subject.hash])
        known = await store.known_by_identity(tx, campaign.id, [subject.hash])
        before = known.get((subject.hash, entry.terms.list))
    if before is not None:
        if in_force(before.terms.expires_at, now):
            raise AlreadyExcluded
        await store.lift(tx, campaign.id, [before.id], by=by, reason=_REPLACED, now=now)
    await store.insert_entries(tx, campaign.id, [entry], by=by, now=now)


def _of_this_import(before: Known | None, doing: _Import) -> bool:
    """An entry that an attempt of this job made before its worker died; the file counts it once."""
    if before is None or doing.since is None:
        return False
    return before.added_by == doing.by and before.added_at >= doing.since


def _judged(table: Table, campaign: CampaignRef, now: datetime, tally: _Tally) -> list[Listed]:
    """The entries of a file, each person once for each list; faults and repetitions go to the tally."""
    timezone = ZoneInfo(campaign.timezone)
    seen: dict[tuple[str, str], Listed] = {}
    for number, draft in _drafts(table):
        tally.rows += 1
        judged = judge(draft, now=now, timezone=timezone)
        if isinstance(judged, list):
            tally.faults.append((number, judged))
        elif (judged.id_number, judged.terms.list) in seen:
            tally.duplicates += 1
        else:
            seen[judged.id_number, judged.terms.list] = judged
    return list(seen.values())


def _drafts(table: Table) -> Iterator[tuple[int, Draft]]:
    for row in table.rows:
        cells = {name: row.at(table.columns.get(name)) for name in _SHOWN}
        if not cells["id_number"].startswith("【示例】"):
            yield row.number, Draft(**cells)


def _table_of(content: bytes) -> Table:
    return find_table(read_rows(content), COLUMNS)


async def _say_nothing(done: int, total: int) -> None:
    """A file that its sender waits for needs no progress."""


async def _shown(tx: Tx, campaign_id: UUID, exclusion_id: UUID, now: datetime) -> dict[str, Any]:
    found = await store.one(tx, campaign_id, exclusion_id)
    invariant(found is not None, "an entry that was just written is there")
    assert found is not None  # noqa: S101 - narrows the type; the invariant above already refused
    return _view(found, now).model_dump()


def _view(row: Exclusion, now: datetime) -> ExclusionView:
    return ExclusionView(
        id=str(row.id),
        list=row.list,
        id_number_masked=row.id_number_masked,
        person_id=None if row.person_id is None else str(HotId(row.bucket or 0, row.person_id)),
        reason=row.reason,
        appeal_note=row.appeal_note,
        expires_at=rfc3339(row.expires_at) if row.expires_at else None,
        in_force=row.lifted_at is None and in_force(row.expires_at, now),
        added_at=rfc3339(row.added_at),
        added_by=f"staff:{row.added_by}",
        lifted_at=rfc3339(row.lifted_at) if row.lifted_at else None,
        lifted_by=f"staff:{row.lifted_by}" if row.lifted_by else None,
        lift_reason=row.lift_reason,
    )


def _audited(actor: str, action: str, campaign: CampaignRef, told: dict[str, Any]) -> AuditEntry:
    return AuditEntry(actor, action, f"campaign:{campaign.slug}", after=told)


def _context(upload_id: UUID) -> bytes:
    return f"exclusion-upload/{upload_id}".encode()


def _person_unknown() -> InvalidRequest:
    return InvalidRequest(faults=(Fault("body.person_id", "没有这个人员编号", "person_unknown"),))

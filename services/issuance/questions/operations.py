"""The question bank is filled by hand or by file. The same question is in it once."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.issuance.questions import store
from services.issuance.questions.rules import OPTION_KEYS, Draft, Plan, Sorted
from services.issuance.questions.schemas import QuestionDraft, QuestionFaultView, QuestionsReport
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.documents.reports import ERRORS_MAX, ImportFault, ImportReport
from shared.documents.sheets import Row, Table, column, find_table, read_rows
from shared.documents.templates import workbook_template
from shared.errors import invariant
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.jobs.awaited import AwaitedJobs, Progress
from shared.jobs.awaited.store import AwaitedJob, ended_addresses
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.objects import ObjectStore
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

_TITLES = {f"option_{key.lower()}": f"选项{key}" for key in OPTION_KEYS}
COLUMNS = (
    column("text", "题目", "题目", "题干", "问题", "text", "question"),
    *(
        column(name, title, f"选项{name[-1]}", name, required=name in {"option_a", "option_b"})
        for name, title in _TITLES.items()
    ),
    column("answer", "答案", "答案", "正确答案", "answer"),
    column("explanation", "解析", "解析", "答案解析", "explanation", required=False),
    column("difficulty", "难度", "难度", "难易度", "difficulty", required=False),
    column("category", "类别", "类别", "分类", "category", required=False),
)
_SHOWN = {entry.key: entry.title for entry in COLUMNS} | {"options": "选项"}

# A row that was left in from the template is an example, not a question.
EXAMPLE_MARK = "【示例】"
_EXAMPLE = {
    "text": f"{EXAMPLE_MARK}流水洗手时，揉搓双手的时间至少应为多少？",
    "option_a": "5 秒",
    "option_b": "10 秒",
    "option_c": "20 秒",
    "answer": "C",
    "explanation": "按七步洗手法揉搓不少于 20 秒。",
    "difficulty": "1",
    "category": "健康素养",
}
NOTES = (
    "一行一题。标 * 的列必须填写；列的先后顺序可以调整。",
    "选项从 A 起依次填写，最少两个，最多六个，中间不要空列。",
    "答案填写正确选项的字母；多选题把字母连写，例如 AC。",
    "难度：1 易、2 中、3 难；不填按 2 处理。",
    "题目与全部选项都相同的题只保留一次；再次导入时更新其解析、难度和类别。",
    f"题目以“{EXAMPLE_MARK}”开头的行是示例，导入时忽略。",
)


# More rows than this are taken in by a job: beside a busy service an answer must come within 5 s.
ROWS_AT_ONCE = 5000
# So many are judged before the next progress is told.
_JUDGED_AT_ONCE = 1000
# An upload is looked for so long after its job has ended; forgetting it twice does no harm.
_UPLOADS_FORGOTTEN_WITHIN = timedelta(days=7)

_Tell = Callable[[int, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Upload:
    """A file that is taken in: whose it is, and what was found in it."""

    slug: str
    staff_id: UUID
    file_hash: bytes
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Questions:
    kit: Kit
    objects: ObjectStore
    jobs: AwaitedJobs

    async def add(
        self, staff: Staff, slug: str, drafts: Sequence[QuestionDraft], key: RequestKey | None
    ) -> Answer:
        """Takes what is right, names what is not. Raises NotFound."""
        now = self.kit.clock.now()
        found = Sorted()
        found.sort((place, draft_of_body(draft)) for place, draft in enumerate(drafts))

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                campaign = await catalogue.campaign_by_slug(tx, slug)
                plan = await _plan(tx, campaign, found)
                await _carry_out(tx, campaign, plan, now)
                report = _report(plan)
                told = report.model_dump(exclude={"errors"})
                await record(tx, _entry(staff, "questions.add", campaign, told), at=now)
                return report.model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def take_in(
        self, staff: Staff, slug: str, content: bytes, *, dry_run: bool, background: bool
    ) -> ImportReport | dict[str, str]:
        """The report; or the job that will have it, of a long file or when it is wanted so.

        Raises NotFound, InvalidRequest (unreadable).
        """
        table = await asyncio.to_thread(_table_of, content)
        if len(table.rows) <= ROWS_AT_ONCE and not background:
            return await self.import_file(staff, slug, content, dry_run=dry_run)
        file_hash = hashlib.sha256(content).digest()
        # Kept first: a job whose file is missing could only fail.
        address = await self.objects.put(self.kit.keys.sealer.seal(content, context=_context(file_hash)))
        arguments = {"campaign": slug, "address": address, "file": file_hash.hex(), "dry_run": dry_run}
        async with self.kit.database.transaction() as tx:
            await catalogue.campaign_by_slug(tx, slug)
            return await self.jobs.request(tx, Kind.QUESTIONS_UPLOADED, arguments, requested_by=staff.id)

    async def import_file(self, staff: Staff, slug: str, content: bytes, *, dry_run: bool) -> ImportReport:
        """The same file again changes nothing and says so. Raises NotFound, InvalidRequest (unreadable)."""
        upload = _Upload(slug, staff.id, hashlib.sha256(content).digest(), dry_run)
        return await self._import(upload, content, _say_nothing)

    async def import_uploaded(self, job: AwaitedJob, progress: Progress) -> dict[str, Any]:
        """All of a long file or nothing, in one transaction: so it is safe to begin again."""
        told, by = job.arguments, job.requested_by
        file_hash = bytes.fromhex(told["file"])
        sealed = await self.objects.get(told["address"])
        invariant(sealed is not None, "an uploaded file is there until its job has ended")
        invariant(by is not None, "staff ask for an import")
        assert sealed is not None  # noqa: S101 - narrows the type
        assert by is not None  # noqa: S101 - the same
        content = self.kit.keys.sealer.open(sealed, context=_context(file_hash))
        upload = _Upload(told["campaign"], by, file_hash, told["dry_run"])
        return (await self._import(upload, content, progress.report)).model_dump()

    async def forget_uploads(self) -> None:
        """Forgets the files of jobs that have ended. Safe to run twice."""
        async with self.kit.database.snapshot() as tx:
            since = self.kit.clock.now() - _UPLOADS_FORGOTTEN_WITHIN
            addresses = await ended_addresses(tx, Kind.QUESTIONS_UPLOADED, since=since)
        for address in addresses:
            await self.objects.delete(address)

    async def _import(self, upload: _Upload, content: bytes, tell: _Tell) -> ImportReport:
        now = self.kit.clock.now()
        table = await asyncio.to_thread(_table_of, content)
        rows, found, read = len(table.rows), Sorted(), 0
        for start in range(0, rows, _JUDGED_AT_ONCE):
            part = table.rows[start : start + _JUDGED_AT_ONCE]
            read += await asyncio.to_thread(_sort_rows, found, table, part)
            # Judging is the first half of the work.
            await tell(start + len(part), 2 * rows)

        async def half_way(done: int, total: int) -> None:
            await tell(total + done, 2 * total)

        async with self.kit.database.transaction(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, upload.slug)
            plan = await _plan(tx, campaign, found)
            already = await store.is_imported(tx, campaign.id, upload.file_hash)
            report = _import_report(plan, rows=read, already=already, dry_run=upload.dry_run)
            if not upload.dry_run:
                await _carry_out(tx, campaign, plan, now, tell=half_way)
                if not already:
                    counts = store.ImportCounts(report.rows, report.accepted)
                    await store.remember_import(
                        tx, campaign.id, upload.file_hash, counts, by=upload.staff_id, now=now
                    )
                told = report.model_dump(exclude={"errors", "dry_run"})
                entry = AuditEntry(
                    f"staff:{upload.staff_id}", "questions.import", _object(campaign), after=told
                )
                await record(tx, entry, at=now)
        return report

    async def template(self, slug: str) -> bytes:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            await catalogue.campaign_by_slug(tx, slug)
        choices = {"difficulty": ("1", "2", "3"), "answer": OPTION_KEYS}
        return await asyncio.to_thread(workbook_template, COLUMNS, [_EXAMPLE], NOTES, choices=choices)


def draft_of_body(sent: QuestionDraft) -> Draft:
    return Draft(
        text=sent.text,
        options=sent.options,
        # Joined by what separates letters, so that ["AC"] means A and C here as in a file.
        answer=",".join(sent.answer),
        explanation=sent.explanation or "",
        difficulty="" if sent.difficulty is None else str(sent.difficulty),
        category=sent.category or "",
    )


def _draft_of(table: Table, row: Row) -> Draft:
    cells = {name: row.at(table.columns.get(name)) for name in _SHOWN}
    return Draft(
        text=cells["text"],
        options={key: cells[f"option_{key.lower()}"] for key in OPTION_KEYS},
        answer=cells["answer"],
        explanation=cells["explanation"],
        difficulty=cells["difficulty"],
        category=cells["category"],
    )


async def _say_nothing(_done: int, _total: int) -> None:
    """Whoever waits for the answer needs no progress."""


def _table_of(content: bytes) -> Table:
    return find_table(read_rows(content), COLUMNS)


def _sort_rows(found: Sorted, table: Table, rows: Sequence[Row]) -> int:
    """How many of them are rows of the clerk's own, and no examples."""
    drafts = [(row.number, _draft_of(table, row)) for row in rows]
    numbered = [entry for entry in drafts if not entry[1].text.startswith(EXAMPLE_MARK)]
    found.sort(numbered)
    return len(numbered)


async def _plan(tx: Tx, campaign: CampaignRef, found: Sorted) -> Plan:
    """Locks the bank, so that what is planned is still right when it is carried out."""
    plan = Plan(duplicates=found.duplicates, rejected=found.rejected)
    await store.lock_bank(tx, campaign.id)
    known = await store.known(tx, campaign.id, list(found.questions))
    for content_hash, question in found.questions.items():
        before = known.get(content_hash)
        beside = store.Known(question.explanation, question.difficulty, question.category, retired=False)
        if before is None:
            plan.new.append(question)
        elif before == beside:
            plan.duplicates += 1
        else:
            plan.updated.append(question)
    return plan


async def _carry_out(
    tx: Tx, campaign: CampaignRef, plan: Plan, now: datetime, *, tell: _Tell = _say_nothing
) -> None:
    if not plan.accepted:
        return
    for start in range(0, len(plan.new), store.AT_ONCE):
        part = plan.new[start : start + store.AT_ONCE]
        await store.insert_questions(tx, campaign.id, part, now)
        await tell(start + len(part), plan.accepted)
    for start in range(0, len(plan.updated), store.AT_ONCE):
        part = plan.updated[start : start + store.AT_ONCE]
        await store.update_questions(tx, campaign.id, part, now)
        await tell(len(plan.new) + start + len(part), plan.accepted)
    await store.next_bank_version(tx, campaign.id)


def _context(file_hash: bytes) -> bytes:
    """What ties a sealed upload to its content."""
    return b"questions-upload/" + file_hash


def _object(campaign: CampaignRef) -> str:
    return f"campaign:{campaign.slug}"


def _entry(staff: Staff, action: str, campaign: CampaignRef, told: dict[str, Any]) -> AuditEntry:
    return AuditEntry(staff.actor, action, _object(campaign), after=told)


def _report(plan: Plan) -> QuestionsReport:
    faults = [
        QuestionFaultView(index=place, field=fault.field, message=fault.message, code=fault.code)
        for place, found in plan.rejected
        for fault in found
    ]
    return QuestionsReport(
        accepted=plan.accepted,
        rejected=len(plan.rejected),
        duplicates=plan.duplicates,
        updated=len(plan.updated),
        errors=faults,
    )


def _import_report(plan: Plan, *, rows: int, already: bool, dry_run: bool) -> ImportReport:
    faults = [
        ImportFault(row=number, column=_SHOWN[fault.field], message=fault.message)
        for number, found in plan.rejected
        for fault in found
    ]
    return ImportReport(
        rows=rows,
        accepted=plan.accepted,
        rejected=len(plan.rejected),
        duplicates=plan.duplicates,
        updated=len(plan.updated),
        errors=faults[:ERRORS_MAX],
        already_imported=already,
        dry_run=dry_run,
    )

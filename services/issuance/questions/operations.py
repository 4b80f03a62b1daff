"""The question bank is filled by hand or by file. The same question is in it once."""

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.issuance.questions import store
from services.issuance.questions.rules import OPTION_KEYS, Draft, Question, QuestionFault, judge
from services.issuance.questions.schemas import QuestionDraft, QuestionFaultView, QuestionsReport
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.documents.reports import ERRORS_MAX, ImportFault, ImportReport
from shared.documents.sheets import Row, Table, column, find_table, read_rows
from shared.documents.templates import workbook_template
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit
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


@dataclass(slots=True)
class _Plan:
    """What is to be done with drafts: each is new, updated, a duplicate, or rejected with its faults."""

    new: list[Question] = field(default_factory=list)
    updated: list[Question] = field(default_factory=list)
    duplicates: int = 0
    rejected: list[tuple[int, list[QuestionFault]]] = field(default_factory=list)

    @property
    def accepted(self) -> int:
        return len(self.new) + len(self.updated)


@dataclass(frozen=True, slots=True)
class Questions:
    kit: Kit

    async def add(
        self, staff: Staff, slug: str, drafts: Sequence[QuestionDraft], key: RequestKey | None
    ) -> Answer:
        """Takes what is right, names what is not. Raises NotFound."""
        now = self.kit.clock.now()
        numbered = [(place, draft_of_body(draft)) for place, draft in enumerate(drafts)]

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                campaign = await catalogue.campaign_by_slug(tx, slug)
                plan = await _plan(tx, campaign, numbered)
                await _carry_out(tx, campaign, plan, now)
                report = _report(plan)
                told = report.model_dump(exclude={"errors"})
                await record(tx, _entry(staff, "questions.add", campaign, told), at=now)
                return report.model_dump()

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def import_file(self, staff: Staff, slug: str, content: bytes, *, dry_run: bool) -> ImportReport:
        """The same file again changes nothing and says so. Raises NotFound, InvalidRequest (unreadable)."""
        now, file_hash = self.kit.clock.now(), hashlib.sha256(content).digest()
        table = await asyncio.to_thread(lambda: find_table(read_rows(content), COLUMNS))
        drafts = [(row.number, _draft_of(table, row)) for row in table.rows]
        numbered = [entry for entry in drafts if not entry[1].text.startswith(EXAMPLE_MARK)]
        async with self.kit.database.transaction(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            plan = await _plan(tx, campaign, numbered)
            already = await store.is_imported(tx, campaign.id, file_hash)
            report = _import_report(plan, rows=len(numbered), already=already, dry_run=dry_run)
            if not dry_run:
                await _carry_out(tx, campaign, plan, now)
                if not already:
                    counts = store.ImportCounts(report.rows, report.accepted)
                    await store.remember_import(tx, campaign.id, file_hash, counts, by=staff.id, now=now)
                told = report.model_dump(exclude={"errors", "dry_run"})
                await record(tx, _entry(staff, "questions.import", campaign, told), at=now)
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


async def _plan(tx: Tx, campaign: CampaignRef, drafts: Iterable[tuple[int, Draft]]) -> _Plan:
    """Locks the bank, so that what is planned is still right when it is carried out."""
    plan, questions = _Plan(), dict[bytes, Question]()
    for place, draft in drafts:
        judged = judge(draft)
        if isinstance(judged, list):
            plan.rejected.append((place, judged))
        elif judged.content_hash in questions:
            plan.duplicates += 1
        else:
            questions[judged.content_hash] = judged
    await store.lock_bank(tx, campaign.id)
    known = await store.known(tx, campaign.id, list(questions))
    for content_hash, question in questions.items():
        before = known.get(content_hash)
        beside = store.Known(question.explanation, question.difficulty, question.category, retired=False)
        if before is None:
            plan.new.append(question)
        elif before == beside:
            plan.duplicates += 1
        else:
            plan.updated.append(question)
    return plan


async def _carry_out(tx: Tx, campaign: CampaignRef, plan: _Plan, now: datetime) -> None:
    if plan.accepted:
        await store.insert_questions(tx, campaign.id, plan.new, now)
        await store.update_questions(tx, campaign.id, plan.updated, now)
        await store.next_bank_version(tx, campaign.id)


def _entry(staff: Staff, action: str, campaign: CampaignRef, told: dict[str, Any]) -> AuditEntry:
    return AuditEntry(staff.actor, action, f"campaign:{campaign.slug}", after=told)


def _report(plan: _Plan) -> QuestionsReport:
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


def _import_report(plan: _Plan, *, rows: int, already: bool, dry_run: bool) -> ImportReport:
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

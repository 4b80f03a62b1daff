"""The bank as clerks keep it: found, corrected, taken out of use and put back, handed out as a workbook."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.issuance.bank import store
from services.issuance.bank.errors import ExportTooLarge, QuestionExists, QuestionReplaced
from services.issuance.bank.rules import State
from services.issuance.bank.schemas import BankSummary, CellView, QuestionEdit
from services.issuance.bank.store import Filters, Version
from services.issuance.questions import store as questions
from services.issuance.questions.operations import COLUMNS, NOTES, draft_of_body
from services.issuance.questions.rules import Question, judge
from shared.audit import AuditEntry, record
from shared.db import Tx
from shared.documents.csvfiles import BOM, csv_lines
from shared.documents.templates import workbook_template
from shared.errors import Fault, InvalidRequest, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import Staff
from shared.kit import Kit
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

# A workbook can only be sent when it is whole; of so many rows that takes a second.
WORKBOOK_ROWS_MAX = 10_000
# Read and written out in such parts, so that a large bank never stands in memory whole.
_EXPORT_PAGE = 1000

_Change = Callable[[Tx, Version], Awaitable[tuple[int, int, State]]]


@dataclass(frozen=True, slots=True)
class Bank:
    kit: Kit

    async def page(self, slug: str, filters: Filters, *, limit: int, after: int) -> tuple[list[Version], int]:
        """One more than `limit` if there are more, and how many fit in all. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            found = await store.page(tx, campaign.id, filters, limit=limit + 1, after=after)
            return found, await store.how_many(tx, campaign.id, filters)

    async def versions(self, slug: str, question_id: int) -> list[Version]:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            found = await store.versions(tx, campaign.id, question_id)
        if not found:
            raise NotFound
        return found

    async def summary(self, slug: str) -> BankSummary:
        """Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            cells = await store.cells(tx, campaign.id)
        return BankSummary(
            active=sum(cell.active for cell in cells),
            retired=sum(cell.retired for cell in cells),
            cells=[
                CellView(difficulty=cell.difficulty, category=cell.category, active=cell.active)
                for cell in cells
                if cell.active
            ],
        )

    async def export(self, slug: str, filters: Filters) -> bytes:
        """A workbook that the import understands. Raises NotFound, ExportTooLarge."""
        rows: list[dict[str, str]] = []
        async for part in self._parts(await self._campaign(slug), filters):
            rows += part
            if len(rows) > WORKBOOK_ROWS_MAX:
                raise ExportTooLarge
        return await asyncio.to_thread(workbook_template, COLUMNS, rows, NOTES)

    async def export_csv(self, slug: str, filters: Filters) -> AsyncIterator[bytes]:
        """The same as CSV, part by part, however large the bank. Raises NotFound, before the first part."""
        campaign = await self._campaign(slug)

        async def parts() -> AsyncIterator[bytes]:
            # The mark by which Excel knows UTF-8.
            yield BOM + _csv([{column.key: column.title for column in COLUMNS}])
            async for part in self._parts(campaign, filters):
                yield await asyncio.to_thread(_csv, part)

        return parts()

    async def _campaign(self, slug: str) -> CampaignRef:
        async with self.kit.database.snapshot() as tx:
            return await catalogue.campaign_by_slug(tx, slug)

    async def _parts(self, campaign: CampaignRef, filters: Filters) -> AsyncIterator[list[dict[str, str]]]:
        """Rows in parts, each of its own instant: so a slow reader holds no connection."""
        after = 0
        while True:
            async with self.kit.database.snapshot(slow=True) as tx:
                found = await store.page(tx, campaign.id, filters, limit=_EXPORT_PAGE, after=after)
            if not found:
                return
            after = found[-1].id
            yield [_row(version) for version in found]

    async def edit(
        self, staff: Staff, slug: str, question_id: int, wanted: QuestionEdit, key: RequestKey | None
    ) -> Answer:
        """What people are shown becomes a new version; difficulty and category are corrected in place.

        A question that is out of use comes back into use with its new version.

        Raises:
            NotFound, QuestionReplaced, QuestionExists: as named.
            InvalidRequest: it is no question, with every reason.
        """
        now = self.kit.clock.now()
        question = _judged(wanted)

        async def change(tx: Tx, before: Version) -> tuple[int, int, State]:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            if await store.content_in_use(tx, campaign.id, question, but=before.id):
                raise QuestionExists
            if _shown_alike(before, question):
                await store.reclassify(tx, before.id, question)
                return before.id, before.version, before.state
            options = json.dumps(question.options, ensure_ascii=False)
            made_id, version = await store.replace(tx, before.id, question, options=options, now=now)
            return made_id, version, "active"

        return await self._change(staff, slug, question_id, key=key, action="question.edit", change=change)

    async def retire(
        self, staff: Staff, slug: str, question_id: int, reason: str, key: RequestKey | None
    ) -> Answer:
        """Not asked any more; attempts that have it keep it. Raises NotFound, QuestionReplaced."""
        now = self.kit.clock.now()

        async def change(tx: Tx, before: Version) -> tuple[int, int, State]:
            await store.retire(tx, before.id, reason=reason, now=now)
            return before.id, before.version, "retired"

        return await self._change(
            staff, slug, question_id, key=key, action="question.retire", change=change, reason=reason
        )

    async def retire_many(
        self, staff: Staff, slug: str, question_ids: Collection[int], reason: str, key: RequestKey | None
    ) -> Answer:
        """All of them or none; one that is out of use already stays as it is.

        Raises NotFound, QuestionReplaced. Locks the bank, then the questions in the order of their ids.
        """
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                campaign = await catalogue.campaign_by_slug(tx, slug)
                await questions.lock_bank(tx, campaign.id)
                retired = 0
                for question_id in sorted(question_ids):
                    before = await _current(tx, campaign, question_id)
                    if await store.retire(tx, before.id, reason=reason, now=now):
                        retired += 1
                        await record(tx, _retired(staff, before, reason), at=now)
                if retired:
                    await questions.next_bank_version(tx, campaign.id)
                return {"retired": retired}

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def reactivate(
        self, staff: Staff, slug: str, question_id: int, reason: str, key: RequestKey | None
    ) -> Answer:
        """Asked again. Raises NotFound, QuestionReplaced."""

        async def change(tx: Tx, before: Version) -> tuple[int, int, State]:
            await store.reactivate(tx, before.id)
            return before.id, before.version, "active"

        return await self._change(
            staff, slug, question_id, key=key, action="question.reactivate", change=change, reason=reason
        )

    async def _change(
        self,
        staff: Staff,
        slug: str,
        question_id: int,
        *,
        key: RequestKey | None,
        action: str,
        change: _Change,
        reason: str | None = None,
    ) -> Answer:
        """Locks the bank, then the question; `change` returns the id, version and state that came of it."""
        now = self.kit.clock.now()

        async with self.kit.database.transaction() as tx:

            async def act() -> dict[str, Any]:
                campaign = await catalogue.campaign_by_slug(tx, slug)
                await questions.lock_bank(tx, campaign.id)
                before = await _current(tx, campaign, question_id)
                made_id, version, state = await change(tx, before)
                await questions.next_bank_version(tx, campaign.id)
                told = {"question_id": str(made_id), "version": version, "state": state}
                entry = AuditEntry(
                    staff.actor,
                    action,
                    f"question:{question_id}",
                    before={"version": before.version, "state": before.state},
                    after=told if reason is None else told | {"reason": reason},
                )
                await record(tx, entry, at=now)
                return told

            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)


def _retired(staff: Staff, before: Version, reason: str) -> AuditEntry:
    """What retiring this question alone would leave, too."""
    return AuditEntry(
        staff.actor,
        "question.retire",
        f"question:{before.id}",
        before={"version": before.version, "state": before.state},
        after={
            "question_id": str(before.id),
            "version": before.version,
            "state": "retired",
            "reason": reason,
        },
    )


async def _current(tx: Tx, campaign: CampaignRef, question_id: int) -> Version:
    """The last version of a question. Raises NotFound, QuestionReplaced."""
    found = await store.one(tx, campaign.id, question_id)
    if found is None:
        raise NotFound
    if found.state == "replaced":
        raise QuestionReplaced
    return found


def _judged(wanted: QuestionEdit) -> Question:
    judged = judge(draft_of_body(wanted))
    if isinstance(judged, Question):
        return judged
    raise InvalidRequest(
        faults=tuple(Fault(f"body.{fault.field}", fault.message, fault.code) for fault in judged)
    )


def _shown_alike(before: Version, question: Question) -> bool:
    """Whether people would see and be marked by the same."""
    return (before.text, dict(before.options), sorted(before.answer), before.explanation) == (
        question.text,
        question.options,
        question.answer,
        question.explanation,
    )


def _csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    return csv_lines([row.get(column.key, "") for column in COLUMNS] for row in rows)


def _row(version: Version) -> dict[str, str]:
    options = {f"option_{key.lower()}": text for key, text in version.options.items()}
    return options | {
        "text": version.text,
        "answer": "".join(sorted(version.answer)),
        "explanation": version.explanation or "",
        "difficulty": str(version.difficulty),
        "category": version.category or "",
    }

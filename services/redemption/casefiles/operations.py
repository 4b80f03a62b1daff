"""Case files: a case with its evidence and history, and lists of cases, as workbooks to be handed on."""

import asyncio
from dataclasses import dataclass, replace
from uuid import UUID

from services.redemption.casefiles import store
from services.redemption.casefiles.rules import (
    CASES_MAX,
    DECISIONS,
    EVIDENCE_MAX,
    KINDS,
    EvidenceRow,
    case_file,
    case_list,
)
from services.redemption.risk import store as cases
from services.redemption.risk.rules import Filters, Shown
from shared.clock import CHINA
from shared.documents.workbooks import workbook
from shared.errors import NotFound
from shared.identity.store import usernames
from shared.kit import Kit
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class CaseFiles:
    kit: Kit

    async def case(self, case_id: UUID) -> bytes:
        """A case with its write-offs and what was done with it, by whom. Raises NotFound."""
        async with self.kit.database.snapshot(slow=True) as tx:
            case = await cases.by_id(tx, case_id)
            if case is None:
                raise NotFound
            rows = [_row(row) for row in await store.evidence_rows(tx, case_id, limit=EVIDENCE_MAX)]
            actions = [replace(one, at=one.at.astimezone(CHINA)) for one in await store.actions(tx, case_id)]
            names = await usernames(tx, {action.staff_id for action in actions})
        now = self.kit.clock.now().astimezone(CHINA)
        papers = case_file(_case(case), rows, actions, names, at=now, demo=self.kit.settings.demo)
        return await asyncio.to_thread(workbook, papers)

    async def cases(self, campaign_slug: str | None, filters: Filters) -> bytes:
        """The list of cases that fit, newest first. Raises NotFound (no such campaign)."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot(slow=True) as tx:
            if campaign_slug is not None:
                campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
                filters = replace(filters, campaign_id=campaign.id)
            found = await cases.page(tx, filters, limit=CASES_MAX + 1, after=None)
            names = await usernames(tx, {one.decided_by for one in found if one.decided_by is not None})
        told = [
            ("活动", campaign_slug or "全部"),
            ("机构编号", filters.institution_id or "全部"),
            ("线索类型", "全部" if filters.kind is None else KINDS[filters.kind]),
            ("状态", {"open": "待处理", "decided": "已处理"}.get(filters.status or "", "全部")),
            ("结论", "全部" if filters.decision is None else DECISIONS[filters.decision]),
            ("统计截至", now.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")),
        ]
        if len(found) > CASES_MAX:
            told.append(("注意", f"只列最新 {CASES_MAX} 件，请缩小范围"))
        paper = case_list(
            [_case(one) for one in found[:CASES_MAX]], names, told=told, demo=self.kit.settings.demo
        )
        return await asyncio.to_thread(workbook, [paper])


def _case(case: Shown) -> Shown:
    decided_at = None if case.decided_at is None else case.decided_at.astimezone(CHINA)
    return replace(case, opened_at=case.opened_at.astimezone(CHINA), decided_at=decided_at)


def _row(row: EvidenceRow) -> EvidenceRow:
    return replace(
        row, redeemed_at=row.redeemed_at.astimezone(CHINA), issued_at=row.issued_at.astimezone(CHINA)
    )

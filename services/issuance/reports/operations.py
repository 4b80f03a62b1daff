"""The official report of a campaign: one snapshot is read, one Word document is made of it."""

from dataclasses import dataclass, field
from uuid import UUID

from services.issuance.calibration import store as calibration
from services.issuance.lessons.rules import Difficulty
from services.issuance.publicview.operations import campaign_view
from services.issuance.reporting.operations import metrics_of
from services.issuance.reports import store
from services.issuance.reports.rules import (
    LEDGER_MEASURES,
    Story,
    context,
    file_name,
    idle_of,
    use_of,
)
from services.issuance.reports.schemas import Asked
from services.issuance.templates.rules import REPORT, SHAPE
from shared import ledger
from shared.clock import rfc3339
from shared.computing import Computing
from shared.db import Tx
from shared.documents.papers import DEMO_MARK
from shared.documents.wordtemplates import fill
from shared.kit import Kit
from shared.metrics.store import figures
from shared.paperwork import Papers
from shared.paperwork.schemas import ReportWords
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class Reports:
    kit: Kit
    templates: Papers
    computing: Computing = field(default_factory=Computing)

    async def report(self, slug: str, asked: Asked) -> tuple[str, bytes]:
        """The file's name and the Word document. Raises NotFound, TemplateNotKept, InvalidRequest, Busy."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            kept = await self.templates.in_use(tx, campaign.id, REPORT)
            moves = await figures(tx, [campaign.id], LEDGER_MEASURES)
            taking_part = await store.institutions(tx, campaign.id)
            story = Story(
                campaign=await campaign_view(tx, campaign, now),
                metrics=await metrics_of(tx, [campaign.id], now),
                fund=await ledger.fund_of(tx, campaign.id),
                moves=moves,
                difficulty=await _difficulty(tx, campaign.id),
                use=use_of(moves),
                taking_part=len(taking_part),
                idle=idle_of(taking_part, moves),
                matters=await store.matters(tx, campaign.id),
                words=asked.over(ReportWords.model_validate(kept.words if kept else {})),
                dated=asked.dated,
                demo=self.kit.settings.demo,
            )
        template = await self.templates.content(REPORT, kept)
        return file_name(story.campaign.title), await self.computing.run(_document, template, story)


async def _difficulty(tx: Tx, campaign_id: UUID) -> Difficulty | None:
    kept = await calibration.kept(tx, campaign_id)
    if kept is None:
        return None
    return Difficulty(rfc3339(kept.as_of), kept.attempts, await store.too_hard_in_use(tx, campaign_id))


def _document(template: bytes, story: Story) -> bytes:
    return fill(template, SHAPE, context(story), marks=[DEMO_MARK] if story.demo else [])

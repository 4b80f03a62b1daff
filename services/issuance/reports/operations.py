"""The official report of a campaign: one snapshot is read, one Word document is made of it."""

from dataclasses import dataclass, field
from uuid import UUID

from services.issuance.calibration import store as calibration
from services.issuance.lessons.rules import Difficulty
from services.issuance.publicview.operations import campaign_view
from services.issuance.reporting.operations import metrics_of
from services.issuance.reports import store
from services.issuance.reports.rules import (
    DEMO_MARK,
    LEDGER_MEASURES,
    SHAPE,
    Story,
    context,
    file_name,
    template,
)
from shared import ledger
from shared.clock import rfc3339
from shared.computing import Computing
from shared.db import Tx
from shared.documents.wordtemplates import fill
from shared.kit import Kit
from shared.metrics.store import figures
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class Reports:
    kit: Kit
    computing: Computing = field(default_factory=Computing)

    async def report(self, slug: str) -> tuple[str, bytes]:
        """The file's name and the Word document. Raises NotFound, Busy."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            story = Story(
                campaign=await campaign_view(tx, campaign, now),
                metrics=await metrics_of(tx, [campaign.id], now),
                fund=await ledger.fund_of(tx, campaign.id),
                moves=await figures(tx, [campaign.id], LEDGER_MEASURES),
                difficulty=await _difficulty(tx, campaign.id),
                demo=self.kit.settings.demo,
            )
        return file_name(story.campaign.title), await self.computing.run(_document, story)


async def _difficulty(tx: Tx, campaign_id: UUID) -> Difficulty | None:
    kept = await calibration.kept(tx, campaign_id)
    if kept is None:
        return None
    return Difficulty(rfc3339(kept.as_of), kept.attempts, await store.too_hard_in_use(tx, campaign_id))


def _document(story: Story) -> bytes:
    return fill(template(), SHAPE, context(story), marks=[DEMO_MARK] if story.demo else [])

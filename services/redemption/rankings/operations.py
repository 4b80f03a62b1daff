"""Institutions by write-offs, month by month."""

from dataclasses import dataclass
from datetime import date

from services.redemption.rankings import store
from services.redemption.rankings.rules import next_month, ranked
from services.redemption.rankings.schemas import RankedInstitution, Ranking
from shared.clock import local_day
from shared.identity.staff import READERS, Staff
from shared.kit import Kit
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class Rankings:
    kit: Kit

    async def of_month(self, staff: Staff, campaign_slug: str, month: date | None) -> Ranking:
        """The ranking of a month (its first day; the present one without), counted as of now.

        An institution's staff see its own row, with the rank among all.

        Raises:
            NotFound: no such campaign.
        """
        async with self.kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            first = month or local_day(self.kit.clock.now(), campaign.timezone).replace(day=1)
            counts = await store.month_counts(
                tx, campaign.id, first=first, following=next_month(first), timezone=campaign.timezone
            )
        items = [
            RankedInstitution(
                rank=one.rank,
                institution_id=one.of.institution_id,
                name=one.of.name,
                count=one.of.count,
                amount_fen=one.of.amount_fen,
                share=one.share,
                distinct_holders=one.of.distinct_holders,
            )
            for one in ranked(counts)
        ]
        if not staff.has(*READERS):
            items = [item for item in items if item.institution_id == staff.institution_id]
        return Ranking(campaign=campaign.slug, month=first.isoformat()[:7], items=items)

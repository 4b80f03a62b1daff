"""Institutions by write-offs: live until a month is frozen; then only a further edition corrects it."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, ClassVar

from services.redemption.rankings import store
from services.redemption.rankings.errors import NobodyRanked
from services.redemption.rankings.rules import (
    Ranked,
    counted_until,
    paper,
    part_of,
    ranked,
    rounded,
    table,
)
from services.redemption.rankings.schemas import Freeze, RankedInstitution, Ranking
from shared.approvals import Applier, Change, propose
from shared.clock import CHINA, local_day, rfc3339
from shared.db import Tx
from shared.documents.csvfiles import csv_file
from shared.documents.workbooks import workbook
from shared.errors import Fault, InvalidRequest, NoLongerFits, NotFound
from shared.idempotency import Answer, RequestKey, once
from shared.identity.staff import READERS, Staff
from shared.ids import new_id
from shared.kit import Kit
from shared.rankings import MonthNotOver, month_of, parse_month
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

FREEZE = "ranking.freeze"


@dataclass(frozen=True, slots=True)
class Month:
    """A month's ranking: an edition of it, or live figures."""

    campaign: CampaignRef
    first: date
    lines: Sequence[Ranked]
    as_of: datetime
    edition: store.Edition | None


@dataclass(frozen=True, slots=True)
class Rankings:
    kit: Kit
    service: ClassVar[str] = "redemption"

    @property
    def appliers(self) -> Mapping[str, Applier]:
        return {FREEZE: self._apply}

    async def of_month(
        self, staff: Staff, campaign_slug: str, month: str | None, edition: int | None
    ) -> Ranking:
        """The latest edition of a frozen month (or the one asked for), else figures as of now.

        An institution's staff see its own row, with the ranks among all.

        Raises:
            NotFound: no such campaign, or no such edition.
        """
        found = await self._month(campaign_slug, month, edition)
        total = sum(line.of.count for line in found.lines)
        return Ranking(
            campaign=found.campaign.slug,
            month=f"{found.first:%Y-%m}",
            frozen=found.edition is not None,
            edition=found.edition.edition if found.edition else None,
            reason=found.edition.reason if found.edition else None,
            as_of=rfc3339(found.as_of),
            items=[_item(line, total) for line in found.lines if _visible(staff, line)],
        )

    async def workbook(self, campaign_slug: str, month: str | None, edition: int | None) -> bytes:
        """The same as a sheet, for the bureau. Raises NotFound."""
        found = await self._month(campaign_slug, month, edition)
        told = [("状态", _state(found))]
        if found.edition is not None and found.edition.reason:
            told.append(("更正原因", found.edition.reason))
        sheet = paper(
            found.lines,
            campaign=found.campaign.title,
            month=f"{found.first:%Y-%m}",
            told=[*told, ("统计截至", _moment(found.as_of))],
            demo=self.kit.settings.demo,
        )
        return await asyncio.to_thread(workbook, [sheet])

    async def table(self, campaign_slug: str, month: str | None, edition: int | None) -> bytes:
        """The same as CSV, for the bureau. Raises NotFound."""
        found = await self._month(campaign_slug, month, edition)
        rows = table(
            found.lines, month=f"{found.first:%Y-%m}", state=_state(found), as_of=_moment(found.as_of)
        )
        return await asyncio.to_thread(csv_file, rows)

    async def frozen(self, campaign_slug: str) -> list[store.Frozen]:
        """Every edition of a campaign's frozen months, the latest first. Raises NotFound."""
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            return await store.editions(tx, campaign.id)

    async def _month(self, campaign_slug: str, month: str | None, edition: int | None) -> Month:
        now = self.kit.clock.now()
        async with self.kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            first = _first_day(month, campaign, now)
            found = await store.edition(tx, campaign.id, first, edition)
            if found is not None:
                return Month(campaign, first, await store.items(tx, found.id), found.as_of, found)
            if edition is not None:
                raise NotFound
            counts = await store.month_counts(tx, campaign, first, as_of=now)
        return Month(campaign, first, ranked(counts), now, None)

    async def propose_freeze(self, staff: Staff, freeze: Freeze, key: RequestKey | None) -> Answer:
        """Proposes to publish a month that is over; of one that is frozen already, a further edition.

        Raises:
            NotFound, MonthNotOver, NobodyRanked, RequestNoReused.
            InvalidRequest: a correction without a reason.
        """
        now = self.kit.clock.now()

        async def act() -> dict[str, Any]:
            campaign = await catalogue.campaign_by_slug(tx, freeze.campaign)
            first = _first_day(freeze.month, campaign, now)
            if month_of(first)[1] >= local_day(counted_until(now), campaign.timezone):
                raise MonthNotOver
            before = await store.edition(tx, campaign.id, first)
            if before is not None and freeze.reason is None:
                fault = Fault("body.reason", "该月已冻结，更正须说明理由", "reason_required")
                raise InvalidRequest(faults=(fault,))
            counts = await store.month_counts(tx, campaign, first, as_of=counted_until(now))
            if not counts:
                raise NobodyRanked
            return await propose(
                tx,
                staff,
                service=self.service,
                kind=FREEZE,
                target=campaign.slug,
                body={
                    "month": freeze.month,
                    "reason": freeze.reason,
                    "edition": before.edition + 1 if before else 1,
                    "count": sum(one.count for one in counts),
                    "flagged": sum(one.flagged for one in counts),
                },
                before={"edition": before.edition} if before else {},
                reason=freeze.reason,
                now=now,
            )

        async with self.kit.database.transaction(slow=True) as tx:
            return await once(tx, key, sealer=self.kit.keys.sealer, now=now, act=act)

    async def _apply(self, tx: Tx, change: Change) -> None:
        """Publishes what had reached us five minutes ago: nothing of it can still be under way.

        Raises:
            NoLongerFits: another edition came first.
        """
        now = self.kit.clock.now()
        await store.lock_campaign(tx, change.target)
        campaign = await catalogue.campaign_by_slug(tx, change.target)
        first = _first_day(change.body["month"], campaign, now)
        before = await store.edition(tx, campaign.id, first)
        if change.body["edition"] != (before.edition + 1 if before else 1):
            raise NoLongerFits("该月已有新的版次，请重新提交。")
        as_of = counted_until(now)
        header = {
            "id": new_id(),
            "campaign_id": campaign.id,
            "month": first,
            "edition": change.body["edition"],
            "reason": change.body["reason"],
            "as_of": as_of,
            "change_id": change.id,
            "frozen_at": now,
        }
        lines = ranked(await store.month_counts(tx, campaign, first, as_of=as_of))
        await store.insert_edition(tx, header, lines)


def _first_day(month: str | None, campaign: CampaignRef, now: datetime) -> date:
    """Of a month as a schema lets it in; of the present one without."""
    told = None if month is None else parse_month(month)
    return told or month_of(local_day(now, campaign.timezone))[0]


def _state(month: Month) -> str:
    return f"已冻结，第 {month.edition.edition} 版" if month.edition else "实时，尚未冻结"


def _moment(at: datetime) -> str:
    return at.astimezone(CHINA).strftime("%Y-%m-%d %H:%M")


def _visible(staff: Staff, line: Ranked) -> bool:
    return staff.has(*READERS) or line.of.institution_id == staff.institution_id


def _item(line: Ranked, total: int) -> RankedInstitution:
    of = line.of
    return RankedInstitution(
        rank=line.rank,
        institution_id=of.institution_id,
        name=of.name,
        category=of.category,
        count=of.count,
        amount_fen=of.amount_fen,
        share=part_of(of.count, total),
        distinct_holders=of.distinct_holders,
        by_voucher_type=dict(of.by_voucher_type),
        flagged=of.flagged,
        flagged_share=part_of(of.flagged, of.count),
        hourly_capacity=of.hourly_capacity,
        per_capacity=rounded(of.per_capacity),
        rank_in_category=line.rank_in_category,
        rank_by_holders=line.rank_by_holders,
        rank_per_capacity=line.rank_per_capacity,
    )

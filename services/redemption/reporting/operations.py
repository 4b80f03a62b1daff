"""The service's figures: for dashboards, for institutions, for Prometheus."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import get_args
from uuid import UUID

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from services.redemption.lockouts import store as lockouts
from services.redemption.reporting import store
from services.redemption.reporting.rules import MEASURES, Totals, add_up
from services.redemption.reporting.schemas import (
    DayFigures,
    DayStatistics,
    InstitutionFigures,
    Metrics,
    Statistics,
)
from services.redemption.risk.rules import CaseKind
from services.redemption.risk.store import count_open, open_by_kind
from services.redemption.riskdays.store import deferred_by_campaign, mark
from services.redemption.serviceresults import store as serviceresults
from services.redemption.settlement.rules import Status
from services.redemption.settlement.store import amounts_by_status
from shared import ledger
from shared.clock import rfc3339
from shared.db import Tx
from shared.errors import Forbidden, NotFound
from shared.identity.staff import READERS, Staff
from shared.ids import parse_hot_id
from shared.kit import Kit
from shared.metrics.looks import Looks
from shared.metrics.store import Figure, figures
from shared.outbox import OutboxItem
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef


@dataclass(frozen=True, slots=True)
class Reporting:
    kit: Kit
    looks: Looks = field(default_factory=Looks)

    async def metrics(self, campaign_slug: str | None, institution_id: str | None) -> Metrics:
        """Live totals of a campaign (of all without one), of one institution only where it is named.

        Raises:
            NotFound: no such campaign.
        """
        async with self.kit.database.snapshot() as tx:
            campaigns = await self._campaigns(tx, campaign_slug)
            ids = [campaign.id for campaign in campaigns]
            totals = Totals()
            for campaign_id, found in (await self._figures(tx, ids, institution_id)).items():
                fund = await ledger.fund_of(tx, campaign_id)
                add_up(totals, found, [payer.key for payer in fund.payers])
            names = await store.institution_names(tx, ids)
            open_cases = await count_open(tx, ids, institution_id)
        if institution_id is not None:
            names = {key: name for key, name in names.items() if key == institution_id}
        return Metrics(
            as_of=rfc3339(self.kit.clock.now()),
            redeemed=totals.all.count,
            reversed=totals.all.reversed,
            applied_fen=totals.all.applied_fen,
            by_voucher_type={key: part.count for key, part in sorted(totals.by_voucher_type.items())},
            by_funding_source=dict(totals.by_payer),
            by_institution=_by_institution(totals, names),
            daily=_daily(totals),
            open_cases=open_cases,
        )

    async def statistics(self, staff: Staff, institution_id: str, campaign_slug: str) -> Statistics:
        """An institution's own days, for the bureau and for itself.

        Raises:
            Forbidden, NotFound.
        """
        if not staff.has(*READERS) and staff.institution_id != institution_id:
            raise Forbidden
        async with self.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, campaign_slug)
            if not await store.institution_exists(tx, institution_id):
                raise NotFound
            counts = await store.day_counts(tx, campaign.id, institution_id)
        items = [
            DayStatistics(
                date=one.day.isoformat(),
                voucher_type=one.voucher_type,
                count=one.count,
                applied_fen=one.applied_fen,
            )
            for one in counts
            if one.count
        ]
        return Statistics(institution_id=institution_id, campaign=campaign.slug, items=items)

    async def count(self, tx: Tx, items: Sequence[OutboxItem], *, sign: int) -> None:
        """The effect of the counting jobs, in the transaction that ends their rows."""
        ids = [parse_hot_id(str(item.payload["redemption_id"])) for item in items]
        await store.count(tx, ids, sign=sign)
        await mark(tx, ids)

    async def prometheus(self) -> list[Metric]:
        """The totals as metric families.

        By status a write-off moves from redeemed to reversed, so these are gauges; the events beside
        them only grow.
        """
        by_status = GaugeMetricFamily(
            "hv_redemptions_total",
            "Write-offs by their present status",
            labels=("campaign", "voucher_type", "status"),
        )
        redeemed_fen = GaugeMetricFamily(
            "hv_redeemed_fen_total",
            "Money of live write-offs per payer",
            labels=("campaign", "funding_source"),
        )
        events = CounterMetricFamily(
            "hv_redemption_events",
            "Write-offs and reversals that happened",
            labels=("campaign", "voucher_type", "event"),
        )
        settled_fen = GaugeMetricFamily(
            "hv_settlement_fen",
            "Money of settlements by their present status, corrections taken off",
            labels=("campaign", "status"),
        )
        async with self.kit.database.snapshot() as tx:
            open_cases = await _open_cases(tx)
            deferred = await _deferred_days(tx)
            tills = await _of_tills(tx, self.kit.clock.now())
            settled = await amounts_by_status(tx)
            funds = await _of_funds(tx)
            for campaign in await catalogue.campaigns(tx):
                for status in get_args(Status):
                    settled_fen.add_metric([campaign.slug, status], settled.get((campaign.id, status), 0))
                found = (await self._figures(tx, [campaign.id], None)).get(campaign.id, [])
                fund = await ledger.fund_of(tx, campaign.id)
                totals = Totals()
                add_up(totals, found, [payer.key for payer in fund.payers])
                for voucher_type in await catalogue.voucher_types(tx, campaign.id):
                    part = totals.by_voucher_type[voucher_type.key]
                    key = [campaign.slug, voucher_type.key]
                    by_status.add_metric([*key, "redeemed"], part.count)
                    by_status.add_metric([*key, "reversed"], part.reversed)
                    events.add_metric([*key, "redeemed"], part.count + part.reversed)
                    events.add_metric([*key, "reversed"], part.reversed)
                for payer_key, fen in totals.by_payer.items():
                    redeemed_fen.add_metric([campaign.slug, payer_key], fen)
        return [by_status, redeemed_fen, events, settled_fen, funds, open_cases, deferred, *tills]

    async def _campaigns(self, tx: Tx, slug: str | None) -> list[CampaignRef]:
        if slug is None:
            return await catalogue.campaigns(tx)
        return [await catalogue.campaign_by_slug(tx, slug)]

    async def _figures(
        self, tx: Tx, campaigns: list[UUID], institution_id: str | None
    ) -> dict[UUID, list[Figure]]:
        found: defaultdict[UUID, list[Figure]] = defaultdict(list)
        for campaign_id in campaigns:
            found[campaign_id] = []
        for figure in await figures(tx, campaigns, MEASURES):
            if institution_id is None or figure.dim2 == institution_id:
                found[figure.scope_id].append(figure)
        return found


async def _open_cases(tx: Tx) -> Metric:
    family = GaugeMetricFamily(
        "hv_risk_open_cases", "Cases that wait for somebody to look", labels=("campaign", "kind")
    )
    found = await open_by_kind(tx)
    for campaign in await catalogue.campaigns(tx):
        for kind in get_args(CaseKind):
            family.add_metric([campaign.slug, kind], found.get((campaign.id, kind), 0))
    return family


async def _of_funds(tx: Tx) -> Metric:
    family = GaugeMetricFamily(
        "hv_fund_fen",
        "Money of each payer: available, committed, payable, paid; together what it put up",
        labels=("campaign", "funding_source", "account"),
    )
    for campaign in await catalogue.campaigns(tx):
        fund = await ledger.fund_of(tx, campaign.id)
        for account, held in (await ledger.accounts(tx, campaign.id, len(fund.payers))).items():
            for payer, fen in zip(fund.payers, held, strict=True):
                family.add_metric([campaign.slug, payer.key, account], fen)
    return family


async def _deferred_days(tx: Tx) -> Metric:
    family = GaugeMetricFamily(
        "hv_risk_days_deferred",
        "Days that could not be judged and wait for another try",
        labels=("campaign",),
    )
    found = await deferred_by_campaign(tx)
    for campaign in await catalogue.campaigns(tx):
        family.add_metric([campaign.slug], found.get(campaign.id, 0))
    return family


async def _of_tills(tx: Tx, now: datetime) -> list[Metric]:
    """What tills sent that nobody has, and the service results that they reported."""
    wrong_codes = CounterMetricFamily("hv_wrong_codes", "Voucher codes that tills sent and nobody has")
    locked = GaugeMetricFamily("hv_terminals_locked", "Terminals that are locked after too many of them")
    results = GaugeMetricFamily(
        "hv_service_results", "Service results by how far they have come", labels=("status",)
    )
    misses, locks = await lockouts.totals(tx, now)
    wrong_codes.add_metric([], misses)
    locked.add_metric([], locks)
    counted = await serviceresults.counts(tx)
    for status in serviceresults.STATUSES:
        results.add_metric([status], counted.get(status, 0))
    return [wrong_codes, locked, results]


def _by_institution(totals: Totals, names: dict[str, str]) -> list[InstitutionFigures]:
    """The most write-offs first; institutions without any follow."""
    items = [
        InstitutionFigures(
            institution_id=institution_id,
            name=name,
            count=totals.by_institution[institution_id].count,
            applied_fen=totals.by_institution[institution_id].applied_fen,
        )
        for institution_id, name in names.items()
    ]
    return sorted(items, key=lambda item: -item.count)


def _daily(totals: Totals) -> list[DayFigures]:
    return [
        DayFigures(
            date=day.isoformat(), redeemed=part.count, reversed=part.reversed, applied_fen=part.applied_fen
        )
        for day, part in sorted(totals.by_day.items())
    ]

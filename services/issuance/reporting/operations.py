"""The service's figures, for dashboards and for Prometheus: each from one instant, all from the database."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

from services.issuance.holds import store as holds
from services.issuance.reporting import store
from services.issuance.reporting.rules import (
    MEASURES,
    Totals,
    Way,
    add_up,
    announced_odds,
    observed_odds,
    odds_drift_p,
)
from services.issuance.reporting.schemas import Day, Metrics, WayFigures
from shared.clock import machine_now, rfc3339
from shared.db import Tx
from shared.kit import Kit
from shared.metrics.looks import Looks
from shared.metrics.store import Figure, figures
from shared.outbox.store import backlog
from shared.rates import rate_text
from shared.vouchers import catalogue


@dataclass(frozen=True, slots=True)
class Reporting:
    kit: Kit
    looks: Looks = field(default_factory=Looks)

    async def metrics(self, slug: str | None) -> Metrics:
        """A campaign's figures, of all campaigns together without one. Raises NotFound."""
        now = self.kit.clock.now()
        async with self.kit.database.snapshot() as tx:
            return await metrics_of(tx, await _campaigns(tx, slug), now)

    async def prometheus(self) -> list[Metric]:
        """The same totals as metric families, for every campaign."""
        async with self.kit.database.snapshot() as tx:
            campaigns = await catalogue.campaigns(tx)
            slugs = {campaign.id: campaign.slug for campaign in campaigns}
            totals = await _totals_by_campaign(tx, list(slugs))
            stock = await store.stock(tx, list(slugs))
            on_hold = await holds.open_holds(tx, list(slugs))
            types = {key: await catalogue.voucher_types(tx, key) for key in slugs}
            offered = {key: await store.channels(tx, [key]) for key in slugs}
            waiting = await backlog(tx)
        attempts = CounterMetricFamily(
            "hv_quiz_attempts", "Answered quiz attempts", labels=("campaign", "passed")
        )
        draws = CounterMetricFamily("hv_draws", "Draws", labels=("campaign", "won"))
        issued = CounterMetricFamily(
            "hv_vouchers_issued", "Vouchers issued", labels=("campaign", "voucher_type")
        )
        for key, slug in slugs.items():
            sums = totals[key].all
            attempts.add_metric([slug, "true"], sums.passed)
            attempts.add_metric([slug, "false"], sums.attempts - sums.passed)
            draws.add_metric([slug, "true"], sums.wins)
            draws.add_metric([slug, "false"], sums.draws - sums.wins)
            for entry in types[key]:
                issued.add_metric([slug, entry.key], totals[key].issued_by_type[entry.key])
        held = GaugeMetricFamily("hv_awards_on_hold", "Wins that staff have to look at", labels=("campaign",))
        for key, slug in slugs.items():
            held.add_metric([slug], on_hold.get(key, 0))
        pending = GaugeMetricFamily("hv_outbox_pending", "Outbox rows that wait", value=waiting.waiting)
        age = 0.0 if waiting.oldest is None else (machine_now() - waiting.oldest).total_seconds()
        oldest = GaugeMetricFamily(
            "hv_outbox_oldest_seconds", "Age of the outbox row that waits longest", value=max(age, 0.0)
        )
        ways = _way_families(
            (slug, channel, totals[key].ways[channel])
            for key, slug in slugs.items()
            for channel in offered[key]
        )
        of_stock = _stock_families(slugs, stock, self.kit.clock.now())
        return [attempts, draws, issued, *of_stock, *ways, held, pending, oldest]


async def metrics_of(tx: Tx, campaigns: Sequence[UUID], now: datetime) -> Metrics:
    """The figures of these campaigns together, all from the caller's snapshot."""
    ids = list(campaigns)
    totals = add_up(await figures(tx, ids, MEASURES))
    remaining = Counter[str]()
    for stock in await store.stock(tx, ids, not_closed_at=now):
        remaining[stock.voucher_type] += stock.remaining
    on_hold = await holds.open_holds(tx, ids)
    types = [entry.key for key in ids for entry in await catalogue.voucher_types(tx, key)]
    observed = observed_odds(totals.all)
    announced = announced_odds(totals.draws_at, await store.odds_in_force(tx, ids, now))
    return Metrics(
        as_of=rfc3339(now),
        attempts=totals.all.attempts,
        passed=totals.all.passed,
        chances=totals.all.chances,
        draws=totals.all.draws,
        wins=totals.all.wins,
        vouchers_issued=totals.all.issued,
        # Also the types that nobody has chosen: a report that leaves them out does not add up.
        issued_by_type={key: totals.issued_by_type[key] for key in types},
        stock_remaining=dict(remaining),
        awards_open=await store.awards_open(tx, ids),
        awards_on_hold=sum(on_hold.values()),
        observed_odds=None if observed is None else rate_text(observed),
        announced_odds=None if announced is None else rate_text(announced),
        odds_drift_p=odds_drift_p(totals.all.wins, totals.draws_at),
        by_channel={channel: _way(totals.ways[channel]) for channel in await store.channels(tx, ids)},
        shares_accepted=dict(totals.kinds["share"]),
        leads_verified=dict(totals.kinds["lead"]),
        daily=_daily(totals),
    )


async def _campaigns(tx: Tx, slug: str | None) -> list[UUID]:
    if slug is None:
        return [campaign.id for campaign in await catalogue.campaigns(tx)]
    return [(await catalogue.campaign_by_slug(tx, slug)).id]


async def _totals_by_campaign(tx: Tx, campaigns: Sequence[UUID]) -> dict[UUID, Totals]:
    found: defaultdict[UUID, list[Figure]] = defaultdict(list)
    for figure in await figures(tx, list(campaigns), MEASURES):
        found[figure.scope_id].append(figure)
    return {key: add_up(found[key]) for key in campaigns}


def _way(way: Way) -> WayFigures:
    return WayFigures(
        submitted=way.submitted,
        accepted=way.accepted,
        rejected=way.rejected,
        pending=way.pending,
        chances=way.chances,
        draws=way.draws,
        wins=way.wins,
        issued=way.issued,
    )


def _stock_families(slugs: Mapping[UUID, str], stock: Iterable[store.Stock], now: datetime) -> list[Metric]:
    labels = ("campaign", "phase", "voucher_type")
    remaining = GaugeMetricFamily(
        "hv_stock_remaining", "Vouchers that a phase can still give out", labels=labels
    )
    put_in = GaugeMetricFamily("hv_stock_put_in", "Vouchers that were put into a phase", labels=labels)
    claimable = GaugeMetricFamily(
        "hv_stock_claimable", "Of those that remain, how many the release plan lets go by now", labels=labels
    )
    is_open = GaugeMetricFamily(
        "hv_phase_open", "1: the phase has opened and not yet closed", labels=("campaign", "phase")
    )
    phases = {}
    for row in stock:
        key = [slugs[row.campaign_id], str(row.phase_seq)]
        remaining.add_metric([*key, row.voucher_type], row.remaining)
        put_in.add_metric([*key, row.voucher_type], row.put_in)
        claimable.add_metric([*key, row.voucher_type], row.claimable(now))
        phases[tuple(key)] = row.is_open(now)
    for phase, opened in phases.items():
        is_open.add_metric(phase, int(opened))
    return [remaining, put_in, claimable, is_open]


def _way_families(ways: Iterable[tuple[str, str, Way]]) -> list[Metric]:
    """One line for each campaign and way to take part: `ways` are campaign, channel and its figures."""
    labels = ("campaign", "channel")
    activities = GaugeMetricFamily(
        "hv_participations", "Attempts and activities by what became of them", labels=(*labels, "state")
    )
    chances = CounterMetricFamily("hv_chances", "Chances granted", labels=labels)
    draws = CounterMetricFamily("hv_channel_draws", "Draws by way", labels=(*labels, "won"))
    issued = CounterMetricFamily("hv_channel_vouchers_issued", "Vouchers issued by way", labels=labels)
    for slug, channel, way in ways:
        for state, n in (("accepted", way.accepted), ("rejected", way.rejected), ("pending", way.pending)):
            activities.add_metric([slug, channel, state], n)
        chances.add_metric([slug, channel], way.chances)
        draws.add_metric([slug, channel, "true"], way.wins)
        draws.add_metric([slug, channel, "false"], way.draws - way.wins)
        issued.add_metric([slug, channel], way.issued)
    return [activities, chances, draws, issued]


def _daily(totals: Totals) -> list[Day]:
    return [
        Day(
            date=day.isoformat(),
            attempts=sums.attempts,
            participants=sums.participants,
            passed=sums.passed,
            draws=sums.draws,
            wins=sums.wins,
            issued=sums.issued,
        )
        for day, sums in sorted(totals.by_day.items())
    ]

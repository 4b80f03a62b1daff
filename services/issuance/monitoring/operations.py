"""The draw monitor and the funnel: read only, each from one instant."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily

from services.issuance.campaigns import store as campaigns
from services.issuance.monitoring import store
from services.issuance.monitoring.rules import (
    PERSON_STEPS,
    Counted,
    DrawnCell,
    Drifts,
    Step,
    bounds_of,
    days_of,
    drifts,
    funnel,
)
from services.issuance.monitoring.schemas import (
    ChannelDrift,
    ChannelFunnel,
    DayChannelDrift,
    DayDrift,
    DayFunnel,
    DrawMonitor,
    DriftView,
    Funnel,
    StepView,
)
from services.issuance.monitoring.store import KeptFunnel
from services.issuance.responses.rules import buckets_of_sample
from shared.clock import rfc3339
from shared.computing import Computing
from shared.db import Tx
from shared.errors import NotFound
from shared.ids import BUCKETS
from shared.kit import Kit
from shared.metrics.store import Figure, figures
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef

_MEASURES = ["attempt", "activity", "chance", "draw", "open"]
# Above this many attempts those that were begun are counted in a sample of persons: counting five million
# rows takes a second.
_COUNTED_ATTEMPTS = 500_000
# Up to so many (attempts, activities, chances, draws) the funnel is counted when it is asked for: some 50 ms.
LIVE_FIGURES = 40_000
_LIVE_PERSONS = 100_000
# Counting that of a million persons takes seconds; nobody needs it newer.
_KEPT_FOR = timedelta(minutes=5)


@dataclass(slots=True)
class _Funnel:
    """Of the whole time, and of each day; `opened` are devices."""

    opened: Counter[date] = field(default_factory=Counter)
    whole: Counted = field(default_factory=Counted)
    days: defaultdict[date, Counted] = field(default_factory=lambda: defaultdict(Counted))

    def add(self, day: date, step: str, channel: str, n: int) -> None:
        self.whole.add(step, channel, n)
        self.days[day].add(step, channel, n)


class Monitoring:
    def __init__(self, kit: Kit, *, live_figures: int = LIVE_FIGURES) -> None:
        self._kit = kit
        self._live_figures = live_figures
        self._computing = Computing()

    async def draws(self, slug: str, seq: int | None) -> DrawMonitor:
        """Announced against observed odds, of one phase or of all. Raises NotFound, Busy."""
        now = self._kit.clock.now()
        async with self._kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            cells = await self._drawn(tx, campaign, seq)
        found = await self._computing.run(drifts, cells)
        return _monitor(found, as_of=rfc3339(now))

    async def _drawn(self, tx: Tx, campaign: CampaignRef, seq: int | None) -> list[DrawnCell]:
        """Out of the roll-ups, which know days and no phases; on a day of two phases draws are counted."""
        drawn = (await store.drawn(tx, [campaign.id]))[campaign.id]
        if seq is None:
            return drawn
        phases = await store.phases(tx, campaign.id)
        phase = next((phase for phase in phases if phase.seq == seq), None)
        if phase is None:
            raise NotFound
        days = days_of(phase, phases, campaign.timezone)
        cells = [cell for cell in drawn if cell.day in days.own]
        for day in days.shared:
            begin, end = bounds_of(day, campaign.timezone)
            cells += await store.drawn_on(tx, phase.id, day, begin, end)
        return cells

    async def prometheus(self) -> list[Metric]:
        """Whether the draws of each campaign keep the announced odds, for alarms."""
        async with self._kit.database.snapshot() as tx:
            slugs = {campaign.id: campaign.slug for campaign in await catalogue.campaigns(tx)}
            drawn = await store.drawn(tx, list(slugs))
        p = GaugeMetricFamily(
            "hv_draw_odds_drift_p",
            "How probable wins as unlikely as the observed ones are under the announced odds",
            labels=("campaign",),
        )
        alarm = GaugeMetricFamily(
            "hv_draw_odds_alarm",
            "1: wins of a day, of a way to take part, or of all draws do not fit the announced odds",
            labels=("campaign",),
        )
        for key, slug in slugs.items():
            found = await asyncio.to_thread(drifts, drawn[key])
            p.add_metric([slug], found.total.p)
            alarm.add_metric([slug], float(found.alarming))
        return [p, alarm]

    async def funnel(self, slug: str) -> Funnel:
        """How many came how far, in each way to take part and on each day. Raises NotFound.

        Of a large campaign as a job counted it last; of any other as it is now.
        """
        async with self._kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            tallied = await figures(tx, [campaign.id], _MEASURES)
            if await self._is_large(tx, tallied):
                kept = await store.kept_funnel(tx, campaign.id)
                if kept is not None:
                    return Funnel.model_validate(kept.told)
            return await self._counted(tx, campaign, tallied)

    async def keep_funnels(self) -> int:
        """Counts anew what changed in large campaigns, each at most every few minutes; returns how many."""
        now, kept = self._kit.clock.now(), 0
        async with self._kit.database.snapshot() as tx:
            found = await catalogue.campaigns(tx)
        for campaign in found:
            async with self._kit.database.snapshot(slow=True) as tx:
                tallied = await figures(tx, [campaign.id], _MEASURES)
                basis, known = _basis(tallied), await store.kept_funnel(tx, campaign.id)
                if not await self._is_large(tx, tallied) or not _due(known, basis, now):
                    continue
                funnel = await self._counted(tx, campaign, tallied)
            async with self._kit.database.transaction() as tx:
                told = funnel.model_dump(mode="json")
                await store.keep_funnel(tx, campaign.id, KeptFunnel(now, basis, told))
            kept += 1
        return kept

    async def _is_large(self, tx: Tx, tallied: Sequence[Figure]) -> bool:
        """The campaign, or the platform, whose persons stand first in every funnel."""
        return _basis(tallied) > self._live_figures or await store.persons_about(tx) > _LIVE_PERSONS

    async def _counted(self, tx: Tx, campaign: CampaignRef, tallied: Sequence[Figure]) -> Funnel:
        now, counted = self._kit.clock.now(), _Funnel()
        channels = [channel.key for channel in await campaigns.channels(tx, campaign.id)]
        answered = _add_tallied(counted, tallied)
        for claimed in await store.claimed(tx, campaign.id, campaign.timezone):
            counted.add(claimed.day, claimed.step, claimed.channel, claimed.vouchers)
        buckets = buckets_of_sample(answered, _COUNTED_ATTEMPTS)
        for day, n in (await store.started(tx, campaign.id, buckets=buckets)).items():
            counted.add(day, "started", "quiz", n)
        persons = await store.persons(tx, campaign.id, buckets=buckets)
        return Funnel(
            as_of=rfc3339(now),
            opened=sum(counted.opened.values()),
            started_estimated=buckets < BUCKETS,
            persons=_views(funnel(zip(PERSON_STEPS, persons, strict=True))),
            steps=_views(counted.whole.together()),
            channels=_channels(counted.whole, channels),
            daily=[
                DayFunnel(
                    date=day.isoformat(),
                    opened=counted.opened.get(day, 0),
                    channels=_channels(counted.days[day], channels),
                )
                for day in sorted(counted.days.keys() | counted.opened.keys())
            ],
        )


def _basis(tallied: Sequence[Figure]) -> int:
    return sum(figure.n for figure in tallied)


def _due(kept: KeptFunnel | None, basis: int, now: datetime) -> bool:
    """Also when the demonstration's clock was put back."""
    return kept is None or (kept.basis != basis and not timedelta() <= now - kept.as_of < _KEPT_FOR)


def _add_tallied(counted: _Funnel, tallied: Sequence[Figure]) -> int:
    """What the roll-ups tell of the steps; returns how many attempts were answered."""
    answered = 0
    for figure in tallied:
        match figure.measure:
            case "attempt":
                answered += figure.n
                counted.add(figure.day, "answered", "quiz", figure.n)
                counted.add(figure.day, "passed", "quiz", figure.n if figure.dim == "passed" else 0)
            case "activity":
                counted.add(figure.day, "submitted", figure.dim, figure.n)
                counted.add(figure.day, "accepted", figure.dim, figure.n if figure.dim2 == "accepted" else 0)
            case "open":
                counted.opened[figure.day] += figure.n
            case "chance":
                counted.add(figure.day, "chances", figure.dim, figure.n)
            case _:
                counted.add(figure.day, "draws", figure.dim2, figure.n)
                counted.add(figure.day, "wins", figure.dim2, figure.n if figure.dim == "won" else 0)
    return answered


def _channels(counted: Counted, channels: Sequence[str]) -> list[ChannelFunnel]:
    return [ChannelFunnel(channel=channel, steps=_views(counted.of(channel))) for channel in channels]


def _views(steps: Sequence[Step]) -> list[StepView]:
    return [StepView.of(step) for step in steps]


def _monitor(found: Drifts, *, as_of: str) -> DrawMonitor:
    return DrawMonitor(
        as_of=as_of,
        alarm=found.alarming,
        alarm_p=found.alarm_p,
        total=DriftView.of(found.total, alarm=found.alarms(found.total)),
        by_day=[
            DayDrift.of(drift, alarm=found.alarms(drift), date=day.isoformat())
            for day, drift in found.by_day.items()
        ],
        by_channel=[
            ChannelDrift.of(drift, alarm=found.alarms(drift), channel=channel)
            for channel, drift in found.by_channel.items()
        ],
        by_day_and_channel=[
            DayChannelDrift.of(drift, alarm=found.alarms(drift), date=day.isoformat(), channel=channel)
            for (day, channel), drift in found.by_day_and_channel.items()
        ],
    )

"""The draw monitor and the funnel: read only, each from one instant."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from services.issuance.campaigns import store as campaigns
from services.issuance.monitoring import store
from services.issuance.monitoring.rules import ODDS_ALARM_P, Drifts, drifts, funnel
from services.issuance.monitoring.schemas import (
    ChannelDrift,
    ChannelFunnel,
    DayChannelDrift,
    DayDrift,
    DrawMonitor,
    DriftView,
    Funnel,
    StepView,
)
from services.issuance.responses.rules import buckets_of_sample
from shared.clock import rfc3339
from shared.computing import Computing
from shared.errors import NotFound
from shared.ids import BUCKETS
from shared.kit import Kit
from shared.metrics.store import Figure, figures
from shared.vouchers import catalogue

_MEASURES = ["attempt", "activity", "chance", "draw"]
# Above this many attempts those that were begun are counted in a sample of persons: counting five million
# rows takes a second.
_COUNTED_ATTEMPTS = 500_000
# What every way has in common, in its order.
_FROM_CHANCE = ("chances", "draws", "wins", "claimed", "redeemed")


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many came to each step, by way."""

    answered: int
    passed: int
    by_step: Mapping[str, Counter[str]]


class Monitoring:
    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._computing = Computing()

    async def draws(self, slug: str, seq: int | None) -> DrawMonitor:
        """Announced against observed odds, of one phase or of all. Raises NotFound, Busy."""
        now = self._kit.clock.now()
        async with self._kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            phases = await store.phases(tx, campaign.id, seq)
            if not phases:
                raise NotFound
            cells = await store.drawn(tx, phases)
        found = await self._computing.run(drifts, cells)
        return _monitor(found, as_of=rfc3339(now))

    async def funnel(self, slug: str) -> Funnel:
        """How many came how far, in each way to take part. Raises NotFound."""
        now = self._kit.clock.now()
        async with self._kit.database.snapshot(slow=True) as tx:
            campaign = await catalogue.campaign_by_slug(tx, slug)
            channels = await campaigns.channels(tx, campaign.id)
            counts = _counted(await figures(tx, [campaign.id], _MEASURES))
            for claimed in await store.claimed(tx, campaign.id):
                counts.by_step["claimed"][claimed.channel] += claimed.vouchers
                counts.by_step["redeemed"][claimed.channel] += claimed.redeemed
            buckets = buckets_of_sample(counts.answered, _COUNTED_ATTEMPTS)
            started = await store.started(tx, campaign.id, buckets=buckets)
        return Funnel(
            as_of=rfc3339(now),
            started_estimated=buckets < BUCKETS,
            steps=_steps([(step, counts.by_step[step].total()) for step in _FROM_CHANCE]),
            channels=[
                ChannelFunnel(
                    channel=channel.key,
                    steps=_steps(
                        [
                            *_until_chance(channel.key, counts, started),
                            *((step, counts.by_step[step][channel.key]) for step in _FROM_CHANCE),
                        ]
                    ),
                )
                for channel in channels
            ],
        )


def _counted(tallied: list[Figure]) -> _Counts:
    by_step: dict[str, Counter[str]] = {step: Counter() for step in ("submitted", "accepted", *_FROM_CHANCE)}
    outcomes: Counter[str] = Counter()
    for figure in tallied:
        match figure.measure:
            case "attempt":
                outcomes[figure.dim] += figure.n
            case "activity":
                by_step["submitted"][figure.dim] += figure.n
                by_step["accepted"][figure.dim] += figure.n if figure.dim2 == "accepted" else 0
            case "chance":
                by_step["chances"][figure.dim] += figure.n
            case _:
                by_step["draws"][figure.dim2] += figure.n
                by_step["wins"][figure.dim2] += figure.n if figure.dim == "won" else 0
    return _Counts(answered=outcomes.total(), passed=outcomes["passed"], by_step=by_step)


def _until_chance(channel: str, counts: _Counts, started: int) -> list[tuple[str, int]]:
    if channel == "quiz":
        return [("started", started), ("answered", counts.answered), ("passed", counts.passed)]
    return [(step, counts.by_step[step][channel]) for step in ("submitted", "accepted")]


def _steps(counts: list[tuple[str, int]]) -> list[StepView]:
    return [StepView.of(step) for step in funnel(counts)]


def _monitor(found: Drifts, *, as_of: str) -> DrawMonitor:
    return DrawMonitor(
        as_of=as_of,
        alarm=found.alarming,
        alarm_p=ODDS_ALARM_P,
        total=DriftView.of(found.total),
        by_day=[DayDrift.of(drift, date=day.isoformat()) for day, drift in found.by_day.items()],
        by_channel=[ChannelDrift.of(drift, channel=channel) for channel, drift in found.by_channel.items()],
        by_day_and_channel=[
            DayChannelDrift.of(drift, date=day.isoformat(), channel=channel)
            for (day, channel), drift in found.by_day_and_channel.items()
        ],
    )

"""Tills at work while the draw is stormed: what the write-off's p99 becomes."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.hotpath import requests
from bench.hotpath.pairs import Run, in_turn
from bench.hotpath.town import Person, Voucher
from bench.load import Open, Outcome, closed_loop, together
from bench.machine import used
from bench.rows import Row, at_most, row_of
from bench.scenes.arrivals import even, scattered
from bench.scenes.stage import CONNECTIONS, WARM, Stage, p50_p99, require

NAME = "write-off while the draw is stormed"
# Each has one request under way at most.
TILLS = 64
# Of what the stack can do of each alone: below saturation together, far above it in the burst.
TILLS_SHARE, DRAWS_SHARE = 0.2, 0.1
TIMES = 10
# Citizens whose requests are under way at the same time; others wait in the generator, and are charged.
_CITIZENS = 512
_REFUSED = {429, 503}
# What the last leg left behind (jobs, and how long batches took) is over by then.
_REST_SECONDS = 2.0
# Vouchers and people of the rates' own measure.
_CALIBRATION = 4_000


@dataclass(slots=True)
class Burst:
    """Pairs of runs of so many seconds: the draw at its calm rate, and at ten times that."""

    stage: Stage
    pairs: int
    seconds: float
    tills_rate: float = 0.0
    draws_rate: float = 0.0
    # Of the draws, how many were told to come again: without a burst, and in it.
    refused: dict[bool, list[float]] = field(default_factory=lambda: {False: [], True: []})

    async def measure(self) -> Row:
        stage = self.stage
        await self._calibrate()
        each = int(self.tills_rate * self.seconds)
        calm_draws = int(self.draws_rate * self.seconds)
        vouchers = await stage.vouchers(2 * self.pairs * each)
        people = await stage.drawers(self.pairs * (1 + TIMES) * (calm_draws + 1))
        cut = iter(range(0, 2 * self.pairs * each, each))
        taken = 0

        async def leg(times: int) -> Run:
            nonlocal taken
            start, wanted = next(cut), int(times * self.draws_rate * self.seconds)
            drawers, taken = people[taken : taken + wanted], taken + wanted
            return await self._leg(vouchers[start : start + each], drawers, burst=times > 1)

        calm, burst = await in_turn(self.pairs, lambda _: leg(1), lambda _: leg(TIMES))
        ratios = [stormed.p99 / quiet.p99 for quiet, stormed in zip(calm, burst, strict=True)]
        note = (
            f"{_p99(calm):.1f} ms → {_p99(burst):.1f} ms; write-offs {self.tills_rate:,.0f}/s "
            f"by {TILLS} tills, draws {self.draws_rate:,.0f}/s → {TIMES * self.draws_rate:,.0f}/s, "
            f"told to come again {median(self.refused[False]):.0%} → {median(self.refused[True]):.0%}"
        )
        stage.say(f"burst: {', '.join(f'{ratio:.2f}' for ratio in ratios)}; {note}")
        return row_of(NAME, "p99 in the burst ÷ p99 before", ratios, at_most(2), note=note)

    async def _calibrate(self) -> None:
        stage, town = self.stage, self.stage.town
        warm = await stage.vouchers(WARM + _CALIBRATION)
        await stage.write_off(warm[:WARM])
        self.tills_rate = TILLS_SHARE * (await stage.write_off(warm[WARM:])).rate(201)
        people = await stage.drawers(WARM + _CALIBRATION)
        for some in (people[:WARM], people[WARM:]):
            drawn = await closed_loop(
                port=town.port, requests=requests.draws(town, some), connections=CONNECTIONS
            )
            require(drawn, {201}, len(some), "draw")
        self.draws_rate = DRAWS_SHARE * drawn.rate(201)

    async def _leg(self, vouchers: Sequence[Voucher], people: Sequence[Person], *, burst: bool) -> Run:
        town = self.stage.town
        moments = scattered(len(people), self.seconds, self.stage.rng)
        at_tills = even(len(vouchers), self.seconds)
        tills = Open(
            port=town.port,
            arrivals=list(zip(at_tills, requests.write_offs(town, vouchers), strict=True)),
            connections=TILLS,
        )
        citizens = Open(
            port=town.port,
            arrivals=list(zip(moments, requests.draws(town, people), strict=True)),
            connections=_CITIZENS,
        )
        await asyncio.sleep(_REST_SECONDS)
        with used() as usage:
            redeemed, drawn = await together(tills, citizens)
        require(redeemed, {201}, len(vouchers), "write-off in the burst" if burst else "write-off")
        require(drawn, {201, *_REFUSED}, len(people), "draw")
        self.refused[burst].append(_share_refused(drawn))
        p50, p99 = p50_p99(redeemed.latencies)
        return Run(len(vouchers), redeemed.rate(201), p50, p99, usage)


def _share_refused(outcome: Outcome) -> float:
    return sum(outcome.statuses[status] for status in _REFUSED) / max(1, sum(outcome.statuses.values()))


def _p99(runs: Sequence[Run]) -> float:
    return median(run.p99 for run in runs) * 1e3

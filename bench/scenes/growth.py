"""The write-off with few vouchers in the table, and with as many as a province has."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.hotpath.pairs import Run
from bench.hotpath.town import Voucher
from bench.machine import BACKENDS, used
from bench.rows import Row, at_least, row_of
from bench.scenes.stage import WARM, Stage
from shared.clock import machine_seconds

FEW = 10_000
RUNS = 5
_LEAST = 0.8
# Of the few, all that there are but those that warm up.
PER_RUN = (FEW - WARM) // RUNS


@dataclass(slots=True)
class Growth:
    """`many` vouchers; those that are written off lie at random among them."""

    stage: Stage
    many: int

    async def measure(self) -> Row:
        stage, filler = self.stage, self.stage.filler
        before = await filler.vouchers()
        few = await self._runs(await stage.vouchers(WARM + RUNS * PER_RUN))
        started, weight = machine_seconds(), await filler.weight()
        known = WARM + RUNS * PER_RUN
        vouchers = await stage.vouchers(known, strangers=self.many - FEW - known)
        seconds, weight = machine_seconds() - started, await filler.weight() - weight
        await filler.settle()
        settled = machine_seconds() - started - seconds
        many = await self._runs(vouchers)
        ratios = [large.rate / small.rate for small, large in zip(_sorted(few), _sorted(many), strict=True)]
        note = (
            f"{before + FEW:,} vouchers {_told(few)} → {await filler.vouchers():,} {_told(many)}; "
            f"filled in {seconds:.0f} s ({weight / 1e9:.1f} GB, 2 rows a voucher), settled in {settled:.0f} s"
        )
        stage.say(f"growth: {', '.join(f'{ratio:.2f}' for ratio in ratios)}; {note}")
        measure = f"write-off rate with {self.many:,} vouchers ÷ with {FEW:,}"
        return row_of("growth", measure, ratios, at_least(_LEAST), note=note)

    async def _runs(self, vouchers: Sequence[Voucher]) -> list[Run]:
        await self.stage.write_off(vouchers[:WARM])
        rest = vouchers[WARM:]
        return [await self._run(rest[start : start + PER_RUN]) for start in range(0, len(rest), PER_RUN)]

    async def _run(self, vouchers: Sequence[Voucher]) -> Run:
        with used() as usage:
            outcome = await self.stage.write_off(vouchers)
        return Run(len(vouchers), outcome.rate(201), outcome.quantile(0.5), outcome.quantile(0.99), usage)


def _sorted(runs: Sequence[Run]) -> list[Run]:
    """They do not follow each other in pairs, so the slowest stands beside the slowest."""
    return sorted(runs, key=lambda run: run.rate)


def _told(runs: Sequence[Run]) -> str:
    rate, micros = (
        median(run.rate for run in runs),
        median(run.usage.micros(BACKENDS, run.items) for run in runs),
    )
    return f"{rate:,.0f}/s at {micros:.0f} µs of the database"

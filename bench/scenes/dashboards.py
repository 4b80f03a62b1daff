"""The write-off while hundreds of dashboards look at the figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.hotpath import requests
from bench.hotpath.pairs import Run, in_turn
from bench.hotpath.town import Voucher
from bench.load import Closed, Open, together
from bench.machine import HTTP, used
from bench.rows import Row, at_most, row_of
from bench.scenes.arrivals import polls
from bench.scenes.stage import CONNECTIONS, WARM, Stage, p50_p99, require
from bench.simulator.platform import bearer
from bench.wire import request_bytes

DASHBOARDS = 200
EVERY_SECONDS = 5.0
_BEFORE_SECONDS = 2.0
_MOST = 0.05
# Of what a first look at the rate lets expect: a leg that uses its vouchers up ends before its time.
_MORE = 1.5
_CALIBRATION = 4_000
_SHOWN, _BUSY = 200, 503


@dataclass(slots=True)
class Dashboards:
    """Pairs of runs of so many seconds: nobody looks, and everybody does, under the token for metrics.

    `programme` is one of the quota's.
    """

    stage: Stage
    pairs: int
    seconds: float
    programme: str
    token: str
    busy: list[float] = field(default_factory=list)

    async def measure(self) -> Row:
        stage = self.stage
        warm = await stage.vouchers(WARM + _CALIBRATION)
        await stage.write_off(warm[:WARM])
        rate = (await stage.write_off(warm[WARM:])).rate(201)
        each = int(_MORE * rate * self.seconds)
        vouchers = await stage.vouchers(2 * self.pairs * each)
        cut = iter(range(0, 2 * self.pairs * each, each))

        async def leg(*, watched: bool) -> Run:
            start = next(cut)
            return await self._leg(vouchers[start : start + each], watched=watched)

        await together(self._crowd(polls(DASHBOARDS, EVERY_SECONDS, EVERY_SECONDS, self._requests())))
        alone, watched = await in_turn(self.pairs, lambda _: leg(watched=False), lambda _: leg(watched=True))
        losses = [1 - seen.rate / unseen.rate for unseen, seen in zip(alone, watched, strict=True)]
        looks = DASHBOARDS * len(self._paths()) / EVERY_SECONDS
        cost = median(run.usage.cpu.get(HTTP, 0.0) / run.usage.seconds for run in watched)
        note = (
            f"{median(run.rate for run in alone):,.0f}/s → {median(run.rate for run in watched):,.0f}/s; "
            f"{DASHBOARDS} × {len(self._paths())} endpoints every {EVERY_SECONDS:.0f} s = {looks:,.0f}/s; "
            f"{median(self.busy):.0%} of them told to come again; HTTP processes {cost:.2f} cores"
        )
        stage.say(f"dashboards: {', '.join(f'{loss:.1%}' for loss in losses)}; {note}")
        return row_of("write-off under dashboards", "loss of rate", losses, at_most(_MOST), note=note)

    async def _leg(self, vouchers: Sequence[Voucher], *, watched: bool) -> Run:
        town = self.stage.town
        tills = Closed(
            port=town.port,
            requests=requests.write_offs(town, vouchers),
            connections=CONNECTIONS,
            seconds=self.seconds,
        )
        looks = polls(DASHBOARDS, EVERY_SECONDS, self.seconds, self._requests()) if watched else []
        runs: list[Closed | Open] = [tills]
        if watched:
            # They have been looking for a while.
            before = polls(DASHBOARDS, EVERY_SECONDS, _BEFORE_SECONDS, self._requests())
            await together(self._crowd(before))
            runs.append(self._crowd(looks))
        with used() as usage:
            redeemed, *seen = await together(*runs)
        require(redeemed, {201}, redeemed.statuses[201], "write-off")
        for outcome in seen:
            require(outcome, {_SHOWN, _BUSY}, len(looks), "metrics")
            self.busy.append(outcome.statuses[_BUSY] / len(looks))
        p50, p99 = p50_p99(redeemed.latencies)
        return Run(redeemed.statuses[201], redeemed.rate(201), p50, p99, usage)

    def _crowd(self, looks: Sequence[tuple[float, bytes]]) -> Open:
        return Open(port=self.stage.town.port, arrivals=looks, connections=DASHBOARDS)

    def _paths(self) -> list[str]:
        slug = self.stage.town.slug
        return [
            f"/issuance/v1/metrics?campaign={slug}",
            f"/redemption/v1/metrics?campaign={slug}",
            f"/quota/v1/metrics?programme={self.programme}",
            "/issuance/metrics",
            "/redemption/metrics",
            "/quota/metrics",
        ]

    def _requests(self) -> list[bytes]:
        headers = bearer(self.token)
        return [request_bytes("GET", path, host="127.0.0.1", headers=headers) for path in self._paths()]

"""Card events at full size: signed batches of 1,000 over HTTP, beside pgbench and among many holders."""

import secrets
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from bench.cardevents.pairs import BATCH, PAIRS, CardPairs, Event, sent
from bench.cardevents.store import filling
from bench.large.measure import Line
from bench.rows import Row
from bench.simulator.clerks import Clerks
from bench.simulator.platform import Platform
from bench.simulator.signing import Signer
from shared.clock import machine_seconds

_HOSPITALS = 37
_SEED = 20200831
# Of a mixed batch: sent before, uses and cancellations of earlier holders, and events that come late and
# take the place of a later code. The rest are new holders.
_AGAIN, _USED, _CANCELLED, _LATE = 150, 200, 50, 100
_MIXED_BATCHES, _MIXED_CONNECTIONS = 40, 2


@dataclass(slots=True)
class Sender:
    """Makes batches: new holders, or a mix with what real platforms send as well."""

    scenes: list[str]
    first_day: datetime
    rng: Random = field(default_factory=lambda: Random(_SEED))
    run: str = field(default_factory=lambda: secrets.token_hex(4))
    made: int = 0
    sent: "deque[Event]" = field(default_factory=lambda: deque(maxlen=20_000))

    def fresh(self, count: int = BATCH) -> list[Event]:
        events = [self._event("issued", f"h-{self.run}-{self.made}") for _ in range(count)]
        self.sent.extend(events)
        return events

    def mixed(self) -> list[Event]:
        known = list(self.sent)
        again = self.rng.sample(known, _AGAIN)
        used = [self._event("used", one["holder_ref"]) for one in self.rng.sample(known, _USED)]
        gone = [self._event("cancelled", one["holder_ref"]) for one in self.rng.sample(known, _CANCELLED)]
        late = [
            self._event("issued", one["holder_ref"], before=True) for one in self.rng.sample(known, _LATE)
        ]
        new = self.fresh(BATCH - _AGAIN - _USED - _CANCELLED - _LATE)
        batch = [*again, *used, *gone, *late, *new]
        self.rng.shuffle(batch)
        return batch

    def _event(self, kind: str, holder: str, *, before: bool = False) -> Event:
        self.made += 1
        day = self.first_day - timedelta(days=1) if before else self.first_day
        at = day + timedelta(seconds=self.rng.randrange(80_000))
        return {
            "event_id": f"e-{self.run}-{self.made}",
            "holder_ref": holder,
            "kind": kind,
            "at": at.isoformat(),
            "scene": self.rng.choice(self.scenes),
        }


@dataclass(slots=True)
class CardsRun:
    """`holders` are in the tables before the first batch comes."""

    platform: Platform
    clerks: Clerks
    port: int
    database_url: str
    say: Callable[[str], None]
    pairs: int = PAIRS
    rows: list[Row] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    integrity_ok: bool = False

    async def run(self, holders: int) -> None:
        slug = f"cards-{secrets.token_hex(3)}"
        signer, codes, now = await self._programme(slug, max(1, 2 * holders))
        if holders:
            await self._fill(slug, holders, codes)
        sender = Sender([scene for scene, _ in codes], now - timedelta(days=3))
        path = f"/quota/v1/programmes/{slug}/card-events"
        async with filling(self.database_url, slug) as fill, fill.plain_tables():
            pairs = CardPairs(self.port, self.database_url, signer, path, sender.fresh, self.say)
            row = await pairs.run(self.pairs)
            self.rows.append(row)
            self._note(f"{row.operation}: {row.measure}", f"{row.shown} ({row.range}), {row.note}")
            await self._mixed(pairs, sender)
            self._note("one holder is found by", await fill.lookup_plan())
        report = await self.clerks.integrity()
        self.integrity_ok = bool(report["ok"])
        self._note("integrity, every check", "ok" if self.integrity_ok else "BROKEN")

    def as_json(self) -> dict[str, Any]:
        return {
            "integrity_ok": self.integrity_ok,
            "lines": [{"name": line.name, "figure": line.figure} for line in self.lines],
        }

    async def _programme(self, slug: str, target: int) -> tuple[Signer, list[tuple[str, str]], datetime]:
        now = await self.clerks.clock()
        definition = {
            "slug": slug,
            "title": "发卡任务",
            "timezone": "Asia/Shanghai",
            "target_cards": target,
            "issued_before": {"as_of": "2020-07-31", "cards": 0},
            "remaining_exact": target,
        }
        await self.platform.post("/quota/v1/programmes", definition, headers=self.clerks.first)
        path = f"/quota/v1/programmes/{slug}"
        rows = "\n".join(f"A{n % 5},医院{n},{100 + n}" for n in range(_HOSPITALS))
        await self.platform.upload(
            f"{path}/hospitals/import",
            name="hospitals.csv",
            content=f"alliance,hospital,visits\n{rows}\n".encode(),
            headers=self.clerks.first,
        )
        key = (
            await self.platform.post(f"{path}/platform-keys", {"label": "bench"}, headers=self.clerks.first)
        ).body
        listed = await self.platform.get(f"{path}/hospitals?limit=200", headers=self.clerks.first)
        codes = [(item["scene"], item["hospital_id"]) for item in listed["items"]]
        started = machine_seconds()
        signer = Signer(
            self.platform,
            key["key_id"],
            key["key"],
            lambda: now + timedelta(seconds=machine_seconds() - started),
        )
        return signer, codes, now

    async def _fill(self, slug: str, holders: int, codes: list[tuple[str, str]]) -> None:
        started = machine_seconds()
        async with filling(self.database_url, slug) as fill:
            async for there in fill.holders(holders, codes):
                self.say(f"{there:,} holders: {machine_seconds() - started:.0f} s")
        self._note("holders in the tables", f"{holders:,}")

    async def _mixed(self, pairs: CardPairs, sender: Sender) -> None:
        """What real platforms send: repetitions, uses, cancellations and late events among new holders."""
        rate = await sent(pairs, [sender.mixed() for _ in range(_MIXED_BATCHES)], _MIXED_CONNECTIONS)
        self._note(
            f"mixed, {_MIXED_CONNECTIONS} connections",
            f"{rate.per_second:,.0f} events/s, a batch p50 {rate.batch_p50 * 1e3:.0f} ms, "
            f"p99 {rate.batch_p99 * 1e3:.0f} ms; {rate.cost}",
        )

    def _note(self, name: str, figure: str) -> None:
        self.lines.append(Line(name, figure))
        self.say(f"{name}: {figure}")

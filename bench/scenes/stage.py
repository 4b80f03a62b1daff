"""What every scene plays on: a town, and people and vouchers that were filled in below the platform."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from statistics import quantiles

from bench.hotpath import requests
from bench.hotpath.town import VOUCHER_TYPE, Person, Town, Voucher
from bench.load import Outcome, closed_loop
from bench.rows import Void
from bench.scenes.store import Filler, Known
from shared.ids import BUCKETS, HotId, new_id
from shared.vouchers.codes import code_context, code_hash, make_code

CONNECTIONS = 64
# Persons who hold the vouchers of a run; some have several.
_HOLDERS_MAX = 20_000
# Vouchers that one statement of the fill issues.
_ISSUED_AT_ONCE = 50_000
# Before the measure, not counted: connections, plans, caches.
WARM = 256

Say = Callable[[str], None]


@dataclass(slots=True)
class Stage:
    """`rng` makes people and vouchers come in another order than they were made in."""

    town: Town
    filler: Filler
    say: Say
    rng: Random = field(default_factory=lambda: Random(20201101))

    async def vouchers(self, count: int, *, strangers: int = 0) -> list[Voucher]:
        """New vouchers at random places among so many new ones that nobody will use."""
        town = self.town
        holders = await town.people(min(count, _HOLDERS_MAX))
        made = [_voucher(town, holders[place % len(holders)]) for place in range(count)]
        sealed = town.keys.sealer.seal_text(made[0][0].code, context=code_context(made[0][0].address.uuid))
        await self.filler.know(known for _, known in made)
        now = await town.now()
        for place, buckets in enumerate(shares_of_buckets(count + strangers)):
            await self.filler.issue(
                town.campaign.id,
                VOUCHER_TYPE,
                buckets,
                strangers=round(strangers / BUCKETS),
                sealed=sealed,
                # Not all at once; the phase opened a minute ago.
                now=now - timedelta(seconds=place % 40),
            )
        vouchers = [voucher for voucher, _ in made]
        self.rng.shuffle(vouchers)
        return vouchers

    async def drawers(self, count: int) -> list[Person]:
        """New people with a chance each."""
        people = await self.town.people(count)
        await self.filler.grant(
            self.town.campaign.id, [person.place for person in people], await self.town.now()
        )
        return people

    async def write_off(self, vouchers: Sequence[Voucher], *, connections: int = CONNECTIONS) -> Outcome:
        """All of them in a closed loop. Raises Void."""
        outcome = await closed_loop(
            port=self.town.port, requests=requests.write_offs(self.town, vouchers), connections=connections
        )
        require(outcome, {201}, len(vouchers), "write-off")
        return outcome


def _voucher(town: Town, holder: Person) -> tuple[Voucher, Known]:
    code, voucher_id = make_code(holder.bucket), new_id()
    hashed = code_hash(town.keys.index, code)
    voucher = Voucher(HotId(holder.bucket, voucher_id), code, hashed)
    return voucher, (holder.bucket, voucher_id, holder.id, hashed)


def shares_of_buckets(vouchers: int) -> Iterator[range]:
    """All buckets in ranges, each of so many vouchers as one statement takes well."""
    step = max(1, min(BUCKETS, BUCKETS * _ISSUED_AT_ONCE // max(1, vouchers)))
    for first in range(0, BUCKETS, step):
        yield range(first, min(first + step, BUCKETS))


def require(outcome: Outcome, allowed: set[int], answers: int, what: str) -> None:
    """Raises Void when an answer is missing or another one than may be."""
    seen = sum(outcome.statuses.values())
    if outcome.lost_connections or seen != answers or not outcome.statuses.keys() <= allowed:
        raise Void(
            f"{what}: {answers} answers out of {sorted(allowed)} were due, seen: {dict(outcome.statuses)}, "
            f"{outcome.lost_connections} connections lost"
        )


def p50_p99(seconds: Sequence[float]) -> tuple[float, float]:
    cuts = quantiles(seconds, n=100, method="inclusive")
    return cuts[49], cuts[98]

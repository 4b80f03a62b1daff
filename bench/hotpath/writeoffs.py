"""The write-off over HTTP, beside the best single transaction and beside one built the ordinary way."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.baseline.serve import Baseline
from bench.hotpath import bare, requests
from bench.hotpath.pairs import Operation, Run, by_pgbench, clients_for, in_turn, over_http, whole_share
from bench.hotpath.town import Person, Town, Voucher
from bench.pgbench import PgbenchFailed
from bench.rows import Void

NAME = "write-off"
HAND_WRITTEN = "one hand-written transaction"
BATCH_OF_ONE = "the platform's function, one item a transaction"
# Of a round's vouchers: HTTP and both ways of pgbench alike, the rest for the ordinary way, which is slow.
_SHARE = 0.3

Say = Callable[[str], None]


@dataclass(slots=True)
class WriteOffs:
    """`ordinary` is absent where it is not to be measured."""

    town: Town
    rounds: int
    say: Say
    ordinary: Baseline | None = None
    http: list[Run] = field(default_factory=list)
    hand_written: list[Run] = field(default_factory=list)
    batch_of_one: list[Run] = field(default_factory=list)
    orm: list[Run] = field(default_factory=list)

    async def measure(self, holders: Sequence[Person], *, warm: Sequence[Person]) -> None:
        """Uses the vouchers of these people up, those of `warm` first and uncounted."""
        each = len(holders) // self.rounds
        size = whole_share(each * _SHARE)

        async def cut(number: int, start: int, end: int) -> list[Voucher]:
            return await self.town.vouchers(holders[number * each + start : number * each + end])

        async def http(number: int) -> Run:
            vouchers = await cut(number, 0, size)
            return await self._answered(self.town.port, requests.write_offs(self.town, vouchers))

        async def by_hand(number: int) -> Run:
            return await self._bare(await cut(number, size, 2 * size), batch_of_one=False)

        async def as_batch(number: int) -> Run:
            return await self._bare(await cut(number, 2 * size, 3 * size), batch_of_one=True)

        async def ordinary(number: int) -> Run:
            assert self.ordinary is not None  # noqa: S101 - only then is it among the legs
            vouchers = await cut(number, 3 * size, each)
            return await self._answered(self.ordinary.port, requests.write_offs(self.town, vouchers))

        await self._warm(await self.town.vouchers(warm))
        legs = [http, by_hand, as_batch] + ([ordinary] if self.ordinary else [])
        self.http, self.hand_written, self.batch_of_one, *orm = await in_turn(self.rounds, *legs)
        self.orm = orm[0] if orm else []
        told = ", ".join(f"{ratio:.2f}" for ratio in self.operation.ratios)
        self.say(f"{NAME}: {told} × pgbench, {self.operation.against}")

    @property
    def operation(self) -> Operation:
        """Beside the faster of the two ways of pgbench."""
        return self._ways[0]

    @property
    def other_way(self) -> Operation:
        """Beside the slower one."""
        return self._ways[1]

    @property
    def beside_ordinary(self) -> Operation:
        return Operation(NAME, "the same built the ordinary way, 2 processes", self.http, self.orm)

    @property
    def _ways(self) -> tuple[Operation, Operation]:
        by_hand = Operation(NAME, HAND_WRITTEN, self.http, self.hand_written)
        as_batch = Operation(NAME, BATCH_OF_ONE, self.http, self.batch_of_one)
        if _rate(self.hand_written) >= _rate(self.batch_of_one):
            return by_hand, as_batch
        return as_batch, by_hand

    async def _warm(self, vouchers: Sequence[Voucher]) -> None:
        ours = vouchers if self.ordinary is None else vouchers[len(vouchers) // 4 :]
        await self._answered(self.town.port, requests.write_offs(self.town, ours))
        if self.ordinary is not None:
            theirs = vouchers[: len(vouchers) // 4]
            await self._answered(self.ordinary.port, requests.write_offs(self.town, theirs))

    async def _answered(self, port: int, prepared: Sequence[bytes]) -> Run:
        try:
            return await over_http(port, prepared, status=201)
        except Void as void:
            raise Void(f"{NAME}: {void}") from None

    async def _bare(self, vouchers: Sequence[Voucher], *, batch_of_one: bool) -> Run:
        script = await bare.write_offs(self.town, vouchers, batch_of_one=batch_of_one)
        try:
            clients = clients_for(len(vouchers))
            return await by_pgbench(
                self.town.database_url, script, clients=clients, each=len(vouchers) // clients
            )
        except PgbenchFailed as failed:
            raise Void(f"{NAME}, pgbench: {failed}") from None


def _rate(runs: Sequence[Run]) -> float:
    return median(run.rate for run in runs)

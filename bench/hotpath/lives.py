"""Lives in measured steps: quiz start, quiz submit, draw, claim. Each builds on the rows of the last."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bench.hotpath import bare, requests
from bench.hotpath.pairs import (
    CONNECTIONS,
    Operation,
    Run,
    by_pgbench,
    clients_for,
    in_turn,
    over_http,
    whole_share,
)
from bench.hotpath.town import Person, Town
from bench.pgbench import PgbenchFailed
from bench.rows import Void

# Through HTTP first and not counted: connections, plans, caches.
WARM_PEOPLE = 256

Say = Callable[[str], None]
Prepare = Callable[[Sequence[Person]], Awaitable[Sequence[bytes]]]
Give = Callable[[Sequence[Person]], Awaitable[str]]


@dataclass(slots=True)
class Lives:
    """So many people, in `rounds` pairs of equal shares; `operations` fill as they are measured."""

    town: Town
    rounds: int
    say: Say
    warm: Sequence[Person] = ()
    shares: Sequence[tuple[Sequence[Person], Sequence[Person]]] = ()
    operations: list[Operation] = field(default_factory=list)

    async def gather(self, people: int) -> None:
        """Makes the people; fewer than asked for where they cannot be shared evenly."""
        share = whole_share(people / (2 * self.rounds))
        made = await self.town.people(WARM_PEOPLE + 2 * self.rounds * share)
        self.warm, rest = made[:WARM_PEOPLE], made[WARM_PEOPLE:]
        cut = [rest[start : start + share] for start in range(0, len(rest), share)]
        self.shares = list(zip(cut[::2], cut[1::2], strict=True))

    @property
    def everybody(self) -> list[Person]:
        """All but the first ones."""
        return [person for pair in self.shares for share in pair for person in share]

    async def live(self) -> None:
        """Until everybody holds a voucher."""
        town = self.town

        async def starts(people: Sequence[Person]) -> Sequence[bytes]:
            return requests.starts(town, people)

        async def submissions(people: Sequence[Person]) -> Sequence[bytes]:
            return requests.submissions(people, await town.attempts(people))

        async def draws(people: Sequence[Person]) -> Sequence[bytes]:
            return requests.draws(town, people)

        await self._step("quiz start", starts, 201, lambda people: bare.starts(town, people))
        await self._step("quiz submit", submissions, 200, lambda people: bare.submissions(town, people))
        await self._step("draw", draws, 201, lambda people: bare.draws(town, people))
        await self._claims()

    async def _step(self, name: str, prepare: Prepare, status: int, give: Give) -> None:
        async def http(number: int) -> Run:
            return await self._answered(name, await prepare(self.shares[number][0]), status)

        async def plain(number: int) -> Run:
            return await self._bare(name, give, self.shares[number][1])

        await self._answered(name, await prepare(self.warm), status)
        await self._pairs(Operation(name, "the platform's function, one item a transaction"), http, plain)

    async def _claims(self) -> None:
        """The bare side takes from a stock of its own, so everybody claims over HTTP."""
        name, town = "claim on one hot type", self.town

        async def http(number: int) -> Run:
            people = [person for share in self.shares[number] for person in share]
            return await self._answered(name, requests.claims(people, await town.awards(people)), 201)

        async def plain(number: int) -> Run:
            each = bare.claims_each(len(self.shares[number][1]))
            script = await bare.claims(town)
            return await by_pgbench(town.database_url, script, clients=CONNECTIONS, each=each)

        await self._answered(name, requests.claims(self.warm, await town.awards(self.warm)), 201)
        against = "one conditional UPDATE on the hot row and one INSERT, in a client's transaction"
        await self._pairs(Operation(name, against), http, plain)

    async def _pairs(
        self,
        operation: Operation,
        http: Callable[[int], Awaitable[Run]],
        plain: Callable[[int], Awaitable[Run]],
    ) -> None:
        operation.http, operation.bare = await in_turn(self.rounds, http, plain)
        self.operations.append(operation)
        ratios = ", ".join(f"{ratio:.2f}" for ratio in operation.ratios)
        self.say(f"{operation.name}: {ratios} × pgbench")

    async def _answered(self, name: str, prepared: Sequence[bytes], status: int) -> Run:
        try:
            return await over_http(self.town.port, prepared, status=status)
        except Void as void:
            raise Void(f"{name}: {void}") from None

    async def _bare(self, name: str, give: Give, people: Sequence[Person]) -> Run:
        script = await give(people)
        try:
            clients = clients_for(len(people))
            return await by_pgbench(
                self.town.database_url, script, clients=clients, each=len(people) // clients
            )
        except PgbenchFailed as failed:
            raise Void(f"{name}, pgbench: {failed}") from None

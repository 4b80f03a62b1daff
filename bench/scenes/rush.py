"""The opening: tens of thousands come within seconds, all for a type that a quarter of them can have."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

from bench.hotpath import requests
from bench.hotpath.town import VOUCHER_TYPE, Person
from bench.load import Open, Outcome, closed_loop, together
from bench.rows import REPORTED, Row, Target, Void, at_most, row_of
from bench.scenes.arrivals import opening
from bench.scenes.stage import CONNECTIONS, WARM, Stage, p50_p99, require
from bench.scenes.store import Stock
from shared.ids import HotId

NAME = "opening rush"
LASTED = "last voucher gone ÷ what arrivals and claim rate allow"
WAITED = "p99 from due to final answer"
SECONDS = 10.0
FIRST_SECOND = 0.3
# The popular type lasts for one in so many of those who come.
PERSONS_PER_PIECE = 4
# What those get who were too late.
OTHER_TYPE = "general_100"
SLACK = 1.5
# Citizens whose requests are under way at the same time; others wait in the generator, and are charged.
_CITIZENS = 512
_LATER = (429, 503)
_ISSUED, _GONE = 201, 409


def pieces_of(people: int) -> int:
    return people // PERSONS_PER_PIECE


def stock_of(people: int) -> tuple[int, dict[str, int]]:
    """Pieces of the popular type, and of others: together enough for everybody who won, and who warms up."""
    return pieces_of(people), {OTHER_TYPE: people + WARM - pieces_of(people)}


def last_in_time(*, last_gone: float, enough_came: float, pieces: int, rate: float) -> float:
    """How long the pieces lasted, as a multiple of what arrivals and the claim rate allow."""
    return last_gone / max(enough_came, pieces / rate)


@dataclass(slots=True)
class _Answers:
    """What each citizen was told in the end, and when (seconds, by the process's clock)."""

    requests: Sequence[bytes]
    ended: dict[int, tuple[int, float]] = field(default_factory=dict)
    again: Counter[int] = field(default_factory=Counter)

    def follow(self, place: int, status: int, body: bytes) -> bytes | None:
        """Told to come later: comes again, with the same request number, when Retry-After says."""
        del body
        if status in _LATER:
            self.again[status] += 1
            return self.requests[place]
        self.ended[place] = (status, perf_counter())
        return None


@dataclass(slots=True)
class Rush:
    """`people` won and have not chosen yet; `stage` has the stock for them that `stock_of` says."""

    stage: Stage
    people: int

    async def measure(self) -> list[Row]:
        stage, town, pieces = self.stage, self.stage.town, pieces_of(self.people)
        winners = await stage.drawers(self.people + WARM)
        await town.draw(winners)
        awards = await town.awards(winners)
        warm = requests.claims(winners[:WARM], awards[:WARM], OTHER_TYPE)
        require(await self._closed(warm), {_ISSUED}, WARM, "claim")
        winners, awards = winners[WARM:], awards[WARM:]
        due = opening(self.people, SECONDS, FIRST_SECOND, stage.rng)
        prepared = requests.claims(winners, awards)
        answers = _Answers(prepared)
        (outcome,) = await together(
            Open(
                port=town.port,
                arrivals=list(zip(due, prepared, strict=True)),
                connections=_CITIZENS,
                follow=answers.follow,
            )
        )
        self._check(outcome, answers, await stage.filler.stock(town.slug))
        late = [place for place, (status, _) in answers.ended.items() if status == _GONE]
        rate = await self._rate(winners, awards, late)
        waited = [at - outcome.started - due[place] for place, (_, at) in answers.ended.items()]
        return self._rows(outcome, answers, waited, last_due=due[pieces - 1], rate=rate)

    async def _closed(self, prepared: Sequence[bytes]) -> Outcome:
        return await closed_loop(port=self.stage.town.port, requests=prepared, connections=CONNECTIONS)

    async def _rate(self, winners: Sequence[Person], awards: Sequence[HotId], late: Sequence[int]) -> float:
        """Claims a second, by those who were too late: they take what is left."""
        prepared = requests.claims(
            [winners[place] for place in late], [awards[place] for place in late], OTHER_TYPE
        )
        outcome = await self._closed(prepared)
        require(outcome, {_ISSUED}, len(late), "claim of another type")
        return outcome.rate(_ISSUED)

    def _check(self, outcome: Outcome, answers: _Answers, stock: Mapping[str, Stock]) -> None:
        pieces, popular = pieces_of(self.people), stock[VOUCHER_TYPE]
        told = Counter(status for status, _ in answers.ended.values())
        if outcome.lost_connections or told != Counter({_ISSUED: pieces, _GONE: self.people - pieces}):
            raise Void(f"rush: {pieces} of {self.people} were to get one, told: {dict(told)}")
        if (popular.remaining, popular.issued, popular.vouchers) != (0, pieces, pieces):
            raise Void(f"rush: {pieces} pieces, and then {popular}")

    def _rows(
        self,
        outcome: Outcome,
        answers: _Answers,
        waited: Sequence[float],
        *,
        last_due: float,
        rate: float,
    ) -> list[Row]:
        pieces, last = pieces_of(self.people), outcome.last(_ISSUED)
        p50, p99 = p50_p99(waited)
        came = f"{self.people:,} within {SECONDS:.0f} s, {FIRST_SECOND:.0%} of them in the first"
        again = ", ".join(f"{n:,} × {status}" for status, n in sorted(answers.again.items())) or "nobody"
        note = (
            f"{came}; the last of {pieces:,} after {last:.2f} s, "
            f"the {pieces:,}th came after {last_due:.2f} s, claims {rate:,.0f}/s; told to come again: {again}"
        )
        self.stage.say(f"rush: {note}; p50 {p50 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms")
        multiple = last_in_time(last_gone=last, enough_came=last_due, pieces=pieces, rate=rate)
        return [
            row_of(NAME, LASTED, [multiple], at_most(SLACK), note=note),
            row_of(NAME, WAITED, [p99 * 1e3], REPORTED, unit="ms", note=f"p50 {p50 * 1e3:,.0f} ms"),
            # Any other number, or any other answer, made the run void.
            row_of(NAME, "pieces that were issued", [pieces], Target(f"{pieces:,}, no more", most=pieces)),
        ]


def over_all(rushes: Sequence[Sequence[Row]]) -> list[Row]:
    """One row for each measure of several rushes: the worst counts."""
    return [_worst(same) for same in zip(*rushes, strict=True)]


def _worst(same: Sequence[Row]) -> Row:
    values = [row.value for row in same]
    worst = max(same, key=lambda row: row.value)
    return replace(worst, low=min(values), high=max(values)) if len(same) > 1 else worst

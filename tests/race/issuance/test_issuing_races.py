"""Citizens at the same moment, over two processes' worth of apps: one winner, and limits that hold.

Each app has its own batches and its own connections, so what meets here meets in Postgres.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from itertools import cycle, islice
from random import Random
from typing import Any

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from services.issuance.app import create_app
from services.issuance.quiz import store as quiz
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.ids import new_id
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import Published, open_campaign, publish_campaign
from tests.support.citizens import Hands, Person, fill_bank, give_chances, new_person, right_answers
from tests.support.http import serving

AT_ONCE = 8
CLAIMS_AT_ONCE = 64

Call = Callable[[Hands], Awaitable[httpx.Response]]


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with (
        serving(issuance=create_app(settings, clock=clock)) as one,
        serving(issuance=create_app(settings, clock=clock)) as other,
    ):
        yield [one, other]


async def at_once(
    clients: Sequence[httpx.AsyncClient], person: Person, calls: Sequence[Call]
) -> list[httpx.Response]:
    """All calls of one person at the same moment, alternately at both apps."""
    hands = islice(cycle([Hands(client, person) for client in clients]), len(calls))
    return await asyncio.gather(*(call(hand) for call, hand in zip(calls, hands, strict=True)))


def outcomes(answers: Sequence[httpx.Response]) -> Counter[object]:
    """How often each status, or the code of a refusal."""
    return Counter(answer.status_code if answer.is_success else answer.json()["code"] for answer in answers)


async def winners(
    kit: Kit, clients: Sequence[httpx.AsyncClient], campaign: Published, count: int
) -> list[tuple[Hands, str]]:
    """So many persons with an open award each (odds of 1)."""
    hands = []
    for client in islice(cycle(clients), count):
        hands.append(Hands(client, await new_person(kit)))
        await give_chances(kit, hands[-1].person, campaign)
    awards = await asyncio.gather(*(each.win(campaign.slug) for each in hands))
    return list(zip(hands, awards, strict=True))


async def one(kit: Kit, sql: str, **values: object) -> Any:  # noqa: ANN401 - whatever was selected
    async with kit.database.transaction() as tx:
        return (await tx.execute(text(sql), values)).scalar_one()


async def test_one_number_sent_many_times_at_once_does_each_thing_once(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(kit, clock, odds="1")
    await fill_bank(kit, campaign)
    person = await new_person(kit)

    async def all_at_once(call: Call) -> dict[str, Any]:
        answers = await at_once(clients, person, [call] * AT_ONCE)
        first = Counter(answer.headers.get("idempotent-replay") for answer in answers)
        assert first == {None: 1, "true": AT_ONCE - 1}
        assert len({answer.text for answer in answers}) == 1
        body: dict[str, Any] = answers[0].json()
        return body

    attempt = await all_at_once(lambda hands: hands.start(campaign.slug, "r1"))
    answers = right_answers(attempt)
    await all_at_once(lambda hands: hands.submit(attempt["attempt_id"], answers, "r1"))
    drawn = await all_at_once(lambda hands: hands.draw(campaign.slug, "r1", "mine"))
    await all_at_once(lambda hands: hands.claim(drawn["award"]["id"], "fitness", "r1"))
    for table in (
        "issuance.quiz_attempt",
        "issuance.chance",
        "issuance.draw",
        "issuance.award",
        "core.voucher",
    ):
        assert await one(kit, f"SELECT count(*) FROM {table} WHERE campaign_id = :id", id=campaign.id) == 1


async def test_of_many_starts_at_once_the_days_attempts_are_made(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign)
    answers = await at_once(clients, await new_person(kit), [lambda hands: hands.start(campaign.slug)] * 12)
    assert outcomes(answers) == {201: 3, "attempts_exhausted": 9}


async def test_of_many_submissions_of_one_attempt_one_is_marked(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign)
    person = await new_person(kit)
    attempt = (await Hands(clients[0], person).start(campaign.slug)).json()
    answers = right_answers(attempt)
    submitted = await at_once(
        clients, person, [lambda hands: hands.submit(attempt["attempt_id"], answers)] * AT_ONCE
    )
    assert outcomes(submitted) == {200: 1, "attempt_already_answered": AT_ONCE - 1}
    assert (await Hands(clients[0], person).get("/me/chances")).json()["available"] == 1


async def test_the_last_chance_is_drawn_once(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.5")
    person = await new_person(kit)
    await give_chances(kit, person, campaign)
    answers = await at_once(clients, person, [lambda hands: hands.draw(campaign.slug)] * AT_ONCE)
    assert outcomes(answers) == {201: 1, "no_chance": AT_ONCE - 1}


@pytest.mark.parametrize(
    ("limits", "odds"),
    [({"draws_per_day": 3}, "0.000001"), ({"vouchers_per_phase": 3, "draws_per_day": 100}, "1")],
    ids=["draws of a day", "vouchers of a phase"],
)
async def test_a_persons_limit_holds_for_many_draws_at_once(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient], limits: dict[str, int], odds: str
) -> None:
    campaign = await open_campaign(kit, clock, odds=odds, limits=limits)
    person = await new_person(kit)
    await give_chances(kit, person, campaign, 10)
    answers = await at_once(clients, person, [lambda hands: hands.draw(campaign.slug)] * 10)
    assert outcomes(answers) == {201: 3, "limit_reached": 7}
    assert (await Hands(clients[0], person).get("/me/chances")).json()["available"] == 7


@pytest.mark.parametrize("odds", ["1", "0.5"])
async def test_no_win_is_made_beyond_what_can_be_awarded(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient], odds: str
) -> None:
    stock, people = 7, 48
    campaign = await open_campaign(kit, clock, odds=odds, stock={"fitness": 4, "checkup": 3})
    hands = [Hands(client, await new_person(kit)) for client in islice(cycle(clients), people)]
    for each in hands:
        await give_chances(kit, each.person, campaign)
    answers = await asyncio.gather(*(each.draw(campaign.slug) for each in hands))
    drawn = [answer.json() for answer in answers if answer.is_success]
    found = outcomes(answers)
    assert found.keys() <= {201, "awards_exhausted"}
    assert sum(draw["won"] for draw in drawn) == stock
    assert found["awards_exhausted"] == people - len(drawn) > 0
    left = "SELECT left_to_award FROM issuance.award_pool WHERE phase_id = :id"
    assert await one(kit, left, id=campaign.phases[0]) == 0
    kept = "SELECT count(*) FROM issuance.chance WHERE campaign_id = :id AND state = 'available'"
    assert await one(kit, kept, id=campaign.id) == people - len(drawn)


@pytest.mark.parametrize("pieces", [1, 40])
async def test_the_last_pieces_go_to_as_many_claims_and_the_other_awards_stay_open(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient], pieces: int
) -> None:
    stock = {"checkup": pieces, "fitness": CLAIMS_AT_ONCE}
    campaign = await open_campaign(kit, clock, odds="1", stock=stock)
    won = await winners(kit, clients, campaign, CLAIMS_AT_ONCE)
    answers = await asyncio.gather(*(hands.claim(award, "checkup") for hands, award in won))
    assert outcomes(answers) == {201: pieces, "out_of_stock": CLAIMS_AT_ONCE - pieces}
    again = await asyncio.gather(
        *(
            hands.claim(award, "fitness")
            for (hands, award), answer in zip(won, answers, strict=True)
            if not answer.is_success
        )
    )
    assert outcomes(again) == {201: CLAIMS_AT_ONCE - pieces}
    assert (
        len({answer.json()["code"] for answer in [*answers, *again] if answer.is_success}) == CLAIMS_AT_ONCE
    )


async def test_an_award_claimed_on_two_devices_becomes_one_voucher(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(kit, clock, odds="1")
    [(hands, award)] = await winners(kit, clients, campaign, 1)
    types = islice(cycle(["checkup", "fitness", "general_50"]), AT_ONCE)
    calls: list[Call] = [lambda hands, wish=wish: hands.claim(award, wish) for wish in types]  # type: ignore[misc]
    assert outcomes(await at_once(clients, hands.person, calls)) == {
        201: 1,
        "award_already_claimed": AT_ONCE - 1,
    }


async def test_two_awards_of_a_person_claimed_at_once_keep_to_a_limit_that_was_lowered(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(kit, clock, odds="1")
    person = await new_person(kit)
    await give_chances(kit, person, campaign, 2)
    first, second = [await Hands(clients[0], person).win(campaign.slug) for _ in range(2)]
    lower = "UPDATE issuance.campaign_rules SET vouchers_per_phase = 1 WHERE campaign_id = :id RETURNING 1"
    await one(kit, lower, id=campaign.id)
    answers = await at_once(
        clients, person, [lambda h: h.claim(first, "fitness"), lambda h: h.claim(second, "checkup")]
    )
    assert outcomes(answers) == {201: 1, "limit_reached": 1}
    restore = "UPDATE issuance.campaign_rules SET vouchers_per_phase = 2 WHERE campaign_id = :id RETURNING 1"
    await one(kit, restore, id=campaign.id)


async def test_one_number_sent_to_two_campaigns_at_once_counts_in_one(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    # Winning twice must not end a person's draws here, whatever the seeds say.
    limits = {"vouchers_per_phase": 6}
    here = await publish_campaign(kit, odds="0.5", limits=limits)
    there = await open_campaign(kit, clock, odds="0.5", limits=limits)
    person = await new_person(kit)
    for campaign in (here, there):
        await give_chances(kit, person, campaign, 6)
    for number in ("r1", "r2", "r3"):
        calls: list[Call] = [
            lambda hands, number=number: hands.draw(here.slug, number),  # type: ignore[misc]
            lambda hands, number=number: hands.draw(there.slug, number),  # type: ignore[misc]
        ]
        assert outcomes(await at_once(clients, person, calls)) == {201: 1, "request_no_reused": 1}


async def test_expiring_awards_and_drawing_at_once_lose_no_award(
    kit: Kit, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    campaign = await open_campaign(kit, clock, odds="1", stock={"fitness": 20})
    await winners(kit, clients, campaign, 20)
    clock.advance(days=3)
    late = [Hands(client, await new_person(kit)) for client in islice(cycle(clients), 20)]
    for each in late:
        await give_chances(kit, each.person, campaign)

    async def until_drawn(hands: Hands) -> None:
        for _ in range(200):
            answer = await hands.draw(campaign.slug)
            if answer.is_success:
                return
            assert answer.json()["code"] == "awards_exhausted"
            await asyncio.sleep(0.01)
        pytest.fail("the expired awards did not come back")

    jobs = [build(kit).lottery.expire_awards() for _ in range(3)]
    await asyncio.gather(*jobs, *(until_drawn(each) for each in late))
    counted = "SELECT count(*) FROM issuance.award WHERE campaign_id = :id AND state = :state"
    for state in ("expired", "open"):
        assert await one(kit, counted, id=campaign.id, state=state) == 20


async def test_batches_that_share_persons_in_any_order_never_wait_for_each_other_in_a_circle(
    kit: Kit, clock: ManualClock, database_url: str
) -> None:
    """Straight at the functions, with more connections than the apps have."""
    campaign = await open_campaign(kit, clock, quiz={"attempts_per_day": 1000})
    await fill_bank(kit, campaign)
    people = [await new_person(kit) for _ in range(24)]
    found = await quiz.quiz(kit.database, campaign.slug)
    assert found is not None
    in_force = found.in_force(clock.now())
    assert in_force is not None
    phase_id, rule = in_force
    rng = Random(5)

    async def hammer(connection: asyncpg.Connection) -> Counter[str]:
        made: Counter[str] = Counter()
        for _ in range(15):
            some = rng.sample(people, 12)
            numbers = [f"r{rng.randrange(40)}" for _ in some]
            rows = await connection.fetch(
                quiz._START, campaign.id, phase_id, rule.id, True, clock.now(),
                [p.address.bucket for p in some], [p.address.uuid for p in some], numbers,
                [b"same"] * len(some), [new_id() for _ in some], ["1"] * len(some), ["ABCD"] * len(some),
            )  # fmt: skip
            made.update(row["outcome"] for row in rows)
        return made

    connections = [await asyncpg.connect(database_url) for _ in range(6)]
    try:
        made = sum(await asyncio.gather(*map(hammer, connections)), Counter[str]())
    finally:
        for connection in connections:
            await connection.close()
    assert made.keys() == {"created", "replayed"}
    for table, column in (("issuance.quiz_attempt", "campaign_id"), ("issuance.participant", "campaign_id")):
        assert await one(kit, f"SELECT count(*) > 0 FROM {table} WHERE {column} = :id", id=campaign.id)
    counted = "SELECT sum(attempts_today) FROM issuance.participant WHERE campaign_id = :id"
    assert await one(kit, counted, id=campaign.id) == made["created"]


async def test_after_all_of_this_every_invariant_holds(kit: Kit) -> None:
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok] == []

"""Lives of three people in one campaign, in any order of acts: a small model foretells each answer.

No act has a precondition: draws are won or lost by chance, and what is played must not depend on it.

One of them is signed in on two phones. Whatever was asked can be asked again, from any phone of the person.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

import httpx
import pytest
from hypothesis import strategies
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import text
from typing_extensions import override

from services.issuance.app import create_app as create_issuance
from services.issuance.wiring import build
from services.redemption.app import create_app as create_redemption
from shared.clients.terminal import Refused, TerminalClient
from shared.clock import ManualClock
from shared.identity.citizens import CitizenTokens
from shared.identity.lifetimes import citizen_token_life
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers import catalogue
from tests.simulation.issuance import model
from tests.support.campaigns import Published, publish_campaign
from tests.support.citizens import (
    Hands,
    Person,
    fill_bank,
    give_chances,
    new_person,
    request_no,
    right_answers,
)
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.plays import Dice, Stage, play
from tests.support.tills import Bureau, bureau

STOCK = {"general_50": 3, "fitness": 1}
TYPES = tuple(STOCK)
QUIZ = {"attempts_per_day": model.ATTEMPTS_PER_DAY, "pass_score": model.PASS_SCORE}
LIMITS = {"draws_per_day": model.DRAWS_PER_DAY, "vouchers_per_phase": model.VOUCHERS_PER_PHASE}
ODDS_THRESHOLD = 1 << 63
QUESTIONS = 5
# The second phone of the first person is the last pair of hands.
PEOPLE = 3
HANDS = (0, 1, 2, 0)
# Earned in other ways before the life begins, so that it reaches the till.
CHANCES = 8
# Mostly moments; now and then a day, and seldom so long that awards, phases or vouchers are over.
STEPS = (
    *(timedelta(seconds=20),) * 6,
    timedelta(minutes=6),
    *(timedelta(hours=7),) * 3,
    timedelta(days=1),
    timedelta(days=2),
    timedelta(days=4),
    timedelta(days=31),
)
CLIENT_SEEDS = ("", "花", "7")
# How often each act is tried. Lives are played by one rule: hypothesis leaves whole rules out of a run, and
# a life without time or without claims does not reach the till.
ACTS = {
    "time_passes": 4,
    "the_next_phase_opens": 1,
    "staff_pause_or_resume": 1,
    "the_sweeps_run": 2,
    "starts_an_attempt": 2,
    "answers_an_attempt": 3,
    "starts_and_answers_at_once": 3,
    "draws": 7,
    "claims": 7,
    "claims_what_is_somebody_elses": 1,
    "asks_the_same_again": 3,
    "spends_a_voucher": 5,
    "the_till_takes_it_back": 2,
}

_POOLS = text("""
    SELECT p.left_to_award FROM issuance.award_pool p JOIN issuance.phase ph ON ph.id = p.phase_id
    WHERE ph.campaign_id = :campaign ORDER BY ph.seq
""")


@dataclass(frozen=True, slots=True)
class World(Stage):
    kit: Kit
    clock: ManualClock
    client: httpx.AsyncClient
    bureau: Bureau
    staff: dict[str, str]


@pytest.fixture(scope="module")
async def world(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[World]:
    issuance = create_issuance(settings, clock=clock)
    redemption = create_redemption(settings, clock=clock)
    async with serving(issuance=issuance, redemption=redemption) as client:
        yield World(
            asyncio.get_running_loop(),
            kit,
            clock,
            client,
            await bureau(client, kit),
            await signed_in_staff(kit, Role.OPERATOR),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was answered well: where, what, by whom, and what came back."""

    person: int
    path: str
    body: dict[str, Any]
    answer: dict[str, Any]


class Life(RuleBasedStateMachine):
    world: ClassVar[World]

    @initialize()
    def opens(self) -> None:
        world = self.world
        self.campaign: Published = world.run(
            publish_campaign(
                world.kit,
                odds="0.5",
                stock=STOCK,
                quiz=QUIZ,
                limits=LIMITS,
                phases=2,
                lasts=timedelta(days=6),
            )
        )
        world.run(fill_bank(world.kit, self.campaign))
        self.hands = world.run(self._people())
        self.till: TerminalClient = world.run(self._till())
        for hands in self.hands[:PEOPLE]:
            world.run(give_chances(world.kit, hands.person, self.campaign, CHANCES))
        self.people = [model.Person(chances=CHANCES) for _ in range(PEOPLE)]
        view = world.run(world.client.get(f"/issuance/v1/campaigns/{self.campaign.slug}")).json()
        self.truth = model.Campaign(
            [
                model.Phase(
                    datetime.fromisoformat(phase["opens_at"]),
                    datetime.fromisoformat(phase["closes_at"]),
                    dict(STOCK),
                    sum(STOCK.values()),
                )
                for phase in view["phases"]
            ]
        )
        self.asked: list[Asked] = []
        world.clock.set(self.truth.phases[0].opens_at)

    async def _people(self) -> list[Hands]:
        people = [await new_person(self.world.kit) for _ in range(PEOPLE)]
        phone = _second_phone(self.world.kit, people[0])
        return [Hands(self.world.client, person) for person in (*people, phone)]

    async def _till(self) -> TerminalClient:
        async with self.world.kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, self.campaign.slug)
        institution = await self.world.bureau.institution(campaign, accepts=TYPES)
        return await self.world.bureau.till(institution)

    @property
    def now(self) -> datetime:
        return self.world.clock.now()

    def _post(self, hand: int, path: str, body: dict[str, Any]) -> httpx.Response:
        headers = self.hands[hand].person.headers
        answer: httpx.Response = self.world.run(self.world.client.post(path, json=body, headers=headers))
        return answer

    def _acted(
        self, hand: int, path: str, body: dict[str, Any], foretold: str, *, status: int = 201
    ) -> dict[str, Any] | None:
        """Does it and holds the answer against what was foretold; None for a refusal."""
        numbered = {"request_no": request_no()} | body
        answer = self._post(hand, path, numbered)
        if foretold != "created":
            assert (answer.status_code, answer.json()["code"]) == (409, foretold), answer.text
            return None
        assert answer.status_code == status, answer.text
        told: dict[str, Any] = answer.json()
        self.asked.append(Asked(HANDS[hand], path, numbered, told))
        return told

    @rule(
        act=strategies.sampled_from([act for act, times in ACTS.items() for _ in range(times)]),
        dice=strategies.builds(Dice, strategies.integers(0, 1 << 12), strategies.integers(0, 1 << 12)),
    )
    def lives_on(self, act: str, dice: Dice) -> None:
        getattr(self, act)(dice)

    # Time, staff and jobs.

    def time_passes(self, dice: Dice) -> None:
        self.world.clock.set(self.now + STEPS[dice.one % len(STEPS)])

    def the_next_phase_opens(self, _dice: Dice) -> None:
        ahead = [phase.opens_at for phase in self.truth.phases if phase.opens_at > self.now]
        if ahead:
            self.world.clock.set(ahead[0])

    def staff_pause_or_resume(self, dice: Dice) -> None:
        # A campaign is seldom paused, and not for long.
        if not self.truth.paused and dice.one % 4:
            return
        act = "resume" if self.truth.paused else "pause"
        answer = self.world.run(
            self.world.client.post(
                f"/issuance/v1/campaigns/{self.campaign.slug}/{act}",
                json={"reason": "检查"},
                headers=self.world.staff,
            )
        )
        assert answer.status_code == 200, answer.text
        self.truth.paused = not self.truth.paused

    def the_sweeps_run(self, _dice: Dice) -> None:
        wiring = build(self.world.kit)
        # Lives that were played before have theirs swept too: how many in all says nothing.
        self.world.run(wiring.lottery.expire_awards())
        self.world.run(wiring.wallet.expire_vouchers())
        self.truth.sweep(self.people, self.now)

    # Citizens.

    def starts_an_attempt(self, dice: Dice) -> None:
        hand = dice.one % len(HANDS)
        person, now = self.people[HANDS[hand]], self.now
        path = f"/issuance/v1/campaigns/{self.campaign.slug}/quiz-attempts"
        told = self._acted(hand, path, {}, self.truth.start(person, now))
        if told is None:
            return
        person.attempts_on[model.day_of(now)] = person.attempts_on.get(model.day_of(now), 0) + 1
        expires_at = datetime.fromisoformat(told["expires_at"])
        assert expires_at == now + model.TIME_LIMIT
        assert len({question["id"] for question in told["questions"]}) == QUESTIONS
        person.attempts.append(model.Attempt(told["attempt_id"], expires_at, told["questions"]))

    def starts_and_answers_at_once(self, dice: Dice) -> None:
        self.starts_an_attempt(dice)
        self.answers_an_attempt(replace(dice, two=0))

    def answers_an_attempt(self, dice: Dice) -> None:
        hand, wrong, back = dice.one % len(HANDS), dice.two % QUESTIONS, 1 + dice.two % 7 // 6
        person, now = self.people[HANDS[hand]], self.now
        if len(person.attempts) < back:
            return
        attempt = person.attempts[-back]
        answers = right_answers({"questions": attempt.questions}, wrong=wrong)
        path = f"/issuance/v1/quiz-attempts/{attempt.id}/answers"
        told = self._acted(hand, path, {"answers": answers}, self.truth.submit(attempt, now), status=200)
        if told is None:
            return
        score = 100 * (QUESTIONS - wrong) // QUESTIONS
        passed = score >= model.PASS_SCORE
        assert (told["score"], told["passed"], told["chances_granted"]) == (score, passed, int(passed))
        attempt.answered = True
        person.chances += int(passed)

    def draws(self, dice: Dice) -> None:
        hand, client_seed = dice.one % len(HANDS), CLIENT_SEEDS[dice.two % len(CLIENT_SEEDS)]
        person, now = self.people[HANDS[hand]], self.now
        path = f"/issuance/v1/campaigns/{self.campaign.slug}/draws"
        told = self._acted(hand, path, {"client_seed": client_seed}, self.truth.draw(person, now))
        if told is None:
            return
        assert told["won"] == (int(told["proof"]["value"][:16], 16) < ODDS_THRESHOLD)
        person.chances -= 1
        person.draws_on[model.day_of(now)] = person.draws_on.get(model.day_of(now), 0) + 1
        if told["won"]:
            phase = self.truth.open_phase(now)
            assert phase is not None
            self.truth.phases[phase].left_to_award -= 1
            person.awards.append(model.Award(told["award"]["id"], phase, now + model.AWARD_DAYS))

    def claims(self, dice: Dice) -> None:
        voucher_type = TYPES[dice.two % len(TYPES)]
        won = [(hand, award) for hand in range(PEOPLE) for award in self.people[hand].awards]
        if not won:
            return
        hand, award = won[-1 - dice.one % min(3, len(won))]
        person, now = self.people[hand], self.now
        path, foretold = f"/issuance/v1/awards/{award.id}/claim", self.truth.claim(award, voucher_type, now)
        told = self._acted(hand, path, {"voucher_type": voucher_type}, foretold)
        if told is None:
            return
        award.state = "claimed"
        self.truth.phases[award.phase].remaining[voucher_type] -= 1
        valid_until = datetime.fromisoformat(told["valid_until"])
        assert model.VALIDITY - timedelta(days=1) < valid_until - now <= model.VALIDITY + timedelta(days=1)
        person.vouchers.append(model.Voucher(told["id"], told["code"], voucher_type, valid_until))

    def claims_what_is_somebody_elses(self, dice: Dice) -> None:
        hand, award_of = dice.one % len(HANDS), dice.two % PEOPLE
        if award_of == HANDS[hand] or not self.people[award_of].awards:
            return
        award = self.people[award_of].awards[-1]
        body = {"request_no": request_no(), "voucher_type": TYPES[0]}
        assert self._post(hand, f"/issuance/v1/awards/{award.id}/claim", body).status_code == 404

    def asks_the_same_again(self, dice: Dice) -> None:
        if not self.asked:
            return
        asked = self.asked[dice.one % len(self.asked)]
        hand = 3 if asked.person == 0 and dice.two % 2 else asked.person
        answer = self._post(hand, asked.path, asked.body)
        assert (answer.status_code, answer.json()) == (200, asked.answer), answer.text
        assert answer.headers["Idempotent-Replay"] == "true"

    # The till.

    def spends_a_voucher(self, dice: Dice) -> None:
        held = [voucher for person in self.people for voucher in person.vouchers]
        if not held:
            return
        voucher, number = held[-1 - dice.one % min(3, len(held))], request_no()
        foretold = self.truth.redeem(voucher, self.now)
        bill = 6_000 if voucher.voucher_type.startswith("general") else None
        try:
            done = self.world.run(self.till.redeem(voucher.code, bill, request_no=number))
        except Refused as refused:
            assert refused.code == foretold  # noqa: PT017 - a foretold answer is no exception here
            return
        assert (foretold, done.applied_fen) == ("created", 5_000)
        voucher.state, voucher.redemption = "redeemed", number

    def the_till_takes_it_back(self, _dice: Dice) -> None:
        spent = [v for person in self.people for v in person.vouchers if v.state == "redeemed"]
        if not spent:
            return
        voucher = spent[-1]
        assert voucher.redemption is not None
        assert self.world.run(self.till.reverse(voucher.redemption, "误核销")).status == "reversed"
        voucher.state, voucher.redemption = "issued", None

    @override
    def teardown(self) -> None:
        if not hasattr(self, "asked"):
            return
        for number, person in enumerate(self.people):
            self._held_as_foretold(self.hands[number], person)
        assert self.world.run(self._pools()) == [phase.left_to_award for phase in self.truth.phases]
        report = self.world.run(recompute(self.world.kit))
        assert report.ok, [check for check in report.checks if not check.ok]

    async def _pools(self) -> list[int]:
        async with self.world.kit.database.snapshot() as tx:
            pools = (await tx.execute(_POOLS, {"campaign": self.campaign.id})).scalars()
            return list(pools)

    def _held_as_foretold(self, hands: Hands, person: model.Person) -> None:
        awards = self.world.run(hands.get("/me/awards?limit=200")).json()["items"]
        assert {award["id"] for award in awards} == {award.id for award in person.awards}
        vouchers = self.world.run(hands.get("/me/vouchers?limit=200")).json()["items"]
        assert {voucher["id"]: voucher["status"] for voucher in vouchers} == {
            voucher.id: voucher.shown(self.now) for voucher in person.vouchers
        }


def _second_phone(kit: Kit, person: Person) -> Person:
    """The same account, signed in once more."""
    citizen = person.citizen
    token = CitizenTokens(kit.keys.token).issue(
        account_id=citizen.account_id,
        bucket=citizen.bucket,
        person_id=citizen.person_id,
        now=kit.clock.now() + timedelta(seconds=1),
        life=citizen_token_life(kit.settings),
    )
    return replace(person, headers={"Authorization": f"Bearer {token}"})


async def test_every_answer_in_a_life_is_the_one_that_the_model_foretells(world: World) -> None:
    await play(Life, world)

"""What was decided while somebody else held the row is decided on what he left behind, and refused by name.

The races show that the outcome is right; constraints and the repetition of a failed batch see to that even
without a lock. These show that the locks are there: the later one waits, and is answered without a fault.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import asyncpg
import pytest

from services.issuance.lottery.errors import AwardsExhausted, LimitReached
from services.issuance.quiz import store as quiz
from services.issuance.quiz.errors import AttemptAlreadyAnswered, AttemptsExhausted
from services.issuance.wallet.errors import AwardAlreadyClaimed, OutOfStock
from services.issuance.wiring import Wiring, build
from shared.clock import ManualClock
from shared.errors import Refusal
from shared.ids import parse_hot_id
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import Person, fill_bank, give_chances, new_person

WAITS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture(scope="module")
def wiring(kit: Kit) -> Wiring:
    return build(kit)


@dataclass(frozen=True, slots=True)
class Meeting:
    first: asyncpg.Connection
    watcher: asyncpg.Connection

    async def refused(
        self, change: str, of: UUID, *, later: Callable[[], Awaitable[object]], refusal: type[Refusal]
    ) -> None:
        """Somebody makes a change; `later` waits for him, and is refused when he has committed."""
        async with self.first.transaction():
            assert await self.first.execute(change, of) != "UPDATE 0"
            waiting = asyncio.ensure_future(later())
            while not await self.watcher.fetchval(WAITS):
                assert not waiting.done(), f"it did not wait: {waiting}"
                await asyncio.sleep(0.01)
        with pytest.raises(refusal):
            await waiting


@pytest.fixture
async def meeting(database_url: str) -> AsyncIterator[Meeting]:
    first, watcher = [await asyncpg.connect(database_url) for _ in range(2)]
    yield Meeting(first, watcher)
    await first.close()
    await watcher.close()


async def test_a_draw_waits_for_the_pool(
    kit: Kit, clock: ManualClock, wiring: Wiring, meeting: Meeting
) -> None:
    campaign = await open_campaign(kit, clock, odds="1", stock={"fitness": 1})
    person = await new_person(kit)
    await give_chances(kit, person, campaign)
    await meeting.refused(
        "UPDATE issuance.award_pool SET left_to_award = 0 WHERE phase_id = $1",
        campaign.phases[0],
        later=lambda: wiring.lottery.draw(person.citizen, campaign.slug, "r1", ""),
        refusal=AwardsExhausted,
    )


async def test_a_draw_waits_for_the_persons_turn(
    kit: Kit, clock: ManualClock, wiring: Wiring, meeting: Meeting
) -> None:
    campaign = await open_campaign(kit, clock, odds="0.000001")
    person = await new_person(kit)
    await give_chances(kit, person, campaign, 2)
    await wiring.lottery.draw(person.citizen, campaign.slug, "r1", "")
    await meeting.refused(
        "UPDATE issuance.participant SET draws_today = 5 WHERE person_id = $1",
        person.address.uuid,
        later=lambda: wiring.lottery.draw(person.citizen, campaign.slug, "r2", ""),
        refusal=LimitReached,
    )


async def test_a_start_waits_for_the_persons_turn(
    kit: Kit, clock: ManualClock, wiring: Wiring, meeting: Meeting
) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign)
    person = await new_person(kit)
    await wiring.quizzes.start(person.citizen, campaign.slug, "r1")
    await meeting.refused(
        "UPDATE issuance.participant SET attempts_today = 3 WHERE person_id = $1",
        person.address.uuid,
        later=lambda: wiring.quizzes.start(person.citizen, campaign.slug, "r2"),
        refusal=AttemptsExhausted,
    )


async def test_a_submission_waits_for_the_persons_turn(
    kit: Kit, clock: ManualClock, wiring: Wiring, meeting: Meeting
) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign)
    person = await new_person(kit)
    attempt = await wiring.quizzes.start(person.citizen, campaign.slug, "r1")
    await meeting.refused(
        "WITH turn AS (SELECT FROM issuance.participant WHERE person_id = $1 FOR UPDATE)"
        " UPDATE issuance.quiz_attempt SET state = 'answered', answered_at = started_at, passed = false"
        " WHERE person_id = $1 AND EXISTS (SELECT FROM turn)",
        person.address.uuid,
        later=lambda: wiring.quizzes.submit(person.citizen, attempt.reply.attempt_id, "r2", {}),
        refusal=AttemptAlreadyAnswered,
    )


async def won(kit: Kit, clock: ManualClock, wiring: Wiring) -> tuple[Published, Person, str]:
    """A campaign, somebody who won in it, and the award that waits to be claimed."""
    campaign = await open_campaign(kit, clock, odds="1")
    person = await new_person(kit)
    await give_chances(kit, person, campaign)
    award = (await wiring.lottery.draw(person.citizen, campaign.slug, "r1", "")).reply.award
    assert award is not None
    return campaign, person, award.id


async def test_a_claim_waits_for_the_stock(
    kit: Kit, clock: ManualClock, wiring: Wiring, meeting: Meeting
) -> None:
    campaign, person, award = await won(kit, clock, wiring)
    await meeting.refused(
        "UPDATE issuance.phase_stock SET remaining = 0, put_in = issued WHERE phase_id = $1",
        campaign.phases[0],
        later=lambda: wiring.wallet.claim(person.citizen, award, "r1", "fitness"),
        refusal=OutOfStock,
    )


async def test_a_claim_waits_for_the_award(
    kit: Kit, clock: ManualClock, wiring: Wiring, meeting: Meeting
) -> None:
    _, person, award = await won(kit, clock, wiring)
    await meeting.refused(
        "UPDATE issuance.award SET state = 'claimed', voucher_id = id WHERE id = $1",
        parse_hot_id(award).uuid,
        later=lambda: wiring.wallet.claim(person.citizen, award, "r1", "fitness"),
        refusal=AwardAlreadyClaimed,
    )


async def test_the_functions_themselves_know_whose_attempt_it_is(
    kit: Kit, clock: ManualClock, wiring: Wiring
) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign)
    owner, stranger = await new_person(kit), await new_person(kit)
    attempt = await wiring.quizzes.start(owner.citizen, campaign.slug, "r1")
    theft = quiz.Submission(
        address=parse_hot_id(attempt.reply.attempt_id),
        person_id=stranger.address.uuid,
        request_no="r1",
        fingerprint=b"f",
        answers=["A"] * 5,
        correct=[True] * 5,
        score=100,
    )
    [submitted] = await quiz.submit_attempts(kit.database, [theft], now=clock.now())
    assert submitted.outcome == "not_found"
    assert not submitted.question_ids

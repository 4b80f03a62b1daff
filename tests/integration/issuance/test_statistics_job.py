"""The statistics of a large campaign: counted by a job, kept, and added to – never counted twice."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from typing_extensions import override

from services.issuance.calibration.errors import CountedByAnother
from services.issuance.calibration.operations import Calibration, Statistics
from services.issuance.wiring import build
from services.issuance.worker import parts
from shared.clock import ManualClock, machine_now
from shared.db import Tx
from shared.identity.staff import Role
from shared.ids import new_id
from shared.integrity import store as integrity
from shared.integrity.catalogue import sql_checks
from shared.jobs.awaited import Progress
from shared.jobs.awaited.store import AwaitedJob
from shared.jobs.kinds import Kind
from shared.kit import Kit, build_kit
from shared.settings import Settings
from tests.support.answers import People, answer_quiz
from tests.support.campaigns import Published, open_campaign
from tests.support.citizens import fill_bank, new_person
from tests.support.desk import Desk
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.ways import refused

PEOPLE = People((-3.0, 5.0, *(0.1 * place for place in range(8))))


def of(kit: Kit, *, live_attempts: int) -> Calibration:
    return Calibration(kit, build(kit).awaited, live_attempts=live_attempts)


async def whole(kit: Kit, campaign: Published, *, live_attempts: int, **query: Any) -> Statistics:  # noqa: ANN401
    """With 0 what was kept, with many what is counted now."""
    wanted = {"verdict": None, "after": 0, "limit": 200} | query
    return await of(kit, live_attempts=live_attempts).page(campaign.slug, **wanted)


def job_of(kit: Kit, campaign: Published) -> AwaitedJob:
    return AwaitedJob(
        id=new_id(),
        kind=Kind.STATISTICS_WANTED,
        state="running",
        progress=0,
        arguments={"campaign_id": str(campaign.id)},
        result=None,
        error=None,
        requested_by=None,
        created_at=kit.clock.now(),
        finished_at=None,
    )


async def run(kit: Kit, campaign: Published, progress: Progress | None = None) -> dict[str, Any]:
    job = job_of(kit, campaign)
    return await of(kit, live_attempts=0).work(job, progress or Progress(kit, job.id))


async def same_as_recount(kit: Kit, campaign: Published) -> None:
    kept = await whole(kit, campaign, live_attempts=0)
    counted = await whole(kit, campaign, live_attempts=1_000_000)
    assert kept.attempts == counted.attempts == counted.answered
    assert len(kept.questions) == len(counted.questions)
    for (question, one), (same, other) in zip(kept.questions, counted.questions, strict=True):
        assert question == same
        assert (one.attempts, one.verdict) == (other.attempts, other.verdict)
        assert one.discrimination == pytest.approx(other.discrimination)
        assert one.point_biserial == pytest.approx(other.point_biserial)
        assert [o.key for o in one.options] == [o.key for o in other.options]
        for option, again in zip(one.options, other.options, strict=True):
            assert (option.chosen, option.upper, option.lower) == pytest.approx(
                (again.chosen, again.upper, again.lower)
            )
            assert option.finding == again.finding


@pytest.fixture
async def answered(kit: Kit, clock: ManualClock) -> tuple[Published, list[int]]:
    """Two days and a morning of answers."""
    campaign = await open_campaign(kit, clock)
    bank = await fill_bank(kit, campaign, len(PEOPLE.ease), multiple_every=100)
    clock.advance(days=2)
    for days_ago, count in ((2, 400), (1, 300), (0, 50)):
        await answer_quiz(kit, campaign, bank, PEOPLE, count, days_ago=days_ago)
    return campaign, bank


async def test_staff_asks_and_the_figures_are_kept(
    client: httpx.AsyncClient, kit: Kit, desk: Desk, answered: tuple[Published, list[int]]
) -> None:
    campaign, bank = answered
    asked = await client.post(
        f"/issuance/v1/campaigns/{campaign.slug}/questions/statistics", headers=desk.one
    )
    assert asked.status_code == 202, asked.text
    job = f"/issuance/v1/jobs/{asked.json()['job_id']}"
    assert (await client.get(job, headers=desk.one)).json()["state"] == "queued"
    await drain(kit, parts(build(kit)))
    done = (await client.get(job, headers=desk.one)).json()
    assert (done["state"], done["progress"]) == ("succeeded", 100)
    assert done["result"] == {"attempts": 750, "questions": len(bank)}
    await same_as_recount(kit, campaign)


async def test_the_platform_asks_itself_when_enough_new_answers_came(
    kit: Kit, answered: tuple[Published, list[int]]
) -> None:
    campaign, bank = answered
    wiring = build(kit)

    async def refreshed() -> int:
        """How many of this campaign were asked for, and done."""
        before = await jobs_of(kit, campaign)
        await of(kit, live_attempts=700).refresh()
        # Again, while it waits: one is enough.
        await of(kit, live_attempts=700).refresh()
        await drain(kit, parts(wiring))
        return await jobs_of(kit, campaign) - before

    assert await refreshed() == 1
    assert (await whole(kit, campaign, live_attempts=0)).attempts == 750
    assert await refreshed() == 0
    await answer_quiz(kit, campaign, bank, PEOPLE, 74)
    assert await refreshed() == 0
    await answer_quiz(kit, campaign, bank, PEOPLE, 1)
    assert await refreshed() == 1
    await same_as_recount(kit, campaign)
    await answer_quiz(kit, campaign, bank, PEOPLE, 200)
    assert await of(kit, live_attempts=2_000).refresh() == 0


async def jobs_of(kit: Kit, campaign: Published) -> int:
    sql = "SELECT count(*) FROM core.job WHERE arguments ->> 'campaign_id' = :id"
    async with kit.database.snapshot() as tx:
        return int((await tx.execute(text(sql), {"id": str(campaign.id)})).scalar_one())


async def test_kept_figures_come_in_pages_and_by_verdict(
    kit: Kit, answered: tuple[Published, list[int]]
) -> None:
    campaign, bank = answered
    await run(kit, campaign)
    [unasked] = await fill_bank(kit, campaign, 1)
    first = await whole(kit, campaign, live_attempts=0, limit=4)
    assert [question.id for question, _ in first.questions] == bank[:4]
    assert first.more
    rest = await whole(kit, campaign, live_attempts=0, after=bank[3])
    assert [question.id for question, _ in rest.questions] == [*bank[4:], unasked]
    assert not rest.more
    hard = await whole(kit, campaign, live_attempts=0, verdict="too_hard")
    assert [question.id for question, _ in hard.questions] == bank[:1]
    # A question that nobody had yet is in the list all the same.
    open_ = await whole(kit, campaign, live_attempts=0, verdict="not_enough_data")
    assert [(question.id, item.attempts) for question, item in open_.questions] == [(unasked, 0)]


async def test_without_a_run_a_sample_of_persons_is_told(
    kit: Kit, answered: tuple[Published, list[int]]
) -> None:
    found = await whole(kit, answered[0], live_attempts=100)
    assert found.answered == 750
    assert 0 < found.attempts < 400


async def test_a_later_run_adds_what_came_and_reads_no_settled_day_again(
    kit: Kit, clock: ManualClock, answered: tuple[Published, list[int]]
) -> None:
    campaign, bank = answered
    await run(kit, campaign)
    await answer_quiz(kit, campaign, bank, PEOPLE, 70, seed=2)
    assert (await run(kit, campaign))["attempts"] == 820
    await same_as_recount(kit, campaign)
    clock.advance(days=1)
    await answer_quiz(kit, campaign, bank, PEOPLE, 30, seed=3)
    async with kit.database.transaction() as tx:
        settled = await tx.execute(
            text("SELECT sum(n) FROM issuance.response_count WHERE campaign_id = :id AND settled"),
            {"id": campaign.id},
        )
        assert settled.scalar_one() == 700 * 5
        await tx.execute(
            text("DELETE FROM issuance.quiz_attempt WHERE campaign_id = :id AND day < :today"),
            {"id": campaign.id, "today": clock.now().date()},
        )
    # Yesterday's morning is gone before it was settled; the two days before stand as they were counted.
    assert (await run(kit, campaign))["attempts"] == 730
    # Nothing of what was done behind the platform's back is left for the integrity check of others.
    async with kit.database.transaction() as tx:
        for table in ("response_count", "calibration"):
            await tx.execute(
                text(f"DELETE FROM issuance.{table} WHERE campaign_id = :id"), {"id": campaign.id}
            )


@dataclass(slots=True)
class Meanwhile(Progress):
    """After its first step, something else happens."""

    happens: Callable[[], Awaitable[object]] | None = None

    @override
    async def report(self, done: int, total: int) -> None:
        if self.happens is not None:
            happens, self.happens = self.happens, None
            await happens()


async def test_a_run_that_another_takes_over_stops_and_nothing_is_counted_twice(
    kit: Kit, answered: tuple[Published, list[int]]
) -> None:
    campaign, _ = answered

    async def another() -> None:
        await run(kit, campaign)

    with pytest.raises(CountedByAnother):
        await run(kit, campaign, Meanwhile(kit, new_id(), happens=another))
    await same_as_recount(kit, campaign)


async def test_a_run_that_was_cut_off_is_gone_on_with(
    kit: Kit, answered: tuple[Published, list[int]]
) -> None:
    campaign, _ = answered

    async def power_cut() -> None:
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        await run(kit, campaign, Meanwhile(kit, new_id(), happens=power_cut))
    async with kit.database.snapshot() as tx:
        counted = await tx.execute(
            text("SELECT sum(n) FROM issuance.response_count WHERE campaign_id = :id"), {"id": campaign.id}
        )
        assert counted.scalar_one() == 400 * 5
    await run(kit, campaign)
    await same_as_recount(kit, campaign)


async def test_runs_at_once_on_two_machines_count_everything_once(
    kit: Kit, settings: Settings, clock: ManualClock, answered: tuple[Published, list[int]]
) -> None:
    campaign, _ = answered
    other = build_kit(settings, clock=clock)
    await other.database.start()
    ends = await asyncio.gather(
        *(run(machine, campaign) for machine in (kit, other, kit, other)), return_exceptions=True
    )
    await other.database.stop()
    assert any(isinstance(end, dict) for end in ends)
    assert all(isinstance(end, dict | CountedByAnother) for end in ends)
    await same_as_recount(kit, campaign)


async def test_a_job_without_any_attempt_keeps_empty_figures(kit: Kit, clock: ManualClock) -> None:
    campaign = await open_campaign(kit, clock)
    await fill_bank(kit, campaign, 3)
    assert await run(kit, campaign) == {"attempts": 0, "questions": 3}


async def test_only_who_may_write_asks_for_a_job(
    client: httpx.AsyncClient, kit: Kit, answered: tuple[Published, list[int]], desk: Desk
) -> None:
    path = f"/issuance/v1/campaigns/{answered[0].slug}/questions/statistics"
    refused(await client.post(path, headers=await signed_in_staff(kit, Role.AUDITOR)), 403, "forbidden")
    refused(await client.post(path, headers=(await new_person(kit)).headers), 401, "unauthenticated")
    nowhere = "/issuance/v1/campaigns/nowhere/questions/statistics"
    refused(await client.post(nowhere, headers=desk.one), 404, "not_found")
    unknown = f"/issuance/v1/jobs/{UUID(int=7)}"
    refused(await client.get(unknown, headers=desk.one), 404, "not_found")


ONE_MORE_RIGHT = """
    UPDATE issuance.response_count SET n = n + CASE WHEN correct THEN 1 ELSE -1 END
    WHERE settled AND question_id = :question AND asked = 5 AND right_answers = 3 AND answer IN ('A', 'B')
"""


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE issuance.response_count SET n = n + 1 WHERE settled AND question_id = :question",
        "DELETE FROM issuance.response_count WHERE settled AND question_id = :question",
        ONE_MORE_RIGHT,
        "UPDATE issuance.calibration SET next_day = next_day + 1 WHERE campaign_id = :campaign",
    ],
)
async def test_integrity_check_finds_counts_that_are_not_the_answers(
    kit: Kit, answered: tuple[Published, list[int]], fault: str
) -> None:
    campaign, bank = answered
    await run(kit, campaign)
    [check] = [check for check in sql_checks() if check.file.startswith("calibration_")]

    async def look(tx: Tx) -> dict[str, Any]:
        return await integrity.answer(tx, check.sql, now=kit.clock.now(), machine_now=machine_now(), seeds={})

    async with kit.database.transaction(slow=True) as tx:
        assert (await look(tx))["ok"] is True
        values = {"campaign": campaign.id} if ":campaign" in fault else {"question": bank[5]}
        assert (await tx.execute(text(fault), values)).rowcount
        found = await look(tx)
        await tx.rollback()
    assert found["ok"] is False
    assert str(campaign.id) in found["detail"]

"""Two settlements, payments, corrections or reversals at one moment: of each write-off one wins."""

import asyncio
from collections import Counter
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.redemption.wiring import build
from shared.approvals import Approvals
from shared.clients.terminal import Refused, TerminalClient
from shared.clock import local_day
from shared.identity.staff import Role
from shared.jobs.awaited import Progress
from shared.jobs.awaited.store import AwaitedJob, by_id
from shared.kit import Kit
from tests.race.redemption.conftest import Town
from tests.support.people import staff_member
from tests.support.settlements import Books, books
from tests.support.vouchers import held_vouchers

PIECES = 24


@pytest.fixture(scope="module")
async def desk(town: Town) -> Books:
    return await books(town.kit, town.staff)


def today(town: Town) -> str:
    return local_day(town.kit.clock.now(), "Asia/Shanghai").isoformat()


async def written_off(town: Town, count: int = PIECES) -> list[str]:
    """Request numbers of new write-offs."""
    vouchers = await held_vouchers(town.kit, town.campaign, "general_50", count)
    done = await asyncio.gather(
        *(town.at(place).redeem(one.code, 3_333) for place, one in enumerate(vouchers))
    )
    return [one.request_no for one in done]


async def job_of(town: Town, desk: Books) -> AwaitedJob:
    asked = await desk.request(town.campaign, today(town), today(town))
    async with town.kit.database.snapshot() as tx:
        job = await by_id(tx, UUID(asked.json()["job_id"]))
    assert job is not None
    return job


async def make(kit: Kit, job: AwaitedJob) -> dict[str, Any]:
    return await build(kit).settlements.make(job, Progress(kit, job.id))


async def count(town: Town, statement: str) -> int:
    async with town.kit.database.snapshot() as tx:
        return int((await tx.execute(text(statement), {"institution": town.institution})).scalar_one())


async def test_two_runs_at_once_settle_each_write_off_once(town: Town, desk: Books) -> None:
    for _ in range(4):
        await written_off(town)
        first, second = await job_of(town, desk), await job_of(town, desk)
        results = await asyncio.gather(make(town.kit, first), make(town.kit, second), make(town.kit, first))
        assert sorted(result["count"] for result in results) in ([0, 0, PIECES], [0, PIECES, PIECES])
    statement = "SELECT sum(count) FROM redemption.settlement WHERE institution_id = :institution"
    assert await count(town, statement) == 4 * PIECES


async def test_reversals_that_race_a_settlement_are_done_or_refused(town: Town, desk: Books) -> None:
    async def reverse(till: TerminalClient, request_no: str) -> str:
        try:
            return (await till.reverse(request_no, "x")).status
        except Refused as refused:
            return refused.code

    words: Counter[str] = Counter()
    for _ in range(4):
        numbers = await written_off(town)
        job = await job_of(town, desk)
        *outcomes, result = await asyncio.gather(
            *(reverse(town.at(place), number) for place, number in enumerate(numbers)), make(town.kit, job)
        )
        found = Counter(str(outcome) for outcome in outcomes)
        assert set(found) <= {"reversed", "already_settled"}
        assert isinstance(result, dict)
        assert found["reversed"] + result["count"] == PIECES
        words += found
    assert words.total() == 4 * PIECES


async def test_holds_that_race_a_settlement_hold_or_come_too_late(town: Town, desk: Books) -> None:
    vouchers = await held_vouchers(town.kit, town.campaign, "general_50", PIECES)
    done = [await town.at(place).redeem(one.code, 3_333) for place, one in enumerate(vouchers)]
    job = await job_of(town, desk)

    async def hold(place: int, redemption_id: str) -> httpx.Response:
        body = {"institution_id": town.institution, "redemption_id": redemption_id, "reason": "x"}
        url = "/redemption/v1/settlement-holds"
        return await town.apps[place % 2].post(url, json=body, headers=desk.bureau.headers)

    made, *answers = await asyncio.gather(
        make(town.kit, job), *(hold(place, one.id) for place, one in enumerate(done))
    )
    held = [answer for answer in answers if answer.status_code == 201]
    assert {answer.json()["code"] for answer in answers if answer not in held} <= {"already_settled"}
    assert made["count"] == PIECES - len(held)
    for answer in held:
        release = f"/settlement-holds/{answer.json()['id']}/release"
        assert (await desk.bureau.post(release, {"reason": "x"})).status_code == 200
    assert (await make(town.kit, await job_of(town, desk)))["count"] == len(held)


async def test_settlement_is_paid_once_by_many_approvals(town: Town, desk: Books) -> None:
    await written_off(town)
    await desk.settle(town.campaign, today(town), today(town))
    one = (await desk.of(town.institution))[0]
    await desk.confirm(one)
    changes = [
        (await desk.bureau.post(f"/settlements/{one['id']}/pay", {})).json()["change_id"] for _ in range(8)
    ]
    answers = await asyncio.gather(
        *(
            town.apps[place % 2].post(f"/redemption/v1/changes/{change}/approve", json={}, headers=desk.other)
            for place, change in enumerate(changes)
        )
    )
    words = Counter(str(answer.json().get("code", answer.json()["status"])) for answer in answers)
    assert words == {"applied": 1, "no_longer_fits": 7}
    statement = (
        "SELECT count(*) FROM core.ledger_transfer WHERE institution_id = :institution AND kind = 'pay'"
    )
    assert await count(town, statement) == 1


async def test_write_off_is_corrected_once_by_many_approvals(town: Town, desk: Books) -> None:
    await written_off(town, 1)
    await desk.settle(town.campaign, today(town), today(town))
    one = (await desk.of(town.institution))[0]
    item = (await desk.bureau.get(f"/settlements/{one['id']}/items")).json()["items"][0]
    path = f"/redemptions/{item['redemption_id']}/corrections"
    proposed = [(await desk.bureau.post(path, {"reason": "x"})).json()["change_id"] for _ in range(8)]
    approver = await staff_member(town.kit, Role.OPERATOR)
    approvals: Approvals = build(town.kit).approvals

    async def approve(change: str) -> str:
        try:
            return str((await approvals.approve(approver, UUID(change)))["status"])
        except Exception as refused:  # noqa: BLE001 - counted by its word below
            return str(getattr(refused, "code", refused))

    words = Counter(await asyncio.gather(*(approve(change) for change in proposed)))
    assert words == {"applied": 1, "no_longer_fits": 7}
    first, second = await job_of(town, desk), await job_of(town, desk)
    results = await asyncio.gather(make(town.kit, first), make(town.kit, second))
    assert sorted(result["corrections"] for result in results) == [0, 1]

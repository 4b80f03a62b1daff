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
from tests.support.people import signed_in_staff, staff_member
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


async def posted(town: Town, place: int, path: str, body: object, headers: dict[str, str]) -> httpx.Response:
    return await town.apps[place % 2].post(f"/redemption/v1{path}", json=body, headers=headers)


async def word(answer: httpx.Response) -> str:
    return str(answer.json().get("code", answer.json().get("status")))


async def draft(town: Town, desk: Books, pieces: int = 2) -> tuple[str, dict[str, str]]:
    """A new settlement, and staff of its institution."""
    await written_off(town, pieces)
    await desk.settle(town.campaign, today(town), today(town))
    own = await signed_in_staff(town.kit, Role.INSTITUTION, institution_id=town.institution)
    return (await desk.of(town.institution))[0]["id"], own


async def test_settlement_is_confirmed_once_by_many(town: Town, desk: Books) -> None:
    settlement, own = await draft(town, desk)
    path = f"/settlements/{settlement}/confirm"
    answers = await asyncio.gather(*(posted(town, place, path, {}, own) for place in range(8)))
    assert Counter([await word(one) for one in answers]) == {"confirmed": 1, "already_confirmed": 7}


async def test_dispute_is_upheld_once_by_many_or_ended_by_the_confirmation(town: Town, desk: Books) -> None:
    for _ in range(3):
        settlement, own = await draft(town, desk)
        items = (await desk.bureau.get(f"/settlements/{settlement}/items")).json()["items"]
        await posted(town, 0, f"/settlements/{settlement}/dispute", {"note": "x"}, own)
        body = {"outcome": "upheld", "reason": "x", "withdraw": [items[0]["redemption_id"]]}
        changes = [
            (await desk.bureau.post(f"/settlements/{settlement}/resolve", body)).json()["change_id"]
            for _ in range(4)
        ]
        answers = await asyncio.gather(
            *(
                posted(town, place, f"/changes/{change}/approve", {}, desk.other)
                for place, change in enumerate(changes)
            ),
            posted(town, 1, f"/settlements/{settlement}/confirm", {}, own),
            posted(
                town,
                0,
                f"/settlements/{settlement}/resolve",
                {"outcome": "rejected", "reason": "x"},
                desk.bureau.headers,
            ),
        )
        approvals = Counter([await word(one) for one in answers[:4]])
        seen = (await desk.bureau.get(f"/settlements/{settlement}")).json()
        outcome = seen["disputes"][-1]["outcome"]
        assert approvals["applied"] == (outcome == "upheld") == seen["revision"] - 1
        assert approvals["applied"] + approvals["no_longer_fits"] == 4
        assert outcome in {"upheld", "confirmed", "rejected"}
        assert answers[4].status_code == 200


async def test_payment_and_correction_at_one_moment_both_hold(town: Town, desk: Books) -> None:
    """Whichever is first: the write-off is paid in full, and taken back once in the next settlement."""
    settlement, _ = await draft(town, desk)
    one = (await desk.of(town.institution))[0]
    await desk.confirm(one)
    items = (await desk.bureau.get(f"/settlements/{settlement}/items")).json()["items"]
    pay = (await desk.bureau.post(f"/settlements/{settlement}/pay", {})).json()["change_id"]
    correct = [
        (
            await desk.bureau.post(f"/redemptions/{items[0]['redemption_id']}/corrections", {"reason": "x"})
        ).json()["change_id"]
        for _ in range(3)
    ]
    answers = await asyncio.gather(
        *(
            posted(town, place, f"/changes/{change}/approve", {}, desk.other)
            for place, change in enumerate([pay, *correct])
        )
    )
    assert answers[0].json()["status"] == "applied"
    assert Counter([await word(one) for one in answers[1:]]) == {"applied": 1, "no_longer_fits": 2}
    assert (await make(town.kit, await job_of(town, desk)))["corrections"] == 1


async def test_payment_goes_to_the_account_that_was_in_force(town: Town, desk: Books) -> None:
    """An account approved at that moment comes after the payment, or the payment no longer fits."""
    await desk.set_account(town.institution, "6222000000000000000")
    words: Counter[str] = Counter()
    for turn in range(4):
        settlement, _ = await draft(town, desk)
        await desk.confirm((await desk.of(town.institution))[0])
        pays = [
            (await desk.bureau.post(f"/settlements/{settlement}/pay", {})).json()["change_id"]
            for _ in range(2)
        ]
        account = {
            "account_name": "x",
            "bank_name": "x",
            "account_number": f"622200000000000001{turn}",
            "reason": "x",
        }
        path = f"/institutions/{town.institution}/payee-accounts"
        changed = (await desk.bureau.post(path, account)).json()["change_id"]
        first, other, second = await asyncio.gather(
            *(
                posted(town, place, f"/changes/{change}/approve", {}, desk.other)
                for place, change in enumerate([pays[0], changed, pays[1]])
            )
        )
        assert other.json()["status"] == "applied"
        found = Counter([await word(first), await word(second)])
        assert found["applied"] <= 1
        assert set(found) <= {"applied", "no_longer_fits"}
        words += found
        if not found["applied"]:
            await desk.approve(await desk.bureau.post(f"/settlements/{settlement}/pay", {}))
    assert words.total() == 8


async def test_write_offs_reversals_and_a_run_at_one_moment_lose_nothing(town: Town, desk: Books) -> None:
    """Each write-off ends in exactly one way: reversed, in this settlement, or left for the next."""

    async def reverse(till: TerminalClient, request_no: str) -> str:
        try:
            return (await till.reverse(request_no, "x")).status
        except Refused as refused:
            return refused.code

    await make(town.kit, await job_of(town, desk))
    for _ in range(3):
        numbers = await written_off(town)
        fresh = await held_vouchers(town.kit, town.campaign, "general_50", PIECES)
        first, second = await job_of(town, desk), await job_of(town, desk)
        results = await asyncio.gather(
            *(reverse(town.at(place), number) for place, number in enumerate(numbers)),
            *(town.at(place).redeem(one.code, 3_333) for place, one in enumerate(fresh)),
            make(town.kit, first),
            make(town.kit, second),
        )
        undone = sum(outcome == "reversed" for outcome in results[:PIECES])
        assert set(results[:PIECES]) <= {"reversed", "already_settled"}
        settled = sum(result["count"] for result in results[-2:] if isinstance(result, dict))
        left = (await make(town.kit, await job_of(town, desk)))["count"]
        assert undone + settled + left == 2 * PIECES

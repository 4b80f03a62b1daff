"""A merger, the batches of card events and a freeze at the same moment, over two instances."""

import asyncio
import json
import secrets
from collections import Counter
from datetime import datetime

import httpx
import pytest

from shared.clock import CHINA, ManualClock
from shared.integrity.operations import recompute
from tests.support.quota import API, Bureau, Json, Programme, issued, many, sheet

HOSPITALS = [("东", "甲", 60), ("东", "乙", 40), ("西", "丙", 20)]


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    clock.set(datetime(2020, 9, 10, 9, 0, tzinfo=CHINA))
    made = await bureau.programme(f"merge-{secrets.token_hex(4)}", *HOSPITALS, total=1000)
    await made.send(*many(made, "甲", 5, "2020-08-10"), *many(made, "乙", 3, "2020-08-10"))
    return made


async def sound(bureau: Bureau) -> None:
    report = await recompute(bureau.kit)
    assert [check for check in report.checks if not check.ok] == []


async def patient(
    client: httpx.AsyncClient, path: str, body: object, headers: dict[str, str]
) -> httpx.Response:
    """Asks again after an overload, which is never a business answer."""
    for _ in range(20):
        answer = await client.post(f"{API}/{path}", json=body, headers=headers)
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.2)
    return answer


async def merger(programme: Programme, hospital: str, into: str, on: str) -> str:
    body = {"on": on, "reason": "批复", "into_id": programme.id(into)}
    answer = await programme.bureau.post(f"hospitals/{programme.id(hospital)}/merger", body, status=202)
    return str(answer["change_id"])


async def approve(programme: Programme, change_id: str, client: httpx.AsyncClient) -> httpx.Response:
    return await patient(client, f"changes/{change_id}/approve", {}, programme.bureau.second)


async def sent(programme: Programme, client: httpx.AsyncClient, events: list[dict[str, Json]]) -> list[str]:
    for _ in range(20):
        answer = await programme.platform.post(
            f"{programme.path}/card-events", {"events": events}, client=client
        )
        if answer.status_code != 503:
            break
        await asyncio.sleep(0.2)
    assert answer.status_code == 200, answer.text
    return [result["outcome"] for result in answer.json()["results"]]


async def test_a_merger_among_batches_and_a_freeze_loses_no_card_and_touches_no_frozen_month(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    """A merger of August: the freeze is first and it no longer fits, or it is in what was frozen."""
    change = await merger(programme, "乙", "甲", "2020-08-20")
    freeze = (await bureau.post(f"{programme.path}/rankings/freeze", {"month": "2020-08"}, status=202))[
        "change_id"
    ]
    batches = [
        [
            issued(programme, "乙", f"{batch}-{n}", f"{batch}-{n}", "2020-08-25" if n % 2 else "2020-09-02")
            for n in range(20)
        ]
        for batch in range(8)
    ]
    approvals, outcomes = await asyncio.gather(
        asyncio.gather(approve(programme, change, clients[0]), approve(programme, freeze, clients[1])),
        asyncio.gather(*(sent(programme, clients[n % 2], batch) for n, batch in enumerate(batches))),
    )
    merged, frozen = (answer.status_code == 200 for answer in approvals)
    assert frozen
    assert merged or approvals[0].json()["code"] == "no_longer_fits"
    assert {outcome for batch in outcomes for outcome in batch} == {"counted"}
    published = await programme.ranking("2020-08")
    assert {item["hospital"] for item in published["items"]} == (
        {"甲", "丙"} if merged else {"甲", "乙", "丙"}
    )
    assert published == await programme.ranking("2020-08")
    counted = await programme.issued()
    assert sum(counted.values()) == 8 + 160
    assert counted == ({"甲": 168} if merged else {"甲": 5, "乙": 163})
    await sound(bureau)


async def test_a_hospital_ends_once_whoever_approves_first(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    """Two mergers of it, a closure, and mergers of its successors into it: one ending, and no circle."""
    closure = await bureau.post(
        f"hospitals/{programme.id('乙')}/closure", {"on": "2020-09-01", "reason": "批复"}, status=202
    )
    changes = [
        await merger(programme, "乙", "甲", "2020-09-01"),
        await merger(programme, "乙", "丙", "2020-09-01"),
        await merger(programme, "甲", "乙", "2020-09-01"),
        await merger(programme, "丙", "乙", "2020-09-01"),
        str(closure["change_id"]),
    ]
    answers = await asyncio.gather(
        *(approve(programme, change, clients[n % 2]) for n, change in enumerate(changes))
    )
    assert {answer.json().get("code", "applied") for answer in answers} <= {"applied", "no_longer_fits"}
    assert any(answer.status_code == 200 for answer in answers)
    listed = (await bureau.get(f"{programme.path}/hospitals"))["items"]
    lines = {item["hospital_id"] for item in listed if item["counts_in"] is None}
    assert all(item["counts_in"] in {None, *lines} for item in listed)
    assert sum((await programme.issued()).values()) == 8
    await sound(bureau)


async def test_codes_are_handed_on_among_batches_by_the_day_of_each_event(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient], clock: ManualClock
) -> None:
    body = {"on": "2020-09-12", "reason": "批复", "heir_id": programme.id("丙")}
    closure = await bureau.post(f"hospitals/{programme.id('乙')}/closure", body, status=202)
    batches = [
        [issued(programme, "乙", f"{batch}-{n}", f"{batch}-{n}", "2020-09-09") for n in range(20)]
        for batch in range(6)
    ]
    answer, _ = await asyncio.gather(
        approve(programme, closure["change_id"], clients[1]),
        asyncio.gather(*(sent(programme, clients[n % 2], batch) for n, batch in enumerate(batches))),
    )
    assert answer.status_code == 200
    clock.set(datetime(2020, 9, 13, 9, 0, tzinfo=CHINA))
    late = [issued(programme, "乙", f"late-{n}", f"late-{n}", f"2020-09-{11 + n % 2}") for n in range(10)]
    await asyncio.gather(sent(programme, clients[0], late[:5]), sent(programme, clients[1], late[5:]))
    assert await programme.issued() == {"甲": 5, "乙": 3 + 120 + 5, "丙": 5}
    await sound(bureau)


async def test_one_name_goes_to_one_hospital_over_two_instances(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    body = {"name": "老城关医院", "reason": "老名称"}
    answers = await asyncio.gather(
        *(
            patient(clients[n % 2], f"hospitals/{programme.id(hospital)}/names", body, bureau.operator)
            for n, hospital in enumerate(("甲", "乙", "丙") * 4)
        )
    )
    codes = Counter(answer.status_code for answer in answers)
    assert codes == {201: 1, 409: 11}
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {
        "hospital_name_taken"
    }
    await sound(bureau)


async def test_lists_with_the_same_new_hospital_make_it_once(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    async def take(number: int) -> Json:
        content = sheet(("东", "新建医院", 7), ("西", f"另建医院{number}", 1))
        for _ in range(20):
            answer = await clients[number % 2].post(
                f"{API}/{programme.path}/hospitals/import",
                files={"file": ("table.csv", content)},
                data={"confirm": json.dumps({"3": "new"})},
                headers=bureau.operator,
            )
            if answer.status_code != 503:
                break
            await asyncio.sleep(0.2)
        assert answer.status_code == 200, answer.text
        return answer.json()

    reports = await asyncio.gather(*(take(number) for number in range(8)))
    assert sum(report["accepted"] for report in reports) == 1 + 8
    listed = (await bureau.get(f"{programme.path}/hospitals?q=新建医院"))["items"]
    assert len(listed) == 1
    await sound(bureau)

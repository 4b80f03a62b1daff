"""Months, calendars and templates from two instances at once: each has one winner, and none is lost."""

import asyncio
import secrets
from collections import Counter
from datetime import datetime

import httpx
import pytest

from shared.clock import CHINA, ManualClock
from shared.integrity.operations import recompute
from tests.support.quota import API, Bureau, Programme, many


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    clock.set(datetime(2020, 10, 10, 9, 0, tzinfo=CHINA))
    made = await bureau.programme(f"month-{secrets.token_hex(4)}", total=1000, ends_on="2020-12-31")
    await made.send(*many(made, "甲", 40, "2020-08-10"), *many(made, "乙", 10, "2020-09-10"))
    return made


async def sound(bureau: Bureau) -> None:
    report = await recompute(bureau.kit)
    assert [check for check in report.checks if not check.ok] == []


async def proposed(bureau: Bureau, programme: Programme, month: str) -> str:
    change: str = (await bureau.post(f"{programme.path}/rankings/freeze", {"month": month}, status=202))[
        "change_id"
    ]
    return change


async def test_a_month_that_two_proposed_is_frozen_once(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    changes = [await proposed(bureau, programme, "2020-08") for _ in range(4)]
    answers = await asyncio.gather(
        *(
            clients[n % 2].post(f"{API}/changes/{change}/approve", json={}, headers=bureau.second)
            for n, change in enumerate(changes)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 3}
    assert len((await bureau.get(f"{programme.path}/rankings/editions"))["items"]) == 1
    await sound(bureau)


async def test_two_months_are_frozen_in_their_order_while_late_cards_come(
    bureau: Bureau, clock: ManualClock, clients: list[httpx.AsyncClient]
) -> None:
    """September's proposal is older than the first card of August, which comes at the same moment."""
    clock.set(datetime(2020, 10, 10, 9, 0, tzinfo=CHINA))
    empty = await bureau.programme(f"month-{secrets.token_hex(4)}", total=1000)
    september = await proposed(bureau, empty, "2020-09")
    august = await proposed(bureau, empty, "2020-08")

    async def approve(change: str, client: httpx.AsyncClient) -> int:
        return (
            await client.post(f"{API}/changes/{change}/approve", json={}, headers=bureau.second)
        ).status_code

    async def cards(number: int) -> None:
        path, batch = f"{empty.path}/card-events", many(empty, "甲", 20, "2020-08-10", first=20 * number)
        answer = await empty.platform.post(path, {"events": list(batch)}, client=clients[number % 2])
        assert answer.status_code == 200

    later, earlier, *_ = await asyncio.gather(
        approve(september, clients[0]), approve(august, clients[1]), *(cards(n) for n in range(6))
    )
    assert earlier == 200
    assert later in (200, 409)
    counted = [sum((await empty.month_issued(month)).values()) for month in ("2020-08", "2020-09", "2020-10")]
    assert sum(counted) == 120 == (await empty.progress())["issued"]
    assert (await empty.ranking("2020-08"))["frozen"] is True
    await sound(bureau)


async def test_a_years_calendar_of_two_at_once_is_one_edition(
    bureau: Bureau, clients: list[httpx.AsyncClient]
) -> None:
    content = "日期,类型\n2041-01-01,放假\n".encode()
    answers = await asyncio.gather(
        *(
            clients[n % 2].post(
                f"{API}/working-days/2041/import",
                files={"file": ("d.csv", content)},
                data={"source": f"通知{n}"},
                headers=bureau.operator,
            )
            for n in range(6)
        )
    )
    taken = [answer.json()["edition"] for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert sorted(taken) == list(range(1, len(taken) + 1))
    assert (await bureau.get("working-days/2041"))["edition"] == len(taken)


async def test_freezing_leaves_the_same_outlook_on_both_instances(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    change = await proposed(bureau, programme, "2020-08")
    await bureau.post(f"changes/{change}/approve", {}, status=200, headers=bureau.second)
    path = f"{API}/{programme.path}/rankings?month=2020-08&by=level"
    one, other = await asyncio.gather(*(client.get(path, headers=bureau.operator) for client in clients))
    assert one.json() == other.json()

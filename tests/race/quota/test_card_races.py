"""The same person, event, card or month from many sides at once: one winner, over real connections."""

import asyncio
import random
import secrets
from collections import Counter
from datetime import datetime, timedelta

import httpx
import pytest

from services.quota.cards.rules import Event
from services.quota.cards.store import count_events
from services.quota.programmes.store import programme_by_slug
from services.quota.signals.operations import Signals
from services.quota.wiring import build
from shared.clock import CHINA, ManualClock
from shared.integrity.operations import recompute
from tests.support.quota import API, Bureau, Json, Programme, event, issued, many, sheet

HOSPITALS = [("A", f"医院{number}", 10 + number) for number in range(12)]


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    clock.set(datetime(2020, 10, 10, 9, 0, tzinfo=CHINA))
    return await bureau.programme(f"race-{secrets.token_hex(4)}", *HOSPITALS, total=1000)


async def at_once(
    programme: Programme, clients: list[httpx.AsyncClient], batches: list[list[dict[str, Json]]]
) -> list[list[str]]:
    """Sends all batches at the same moment, over both instances; an overload is sent again."""

    async def send(number: int, batch: list[dict[str, Json]]) -> list[str]:
        for _ in range(20):
            answer = await programme.platform.post(
                f"{programme.path}/card-events", {"events": batch}, client=clients[number % len(clients)]
            )
            if answer.status_code != 503:
                break
            await asyncio.sleep(0.2)
        assert answer.status_code == 200, answer.text
        return [result["outcome"] for result in answer.json()["results"]]

    return await asyncio.gather(*(send(number, batch) for number, batch in enumerate(batches)))


async def sound(bureau: Bureau) -> None:
    report = await recompute(bureau.kit)
    assert [check for check in report.checks if not check.ok] == []


async def test_a_person_at_many_hospitals_at_once_counts_once(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    at = "2020-08-10T10:00:00+08:00"
    batches = [
        [issued(programme, f"医院{number % 12}", f"{number}-{person}", person, at) for person in range(20)]
        for number in range(24)
    ]
    outcomes = await at_once(programme, clients, batches)
    for person in range(20):
        assert Counter(batch[person] for batch in outcomes) == {"counted": 1, "already_has_card": 23}
    winners = Counter(
        f"医院{number % 12}"
        for number, batch in enumerate(outcomes)
        for outcome in batch
        if outcome == "counted"
    )
    assert await programme.issued() == dict(winners)
    await sound(bureau)


async def test_with_different_times_the_first_code_wins_whoever_arrives_first(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    start = datetime(2020, 8, 10, 10, 0, tzinfo=CHINA)
    batches = [
        [issued(programme, f"医院{number}", number, "p", (start + timedelta(seconds=number)).isoformat())]
        for number in range(12)
    ]
    random.Random(3).shuffle(batches)
    outcomes = await at_once(programme, clients, batches)
    assert Counter(outcome for batch in outcomes for outcome in batch) == {
        "counted": 1,
        "already_has_card": 11,
    }
    assert await programme.issued() == {"医院0": 1}
    await sound(bureau)


async def test_the_same_batch_sent_many_times_at_once_counts_once(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    batch = list(many(programme, "医院3", 200, "2020-08-10"))
    outcomes = await at_once(programme, clients, [batch] * 8)
    for place in range(200):
        assert Counter(sent[place] for sent in outcomes) == {"counted": 1, "duplicate_event": 7}
    assert await programme.issued() == {"医院3": 200}
    await sound(bureau)


async def test_crossing_batches_of_the_same_people_never_wait_for_each_other(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    """Every batch names all people in another order: without one order of locks this deadlocks."""
    rng = random.Random(11)
    batches = []
    for number in range(16):
        people = rng.sample(range(150), 150)
        batches.append(
            [
                issued(
                    programme, f"医院{number % 12}", f"x{number}-{person}", person, "2020-08-10",
                    kind=rng.choice(["issued", "used", "cancelled"]),
                )
                for person in people
            ]
        )  # fmt: skip
    await at_once(programme, clients, batches)
    await sound(bureau)


async def test_one_nonce_is_used_once_by_two_at_the_same_moment(
    programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    body = {"events": [event(1, "2020-08-10")]}
    path = f"{programme.path}/card-events"
    answers = await asyncio.gather(
        *(programme.platform.post(path, body, nonce="once", client=clients[n % 2]) for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200, *[401] * 7]


async def test_a_freeze_among_batches_loses_nothing_and_changes_nothing_after(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    proposed = await bureau.post(f"{programme.path}/rankings/freeze", {"month": "2020-08"}, status=202)

    async def freeze() -> None:
        await asyncio.sleep(0.05)
        change = f"changes/{proposed['change_id']}/approve"
        for _ in range(20):
            answer = await clients[1].post(f"{API}/{change}", json={}, headers=bureau.second)
            if answer.status_code != 503:
                break
        assert answer.status_code == 200

    batches = [
        [issued(programme, f"医院{n % 12}", f"f{n}-{k}", f"f{n}-{k}", "2020-08-10") for k in range(40)]
        for n in range(24)
    ]
    await asyncio.gather(at_once(programme, clients, batches), freeze())
    frozen = sum(item["issued"] for item in (await programme.ranking("2020-08"))["items"])
    next_month = sum((await programme.month_issued("2020-09")).values())
    assert frozen + next_month == 24 * 40 == (await programme.progress())["issued"]
    await sound(bureau)


async def test_a_freeze_waits_for_the_batch_that_is_being_counted(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    """Held open half-way: the freeze must see its cards, or they slip into a month that was published."""
    proposed = await bureau.post(f"{programme.path}/rankings/freeze", {"month": "2020-08"}, status=202)
    card_events = build(bureau.kit).card_events
    event = Event("held", "holder", "issued", datetime(2020, 8, 10, tzinfo=CHINA), programme.scene("医院5"))
    async with bureau.kit.database.transaction() as tx:
        found = await programme_by_slug(tx, programme.slug)
        assert found is not None
        now = bureau.kit.clock.now()
        await count_events(tx, found.id, card_events.columns([event]), source="platform:held", now=now)
        freeze = asyncio.create_task(
            clients[1].post(f"{API}/changes/{proposed['change_id']}/approve", json={}, headers=bureau.second)
        )
        done, _ = await asyncio.wait([freeze], timeout=0.5)
        assert not done
    assert (await freeze).status_code == 200
    frozen = {item["hospital"]: item["issued"] for item in (await programme.ranking("2020-08"))["items"]}
    assert frozen["医院5"] == 1
    await sound(bureau)


async def test_an_assignment_and_a_late_code_leave_the_card_with_one_hospital(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    for turn in range(6):
        await programme.send(event(f"a{turn}", "2020-08-10"))
        body = {"hospital_id": programme.id("医院1"), "reason": "申诉"}
        proposed = await bureau.post(f"{programme.path}/card-events/e-a{turn}/assign", body, status=202)
        approve, _ = await asyncio.gather(
            clients[1].post(f"{API}/changes/{proposed['change_id']}/approve", json={}, headers=bureau.second),
            at_once(programme, clients, [[issued(programme, "医院2", f"b{turn}", f"a{turn}", "2020-08-01")]]),
        )
        assert approve.status_code in (200, 409)
    assert await programme.issued() == {"医院2": 6}
    await sound(bureau)


async def test_two_imports_of_one_list_at_once_make_each_hospital_once(
    bureau: Bureau, clients: list[httpx.AsyncClient]
) -> None:
    programme = await bureau.programme(f"race-{secrets.token_hex(4)}", ("", "甲", 1))
    forward = [("A", f"院{n}", n) for n in range(60)]
    answers = await asyncio.gather(
        *(
            clients[n % 2].post(
                f"{API}/{programme.path}/hospitals/import",
                files={"file": ("h.csv", sheet(*(forward if n % 2 else reversed(forward))))},
                headers=bureau.operator,
            )
            for n in range(6)
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.json()["accepted"] for answer in answers) == 60
    items = (await bureau.get(f"{programme.path}/hospitals?limit=200"))["items"]
    assert len(items) == 61 == len({item["scene"] for item in items})
    await sound(bureau)


async def test_an_approval_by_two_at_once_allocates_once(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    body = {"total": 500, "method": "largest_remainder", "reason": "r"}
    changes = [
        (await bureau.post(f"{programme.path}/allocations", body, status=202))["change_id"] for _ in range(3)
    ]
    answers = await asyncio.gather(
        *(
            clients[n % 2].post(f"{API}/changes/{changes[n % 3]}/approve", json={}, headers=bureau.second)
            for n in range(12)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {200: 3, 409: 9}
    versions = (await bureau.get(f"{programme.path}/allocations"))["items"]
    assert [entry["version"] for entry in versions] == [4, 3, 2, 1]


async def test_a_code_is_replaced_once_by_two_at_once(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    answers = await asyncio.gather(
        *(
            clients[n % 2].post(
                f"{API}/hospitals/{programme.id('医院0')}/codes/{programme.scene('医院0')}/replace",
                json={"reason": "r"},
                headers=bureau.operator,
            )
            for n in range(6)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 5}
    codes = (await bureau.get(f"hospitals/{programme.id('医院0')}/codes"))["items"]
    assert sum(code["replaced_at"] is None for code in codes) == 1
    assert len(codes) == 2


async def test_a_sub_code_is_made_and_retired_once_by_many_at_once(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    path = f"{API}/hospitals/{programme.id('医院1')}/codes"
    made = await asyncio.gather(
        *(
            clients[n % 2].post(path, json={"kind": "channel", "label": "大厅"}, headers=bureau.operator)
            for n in range(6)
        )
    )
    assert Counter(answer.status_code for answer in made) == {201: 1, 409: 5}
    scene = next(answer.json()["scene"] for answer in made if answer.status_code == 201)
    ended = await asyncio.gather(
        *(
            clients[n % 2].post(
                f"{path}/{scene}/{'retire' if n < 3 else 'replace'}",
                json={"reason": "r"},
                headers=bureau.operator,
            )
            for n in range(6)
        )
    )
    assert Counter(answer.status_code == 409 for answer in ended) == {False: 1, True: 5}
    (item,) = (await bureau.get(f"hospitals/{programme.id('医院1')}/sub-codes"))["items"]
    assert (item["scene"] is None) == (item["retired_at"] is not None)


async def test_uses_and_cancellations_race_a_confirmation_and_its_withdrawal(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    """Whoever is first, what is not effective is what stands, was not used, and is in a confirmed case."""
    start = datetime(2020, 10, 8, 9, 0, 1, tzinfo=CHINA)
    farm = [
        {
            **issued(programme, "医院1", f"f{n}", f"f{n}", (start + timedelta(seconds=9 * n)).isoformat()),
            "device_ref": "one",
        }
        for n in range(60)
    ]
    await programme.send(*farm)
    await Signals(bureau.kit).scan()
    cases = (await bureau.get(f"{programme.path}/stuffing-cases"))["items"]
    at = "2020-10-09T10:00:00+08:00"
    later = [
        [issued(programme, None, f"u{n}", f"f{n}", at, kind="used") for n in range(0, 60, 3)],
        [issued(programme, None, f"c{n}", f"f{n}", at, kind="cancelled") for n in range(1, 60, 3)],
        [issued(programme, "医院2", f"e{n}", f"f{n}", "2020-10-07T10:00:00+08:00") for n in range(0, 60, 4)],
    ]
    paths = [f"{programme.path}/stuffing-cases/{case['id']}" for case in cases]
    await asyncio.gather(
        at_once(programme, clients, later),
        *(bureau.approved(f"{path}/confirm", {"reason": "刷量"}) for path in paths),
    )
    await sound(bureau)
    detail = await bureau.get(f"{paths[0]}?limit=100")
    assert sum(not item["effective"] and item["stands"] for item in detail["items"]) == sum(
        n for *_, n in await programme.figures("card_void")
    )
    again = [[issued(programme, None, f"w{n}", f"f{n}", at, kind="used") for n in range(2, 60, 6)]]
    await asyncio.gather(
        at_once(programme, clients, again),
        *(bureau.approved(f"{path}/withdraw", {"reason": "申诉成立"}) for path in paths),
    )
    assert sum(n for *_, n in await programme.figures("card_void")) == 0
    await sound(bureau)


async def test_of_two_approvals_of_one_case_one_is_late(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    start = datetime(2020, 10, 8, 9, 0, 1, tzinfo=CHINA)
    await programme.send(
        *(
            {
                **issued(
                    programme, "医院1", f"t{n}", f"t{n}", (start + timedelta(seconds=9 * n)).isoformat()
                ),
                "device_ref": "one",
            }
            for n in range(15)
        )
    )
    await Signals(bureau.kit).scan()
    (case,) = (await bureau.get(f"{programme.path}/stuffing-cases?kind=devices"))["items"]
    path = f"{programme.path}/stuffing-cases/{case['id']}/confirm"
    changes = [(await bureau.post(path, {"reason": "刷量"}, status=202))["change_id"] for _ in range(2)]
    answers = await asyncio.gather(
        *(
            client.post(f"{API}/changes/{change}/approve", json={}, headers=bureau.second)
            for client, change in zip(clients, changes, strict=True)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert sum(n for *_, n in await programme.figures("card_void")) == 15
    await sound(bureau)

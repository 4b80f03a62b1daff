"""Versions of the quotas, freezes and figures of a basis at the same moment, over two instances."""

import asyncio
import secrets
from collections import Counter
from datetime import datetime

import httpx
import pytest

from shared.clock import CHINA, ManualClock
from shared.integrity.operations import recompute
from tests.support.quota import API, Bureau, Json, Programme

TURNS = 4


@pytest.fixture
async def programme(bureau: Bureau, clock: ManualClock) -> Programme:
    """Quotas of 1000 cards in October 2020."""
    clock.set(datetime(2020, 10, 10, 9, 0, tzinfo=CHINA))
    return await bureau.programme(f"versions-{secrets.token_hex(4)}", total=1000)


def proposal(total: int, **changes: Json) -> dict[str, Json]:
    return {"total": total, "method": "largest_remainder", "reason": "r", **changes}


async def approve(bureau: Bureau, client: httpx.AsyncClient, change_id: str) -> httpx.Response:
    """An overload is tried again: it says nothing about who won."""
    for _ in range(50):
        answer = await client.post(f"{API}/changes/{change_id}/approve", json={}, headers=bureau.second)
        if answer.status_code != 503:
            break
    return answer


async def sound(bureau: Bureau) -> None:
    report = await recompute(bureau.kit)
    assert [check for check in report.checks if check.name == "allocations_add_up" and not check.ok] == []


async def test_two_changes_approved_at_once_are_two_versions_one_after_the_other(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    path = f"{programme.path}/allocations"
    held = [{"hospital": "丙", "min": 200, "reason": "r"}]
    for turn in range(TURNS):
        bodies = [proposal(2000 + turn), proposal(3000 + turn, bounds=held)]
        changes = [(await bureau.post(path, body, status=202))["change_id"] for body in bodies]
        answers = await asyncio.gather(*(approve(bureau, clients[n % 2], changes[n // 2]) for n in range(4)))
        assert Counter(answer.status_code for answer in answers) == {200: 2, 409: 2}
    versions = (await bureau.get(path))["items"]
    assert [entry["version"] for entry in versions] == list(range(2 * TURNS + 1, 0, -1))
    assert sum(entry["in_force"] for entry in versions) == 1
    assert versions[0]["in_force"]
    await sound(bureau)


async def test_quotas_from_a_month_and_its_freeze_never_both_come_about(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    """Else a frozen month had quotas that took effect in it and that it was not judged by."""
    for month in ("2020-08", "2020-09"):
        freeze = await bureau.post(f"{programme.path}/rankings/freeze", {"month": month}, status=202)
        body = proposal(2000, effective_month=month)
        change = await bureau.post(f"{programme.path}/allocations", body, status=202)
        answers = await asyncio.gather(
            approve(bureau, clients[0], freeze["change_id"]), approve(bureau, clients[1], change["change_id"])
        )
        assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 1}
        loser = next(answer for answer in answers if answer.status_code == 409)
        assert loser.json()["code"] == "no_longer_fits"
        if answers[0].status_code == 409:
            await bureau.approved(f"{programme.path}/rankings/freeze", {"month": month})
    await sound(bureau)


async def test_a_frozen_month_has_the_quotas_of_the_version_that_it_names(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    freeze = await bureau.post(f"{programme.path}/rankings/freeze", {"month": "2020-08"}, status=202)
    changes = [
        (await bureau.post(f"{programme.path}/allocations", proposal(total), status=202))["change_id"]
        for total in (2000, 4000)
    ]
    answers = await asyncio.gather(
        *(approve(bureau, clients[n % 2], change) for n, change in enumerate([freeze["change_id"], *changes]))
    )
    assert [answer.status_code for answer in answers[1:]] == [200, 200]
    assert answers[0].status_code in {200, 409}
    if answers[0].status_code == 409:
        await bureau.approved(f"{programme.path}/rankings/freeze", {"month": "2020-08"})
    ranking = await programme.ranking("2020-08")
    version = await bureau.get(f"{programme.path}/allocations/{ranking['allocation_version']}")
    assert ranking["frozen"]
    assert {item["hospital"]: item["quota"] for item in ranking["items"]} == {
        item["hospital"]: item["quota"] for item in version["items"]
    }
    await sound(bureau)


async def test_a_version_is_of_one_files_figures_however_many_are_imported_meanwhile(
    bureau: Bureau, programme: Programme, clients: list[httpx.AsyncClient]
) -> None:
    path = f"{API}/{programme.path}/bases/beds/import"

    def beds(factor: int) -> bytes:
        rows = (f"{name},{factor * share}" for name, share in (("甲", 1), ("乙", 2), ("丙", 7)))
        return "\n".join(["hospital,beds", *rows]).encode()

    async def take(number: int, factor: int) -> httpx.Response:
        files = {"file": ("beds.csv", beds(factor))}
        return await clients[number % 2].post(path, files=files, headers=bureau.operator)

    assert (await take(0, 1)).status_code == 200
    for turn in range(TURNS):
        body = proposal(1000, basis="beds")
        change = await bureau.post(f"{programme.path}/allocations", body, status=202)
        approved, *imports = await asyncio.gather(
            approve(bureau, clients[turn % 2], change["change_id"]),
            *(take(number, 2 + number + 10 * turn) for number in range(4)),
        )
        assert {answer.status_code for answer in imports} == {200}
        assert approved.status_code in {200, 409}
        figures = [item["value"] for item in (await bureau.get(f"{programme.path}/bases/beds"))["items"]]
        assert [int(figure) * 7 for figure in figures[:1]] == [int(figure) for figure in figures[2:]]
        if approved.status_code == 200:
            version = await bureau.get(f"{programme.path}/allocations/current")
            assert [item["quota"] for item in version["items"]] == [100, 200, 700]
    await sound(bureau)

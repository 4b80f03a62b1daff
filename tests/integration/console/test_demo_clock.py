"""The demonstration's clock: forward only, followed by every process, and absent in production."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import httpx
import pytest

from services.console.app import create_app
from shared.clock import OffsetClock, rfc3339
from shared.identity.staff import Role
from shared.kit import Kit, build_kit
from shared.settings import Settings
from tests.conftest import START
from tests.support.http import serving
from tests.support.launched import eventually
from tests.support.people import signed_in_staff

PATH = "/console/v1/demo/clock"


@pytest.fixture(scope="module")
async def two_processes(settings: Settings) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Two instances of the app, each with a clock of its own that follows the platform's."""
    ours = settings.model_copy(update={"clock_start": START})
    async with serving(console=create_app(ours)) as one, serving(console=create_app(ours)) as other:
        yield one, other


@pytest.fixture(scope="module")
async def admin(two_processes: object, settings: Settings) -> AsyncIterator[dict[str, str]]:  # noqa: ARG001 - the clock has started
    kit = build_kit(settings, clock=OffsetClock())
    yield await signed_in_staff(kit, Role.ADMIN)
    await kit.database.stop()


async def shown(client: httpx.AsyncClient, headers: dict[str, str]) -> datetime:
    return datetime.fromisoformat((await client.get(PATH, headers=headers)).json()["now"])


async def followed(client: httpx.AsyncClient, headers: dict[str, str], target: datetime) -> None:
    """Waits until the process has heard of the move."""

    async def heard() -> bool:
        return await shown(client, headers) >= target

    await eventually(heard)


async def test_new_demonstration_starts_where_the_settings_say(
    two_processes: tuple[httpx.AsyncClient, httpx.AsyncClient], admin: dict[str, str]
) -> None:
    for client in two_processes:
        assert START <= await shown(client, admin) < START + timedelta(minutes=1)


async def test_every_process_follows_within_a_second(
    two_processes: tuple[httpx.AsyncClient, httpx.AsyncClient], admin: dict[str, str]
) -> None:
    one, other = two_processes
    target = START + timedelta(days=1, hours=2)
    moved = await one.post(PATH, json={"now": rfc3339(target)}, headers=admin)
    assert (moved.status_code, moved.json()) == (200, {"now": rfc3339(target)})
    assert target <= await shown(one, admin) < target + timedelta(minutes=1)
    await followed(other, admin, target)


async def test_clock_never_goes_back(
    two_processes: tuple[httpx.AsyncClient, httpx.AsyncClient], admin: dict[str, str]
) -> None:
    one, _ = two_processes
    before = await shown(one, admin)
    answer = await one.post(PATH, json={"now": rfc3339(before - timedelta(minutes=1))}, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (409, "clock_backwards")
    assert await shown(one, admin) >= before


async def test_repeated_request_is_no_step_back(
    two_processes: tuple[httpx.AsyncClient, httpx.AsyncClient], admin: dict[str, str]
) -> None:
    one, _ = two_processes
    target = rfc3339(await shown(one, admin) + timedelta(hours=1))
    body = {"now": target, "request_no": "move-1"}
    answers = [await one.post(PATH, json=body, headers=admin) for _ in range(2)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {"now": target})] * 2
    assert answers[1].headers["idempotent-replay"] == "true"


async def test_moves_at_the_same_moment_leave_the_furthest(
    two_processes: tuple[httpx.AsyncClient, httpx.AsyncClient], admin: dict[str, str]
) -> None:
    start = await shown(two_processes[0], admin)
    targets = [start + timedelta(hours=hours) for hours in range(1, 9)]
    await asyncio.gather(
        *(
            two_processes[number % 2].post(PATH, json={"now": rfc3339(target)}, headers=admin)
            for number, target in enumerate(targets)
        )
    )
    for client in two_processes:
        await followed(client, admin, targets[-1])


@pytest.mark.parametrize(
    "moment",
    ["2020-11-01", "2020-11-01T11:00:00", 1604199600, "1604199600", None, "9999-12-31T23:59:59Z", "soon"],
)
async def test_moment_that_is_none_is_422(
    two_processes: tuple[httpx.AsyncClient, httpx.AsyncClient], admin: dict[str, str], moment: object
) -> None:
    answer = await two_processes[0].post(PATH, json={"now": moment}, headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_only_administrators_move_it(
    two_processes: tuple[httpx.AsyncClient, httpx.AsyncClient], kit: Kit
) -> None:
    headers = await signed_in_staff(kit, Role.OPERATOR)
    body = {"now": "2021-01-01T00:00:00+08:00"}
    assert (await two_processes[0].post(PATH, json=body, headers=headers)).status_code == 403
    assert (await two_processes[0].post(PATH, json=body)).status_code == 401


async def test_outside_a_demonstration_there_is_no_such_address(settings: Settings, kit: Kit) -> None:
    production = settings.model_copy(update={"demo": False, "environment": "production", "rate_limits": "on"})
    body = {"now": "2021-01-01T00:00:00+08:00"}
    async with serving(console=create_app(production, clock=kit.clock)) as client:
        for headers in (await signed_in_staff(kit, Role.ADMIN), {}):
            for answer in (
                await client.post(PATH, json=body, headers=headers),
                await client.get(PATH, headers=headers),
            ):
                assert (answer.status_code, answer.json()["code"]) == (404, "not_found")

"""Staff at the same moment, over two processes: one first administrator, one name, one lock."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.console.app import create_app
from services.console.sessions.store import NewSession, insert_session
from services.console.staff import store
from services.console.staff.rules import FAILURES_MAX
from services.console.wiring import build
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit, build_kit
from shared.passwords import CONCURRENT
from shared.settings import Settings
from tests.support.http import serving
from tests.support.people import signed_in_staff

PROCESSES = 2


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(serving(console=create_app(settings, clock=clock)))
            for _ in range(PROCESSES)
        ]


async def test_many_processes_make_one_first_administrator(settings: Settings, clock: ManualClock) -> None:
    kits = [build_kit(settings, clock=clock) for _ in range(6)]
    assert all(await asyncio.gather(*(build(kit).first_admin.ensure() for kit in kits)))
    async with kits[0].database.snapshot() as tx:
        admins = await tx.execute(text("SELECT count(*) FROM core.staff WHERE username = 'admin'"))
        entries = await tx.execute(text("SELECT count(*) FROM core.audit_entry WHERE actor = 'system'"))
        assert (admins.scalar_one(), entries.scalar_one()) == (1, 1)
    await asyncio.gather(*(kit.database.stop() for kit in kits))


async def test_a_name_is_given_to_one_of_many(clients: list[httpx.AsyncClient], kit: Kit) -> None:
    admin = await signed_in_staff(kit, Role.ADMIN)
    body = {"username": "wanted", "password": "Seven-Red-Kites-9", "roles": ["operator"]}
    answers = await asyncio.gather(
        *(
            clients[number % PROCESSES].post("/console/v1/staff", json=body, headers=admin)
            for number in range(12)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 11}


async def test_a_request_number_makes_one_account(clients: list[httpx.AsyncClient], kit: Kit) -> None:
    admin = await signed_in_staff(kit, Role.ADMIN)
    body = {
        "username": "numbered",
        "password": "Seven-Red-Kites-9",
        "roles": ["operator"],
        "request_no": "n1",
    }
    answers = await asyncio.gather(
        *(
            clients[number % PROCESSES].post("/console/v1/staff", json=body, headers=admin)
            for number in range(12)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 200: 11}
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_guesses_sent_at_once_are_all_counted(clients: list[httpx.AsyncClient]) -> None:
    answers = await asyncio.gather(
        *(
            clients[number % PROCESSES].post(
                "/console/v1/sessions", json={"username": "admin", "password": f"guess-{number}"}
            )
            for number in range(30)
        )
    )
    codes = Counter(answer.status_code for answer in answers)
    # Those that were being checked when the fifth failed are the only ones beyond it.
    assert FAILURES_MAX <= codes[401] < FAILURES_MAX + PROCESSES * CONCURRENT
    assert codes[401] + codes[429] == 30


async def test_administrators_who_disable_each_other_leave_one(
    clients: list[httpx.AsyncClient], kit: Kit
) -> None:
    headers = [await signed_in_staff(kit, Role.ADMIN) for _ in range(2)]
    ids = [(await clients[0].get("/console/v1/me", headers=header)).json()["id"] for header in headers]
    answers = await asyncio.gather(
        *(
            clients[one].post(
                f"/console/v1/staff/{ids[1 - one]}/disable", json={"reason": "x"}, headers=headers[one]
            )
            for one in range(2)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [200, 401]


async def test_sign_in_that_races_a_disabling_leaves_no_live_session(
    clients: list[httpx.AsyncClient], kit: Kit
) -> None:
    admin = await signed_in_staff(kit, Role.ADMIN)
    body = {"username": "racer", "password": "Seven-Red-Kites-9", "roles": ["operator"]}
    made = (await clients[0].post("/console/v1/staff", json=body, headers=admin)).json()
    path = f"/console/v1/staff/{made['id']}/disable"
    now = kit.clock.now()
    # The end of a sign-in: it found the account enabled and is about to write its session.
    async with kit.database.transaction() as tx:
        assert await store.hold_if_enabled(tx, UUID(made["id"]))
        disabling = asyncio.create_task(clients[1].post(path, json={"reason": "x"}, headers=admin))
        await asyncio.sleep(0.2)
        assert not disabling.done(), "it waits for the session, so that it can end it"
        racer = NewSession(b"racer", UUID(made["id"]), "API", now, now + timedelta(hours=1))
        await insert_session(tx, racer)
    assert (await disabling).status_code == 200
    async with kit.database.snapshot() as tx:
        # Not even one that would come alive if the account were enabled again.
        live = text("SELECT count(*) FROM core.staff_session WHERE staff_id = :id AND revoked_at IS NULL")
        assert (await tx.execute(live, {"id": made["id"]})).scalar_one() == 0

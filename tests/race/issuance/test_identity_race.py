"""One natural person, one account, also when everything happens at once."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import text

from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from tests.support.http import serving
from tests.support.people import resident_id

SESSIONS, IDENTITY = "/issuance/v1/sessions", "/issuance/v1/me/identity"
RACERS = 12


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Two instances of the service, each with connections of its own."""
    apps = [create_app(settings, clock=clock) for _ in range(2)]
    async with serving(issuance=apps[0]) as one, serving(issuance=apps[1]) as two:
        yield [one, two]


async def sign_in(client: httpx.AsyncClient, code: str) -> httpx.Response:
    return await client.post(SESSIONS, json={"provider": "demo", "code": code})


async def bind(client: httpx.AsyncClient, session: httpx.Response, number: str) -> httpx.Response:
    body = {"name": "王小明", "id_type": "resident_id", "id_number": number, "consent_version": "1"}
    headers = {"Authorization": f"Bearer {session.json()['access_token']}"}
    return await client.put(IDENTITY, json=body, headers=headers)


async def test_of_many_accounts_that_bring_one_id_number_exactly_one_gets_it(
    clients: list[httpx.AsyncClient],
) -> None:
    sessions = [await sign_in(clients[0], f"racer-{n}") for n in range(RACERS)]
    for number in (resident_id(9001), resident_id(9002)):
        answers = await asyncio.gather(
            *(bind(clients[n % 2], session, number) for n, session in enumerate(sessions))
        )
        outcomes = [answer.json().get("code", "bound") for answer in answers]
        assert outcomes.count("bound") == 1
        # Who won the first number is bound already; the others were beaten to the second.
        assert set(outcomes) - {"bound"} <= {"identity_in_use", "identity_already_bound"}


async def test_one_account_that_brings_many_id_numbers_at_once_gets_exactly_one(
    clients: list[httpx.AsyncClient],
) -> None:
    session = await sign_in(clients[0], "collector")
    answers = await asyncio.gather(
        *(bind(clients[n % 2], session, resident_id(9100 + n)) for n in range(RACERS))
    )
    codes = [answer.json().get("code", "bound") for answer in answers]
    assert sorted(codes) == ["bound"] + ["identity_already_bound"] * (RACERS - 1)


async def test_a_released_identity_is_taken_over_by_exactly_one_account(
    clients: list[httpx.AsyncClient], kit: Kit
) -> None:
    number = resident_id(9200)
    assert (await bind(clients[0], await sign_in(clients[0], "first-holder"), number)).status_code == 200
    async with kit.database.transaction() as tx:
        await tx.execute(text("UPDATE core.person_identity SET account_id = NULL"))
    sessions = [await sign_in(clients[0], f"heir-{n}") for n in range(RACERS)]
    answers = await asyncio.gather(
        *(bind(clients[n % 2], session, number) for n, session in enumerate(sessions))
    )
    codes = [answer.json().get("code", "bound") for answer in answers]
    assert sorted(codes) == ["bound"] + ["identity_in_use"] * (RACERS - 1)


async def test_somebody_who_signs_in_twice_at_once_is_one_citizen(
    clients: list[httpx.AsyncClient], kit: Kit
) -> None:
    answers = await asyncio.gather(*(sign_in(clients[n % 2], "hasty") for n in range(RACERS)))
    assert len({answer.json()["citizen"]["id"] for answer in answers}) == 1
    async with kit.database.snapshot() as tx:
        orphans = await tx.execute(
            text(
                "SELECT count(*) FROM core.person p WHERE NOT EXISTS"
                " (SELECT FROM core.account a WHERE a.bucket = p.bucket AND a.person_id = p.id)"
                " AND p.verified_at IS NULL"
            )
        )
        # The accounts that took over a released person left theirs behind: at most one here.
        assert orphans.scalar_one() <= 1

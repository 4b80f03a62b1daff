"""Guessing and asking at once: no more tries and no more codes than there are, on two instances."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import SecretStr

from services.issuance.app import create_app
from services.issuance.phones.rules import SENDS_PER_PERSON_AND_DAY, SENDS_PER_PHONE_AND_DAY, TRIES_MAX
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from tests.support.citizens import new_person
from tests.support.held import rows, run
from tests.support.http import serving

PREFERENCES = "/issuance/v1/me/notice-preferences"
PHONE = "13700137000"
ASKED = "SELECT count(*) FROM core.outbox WHERE kind = 'issuance.phone_code_asked'"


@pytest.fixture(scope="module")
async def clients(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    token = SecretStr("nobody listens here")
    on = {"notice_sms": "on", "notice_sms_url": "http://127.0.0.1:9/send", "notice_sms_token": token}
    changed = settings.model_copy(update=on)
    async with (
        serving(issuance=create_app(changed, clock=clock)) as one,
        serving(issuance=create_app(changed, clock=clock)) as other,
    ):
        yield [one, other]


@pytest.fixture(autouse=True)
async def fresh(kit: Kit) -> None:
    await run(kit, "DELETE FROM issuance.phone_code_day")
    await run(kit, "DELETE FROM core.outbox WHERE kind = 'issuance.phone_code_asked'")


async def put(client: httpx.AsyncClient, headers: dict[str, str], phone: str) -> int:
    body = {"sms": {"enabled": True, "phone": phone}}
    return (await client.put(PREFERENCES, json=body, headers=headers)).status_code


async def test_many_guesses_at_once_are_five_tries(kit: Kit, clients: list[httpx.AsyncClient]) -> None:
    person = await new_person(kit)
    assert await put(clients[0], person.headers, PHONE) == 200
    guesses = [f"{number:06d}" for number in range(12)]
    answers = await asyncio.gather(
        *(
            clients[place % 2].post(f"{PREFERENCES}/phone-code", json={"code": code}, headers=person.headers)
            for place, code in enumerate(guesses)
        )
    )
    assert {answer.status_code for answer in answers} == {409}
    [row] = await rows(
        kit, "SELECT tries FROM issuance.phone_code WHERE person_id = :id", id=person.address.uuid
    )
    assert row.tries == TRIES_MAX


async def test_many_people_who_ask_for_one_phone_at_once_send_it_five_codes(
    kit: Kit, clients: list[httpx.AsyncClient]
) -> None:
    people = [await new_person(kit) for _ in range(9)]
    answers = await asyncio.gather(
        *(put(clients[place % 2], person.headers, PHONE) for place, person in enumerate(people))
    )
    # Nobody is told that others have asked.
    assert set(answers) == {200}
    assert (await rows(kit, ASKED))[0][0] == SENDS_PER_PHONE_AND_DAY


async def test_one_person_who_asks_for_many_phones_at_once_gets_five_codes(
    kit: Kit, clients: list[httpx.AsyncClient]
) -> None:
    person = await new_person(kit)
    answers = await asyncio.gather(
        *(put(clients[number % 2], person.headers, f"1371111{number:04d}") for number in range(9))
    )
    assert Counter(answers) == {200: SENDS_PER_PERSON_AND_DAY, 429: 9 - SENDS_PER_PERSON_AND_DAY}
    assert (await rows(kit, ASKED))[0][0] == SENDS_PER_PERSON_AND_DAY


async def test_of_a_right_code_on_two_phones_at_once_both_are_answered_alike(
    kit: Kit, clients: list[httpx.AsyncClient]
) -> None:
    person = await new_person(kit)
    await put(clients[0], person.headers, PHONE)
    [row] = await rows(
        kit, "SELECT id FROM issuance.phone_code WHERE person_id = :id", id=person.address.uuid
    )
    code = build(kit).phones._code(person.address, row.id)
    answers = await asyncio.gather(
        *(
            client.post(f"{PREFERENCES}/phone-code", json={"code": code}, headers=person.headers)
            for client in clients
        )
    )
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json() == answers[1].json()

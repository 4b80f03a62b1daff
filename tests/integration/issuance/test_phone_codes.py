"""A phone gets nothing but a code until its owner has shown that it is the owner's."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from services.issuance.app import create_app
from services.issuance.wiring import Wiring, build
from services.issuance.worker import parts
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from tests.support.citizens import Person, new_person
from tests.support.drain import drain
from tests.support.held import Held, held_voucher, refused, rows, run
from tests.support.http import serving
from tests.support.messaging import FakeSms, serving_messages

pytestmark = pytest.mark.usefixtures("clock_returns", "fresh_counters")

PREFERENCES = "/issuance/v1/me/notice-preferences"
PHONE, OTHER = "13800138000", "13900139000"


@pytest.fixture(scope="module")
def sms() -> FakeSms:
    return FakeSms()


@pytest.fixture(scope="module")
async def settings(settings: Settings, sms: FakeSms) -> AsyncIterator[Settings]:
    async with serving_messages(sms) as url:
        token = SecretStr(sms.token)
        on = {"notice_sms": "on", "notice_sms_url": f"{url}/send", "notice_sms_token": token}
        yield settings.model_copy(update=on)


@pytest.fixture(scope="module")
async def apps(settings: Settings, clock: ManualClock) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with (
        serving(issuance=create_app(settings, clock=clock)) as one,
        serving(issuance=create_app(settings, clock=clock)) as two,
    ):
        yield [one, two]


@pytest.fixture
async def wiring(kit: Kit) -> AsyncIterator[Wiring]:
    wiring = build(kit)
    yield wiring
    await wiring.deliveries.messengers.close()


@pytest.fixture
async def fresh_counters(kit: Kit, sms: FakeSms) -> None:
    await run(kit, "DELETE FROM issuance.phone_code_day")
    await run(kit, "DELETE FROM core.outbox WHERE kind = 'issuance.phone_code_asked'")
    sms.received.clear()
    sms.calls.clear()
    sms.faults.clear()
    sms.trouble = ""


async def asked(client: httpx.AsyncClient, person: Person, phone: str = PHONE, **more: Any) -> httpx.Response:  # noqa: ANN401 - parts of the body
    body = {"sms": {"enabled": True, "phone": phone, **more}}
    return await client.put(PREFERENCES, json=body, headers=person.headers)


async def tried(client: httpx.AsyncClient, person: Person, code: str) -> httpx.Response:
    return await client.post(f"{PREFERENCES}/phone-code", json={"code": code}, headers=person.headers)


async def shown(client: httpx.AsyncClient, person: Person) -> dict[str, Any]:
    sms: dict[str, Any] = (await client.get(PREFERENCES, headers=person.headers)).json()["sms"]
    return sms


async def codes(wiring: Wiring, sms: FakeSms) -> list[tuple[str, str]]:
    """Phone and code of each message so far."""
    await drain(wiring.kit, parts(wiring))
    assert {body["template"] for body in sms.received.values()} <= {"phone_code"}
    return [(body["phone"], body["values"]["code"]) for body in sms.received.values()]


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def test_a_new_phone_gets_a_code_and_notices_only_after_it_came_back(
    apps: list[httpx.AsyncClient], wiring: Wiring, sms: FakeSms, clock: ManualClock
) -> None:
    held: Held = await held_voucher(apps[0], wiring.kit, clock)
    person = held.hands.person
    answer = (await asked(apps[0], person, kinds=["redeemed"])).json()["sms"]
    assert (answer["enabled"], answer["phone_masked"]) == (False, None)
    assert answer["pending"]["phone_masked"] == "138****8000"
    [(phone, code)] = await codes(wiring, sms)
    assert (phone, len(code)) == (PHONE, 6)
    [text] = [body["text"] for body in sms.received.values()]
    assert code in text
    confirmed = (await tried(apps[1], person, code)).json()["sms"]
    assert (confirmed["enabled"], confirmed["phone_masked"], confirmed["pending"]) == (
        True,
        "138****8000",
        None,
    )
    assert confirmed["kinds"] == ["redeemed"]
    # A lost answer: the same again is answered again.
    assert (await tried(apps[0], person, code)).json()["sms"] == confirmed


async def test_a_code_is_nowhere_and_its_phone_is_sealed(
    apps: list[httpx.AsyncClient], wiring: Wiring, sms: FakeSms, kit: Kit
) -> None:
    person = await new_person(kit)
    await asked(apps[0], person)
    [(_, code)] = await codes(wiring, sms)
    for table in ("issuance.phone_code", "issuance.phone_code_day", "core.outbox"):
        told = " ".join(row.told for row in await rows(kit, f"SELECT t::text AS told FROM {table} t"))
        assert PHONE not in told
        assert f'"{code}"' not in told
        assert f",{code}," not in told


async def test_five_wrong_codes_use_it_up(
    apps: list[httpx.AsyncClient], wiring: Wiring, sms: FakeSms, kit: Kit
) -> None:
    person = await new_person(kit)
    await asked(apps[0], person)
    [(_, code)] = await codes(wiring, sms)
    for number in range(5):
        refused(await tried(apps[number % 2], person, another(code)), 409, "phone_code_invalid")
    refused(await tried(apps[0], person, code), 409, "phone_code_invalid")
    assert (await shown(apps[0], person))["enabled"] is False


async def test_after_five_minutes_it_is_no_longer_good_and_forgotten(
    apps: list[httpx.AsyncClient], wiring: Wiring, sms: FakeSms, kit: Kit, clock: ManualClock
) -> None:
    person = await new_person(kit)
    await asked(apps[0], person)
    [(_, code)] = await codes(wiring, sms)
    clock.advance(minutes=5)
    refused(await tried(apps[0], person, code), 409, "phone_code_invalid")
    await wiring.phones.forget()
    sql = "SELECT 1 FROM issuance.phone_code WHERE person_id = :id"
    assert await rows(kit, sql, id=person.address.uuid) == []
    refused(await tried(apps[0], person, code), 409, "phone_code_invalid")


async def test_the_same_question_within_a_minute_sends_nothing_and_a_later_one_another_code(
    apps: list[httpx.AsyncClient], wiring: Wiring, sms: FakeSms, kit: Kit, clock: ManualClock
) -> None:
    person = await new_person(kit)
    for _ in range(3):
        assert (await asked(apps[0], person)).status_code == 200
    assert len(await codes(wiring, sms)) == 1
    clock.advance(seconds=61)
    await asked(apps[0], person)
    first, second = await codes(wiring, sms)
    if first != second:
        refused(await tried(apps[0], person, first[1]), 409, "phone_code_invalid")
    assert (await tried(apps[0], person, second[1])).status_code == 200


async def test_a_person_gets_five_codes_a_day(
    apps: list[httpx.AsyncClient], wiring: Wiring, sms: FakeSms, kit: Kit, clock: ManualClock
) -> None:
    person = await new_person(kit)
    for number in range(5):
        assert (await asked(apps[0], person, f"1380013{number:04d}")).status_code == 200
    answer = await asked(apps[1], person, "13800139999")
    refused(answer, 429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) > 0
    await drain(kit, parts(wiring))
    # Only the last one was still wanted when its turn came.
    assert {body["phone"] for body in sms.received.values()} == {"13800130004"}
    clock.advance(days=1)
    assert (await asked(apps[0], person)).status_code == 200


async def test_a_confirmed_phone_goes_on_until_the_next_is_confirmed_and_off_forgets_both(
    apps: list[httpx.AsyncClient], wiring: Wiring, sms: FakeSms, kit: Kit
) -> None:
    person = await new_person(kit)
    await asked(apps[0], person)
    [(_, code)] = await codes(wiring, sms)
    await tried(apps[0], person, code)
    # The confirmed one again needs no code.
    again = (await asked(apps[0], person, kinds=["issued"])).json()["sms"]
    assert (again["enabled"], again["kinds"], again["pending"]) == (True, ["issued"], None)
    changed = (await asked(apps[0], person, OTHER)).json()["sms"]
    assert (changed["phone_masked"], changed["pending"]["phone_masked"]) == ("138****8000", "139****9000")
    _, (phone, code) = await codes(wiring, sms)
    assert phone == OTHER
    assert (await tried(apps[0], person, code)).json()["sms"]["phone_masked"] == "139****9000"
    await asked(apps[0], person)
    off = await apps[0].put(PREFERENCES, json={"sms": {"enabled": False}}, headers=person.headers)
    assert (off.json()["sms"]["enabled"], off.json()["sms"]["pending"]) == (False, None)


async def test_a_gateway_in_trouble_is_asked_again_and_sends_once(
    apps: list[httpx.AsyncClient], wiring: Wiring, sms: FakeSms, kit: Kit
) -> None:
    person = await new_person(kit)
    await asked(apps[0], person)
    sms.trouble = "cut"
    await drain(kit, parts(wiring))
    sms.trouble = ""
    await run(kit, "UPDATE core.outbox SET next_at = created_at WHERE kind = 'issuance.phone_code_asked'")
    assert len(await codes(wiring, sms)) == 1
    assert len({call.headers["idempotency-key"] for call in sms.calls}) == 1


async def test_an_erasure_forgets_a_phone_that_waits(
    apps: list[httpx.AsyncClient], wiring: Wiring, sms: FakeSms, kit: Kit
) -> None:
    person = await new_person(kit)
    await asked(apps[0], person)
    assert (await apps[0].delete("/issuance/v1/me", headers=person.headers)).status_code == 200
    assert await codes(wiring, sms) == []
    refused(await tried(apps[0], person, "123456"), 401, "unauthenticated")

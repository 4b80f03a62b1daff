"""A citizen signs in, and one natural person holds one account."""

from collections.abc import AsyncIterator
from itertools import count
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.identity.citizens import CitizenTokens
from shared.identity.lifetimes import citizen_token_life
from shared.kit import Kit
from shared.settings import Settings
from tests.support.http import serving
from tests.support.people import resident_id
from tests.support.platforms import FakeWeChat, listening

SESSIONS, IDENTITY = "/issuance/v1/sessions", "/issuance/v1/me/identity"
_numbers = count(1)


async def sign_in(client: httpx.AsyncClient, code: str | None = None) -> dict[str, Any]:
    body = {"provider": "demo", "code": code or f"somebody-{next(_numbers)}"}
    answer = await client.post(SESSIONS, json=body)
    assert answer.status_code == 201, answer.text
    session: dict[str, Any] = answer.json()
    return session


async def bind(
    client: httpx.AsyncClient, session: dict[str, Any], number: str, **parts: object
) -> httpx.Response:
    body = {"name": "王小明", "id_type": "resident_id", "id_number": number, "consent_version": "2020-11"}
    headers = {"Authorization": f"Bearer {session['access_token']}"}
    return await client.put(IDENTITY, json=body | parts, headers=headers)


async def rows(kit: Kit, statement: str, **values: object) -> list[Any]:
    async with kit.database.snapshot() as tx:
        return list(await tx.execute(text(statement), values))


async def test_the_same_code_of_the_demo_is_the_same_citizen(client: httpx.AsyncClient, kit: Kit) -> None:
    first, again, other = [await sign_in(client, code) for code in ("anna", "anna", "boris")]
    assert first["citizen"] == again["citizen"] == {"id": first["citizen"]["id"], "identity_verified": False}
    assert other["citizen"]["id"] != first["citizen"]["id"]
    life = int(citizen_token_life(kit.settings).total_seconds())
    assert (first["token_type"], first["expires_in"]) == ("Bearer", life)
    citizen = CitizenTokens(kit.keys.token).read(first["access_token"], kit.clock.now())
    [account] = await rows(kit, "SELECT * FROM core.account WHERE id = :id", id=citizen.account_id)
    assert (account.bucket, account.person_id) == (citizen.bucket, citizen.person_id)
    assert b"anna" not in account.subject_hash + account.subject_sealed


async def test_identity_is_bound_masked_and_stored_sealed(client: httpx.AsyncClient, kit: Kit) -> None:
    session, number = await sign_in(client), resident_id(next(_numbers))
    answer = await bind(client, session, number.lower())
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "identity_verified": True,
            "name_masked": "王**",
            "id_number_masked": number[:3] + "*" * 11 + number[-4:],
            "session": None,
        },
    )
    citizen = CitizenTokens(kit.keys.token).read(session["access_token"], kit.clock.now())
    [person] = await rows(kit, "SELECT * FROM core.person WHERE id = :id", id=citizen.person_id)
    assert person.verified_at == kit.clock.now()
    place = f"person/{citizen.person_id}"
    assert kit.keys.sealer.open_text(person.id_number_sealed, context=f"{place}/id_number") == number
    assert number.encode() not in person.id_number_sealed
    again = await sign_in(client, f"somebody-{int(session['citizen']['id'], 16)}")
    assert again["citizen"]["identity_verified"] is False


async def test_same_identity_again_answers_the_same_and_records_consent_once(
    client: httpx.AsyncClient, kit: Kit
) -> None:
    session, number = await sign_in(client), resident_id(next(_numbers))
    first = await bind(client, session, number)
    again = await bind(client, session, number, name="王大明")
    newer = await bind(client, session, number, consent_version="2020-12")
    assert first.json() == again.json() == newer.json()
    citizen = CitizenTokens(kit.keys.token).read(session["access_token"], kit.clock.now())
    consents = await rows(
        kit,
        "SELECT text_version FROM core.consent WHERE account_id = :id ORDER BY text_version",
        id=citizen.account_id,
    )
    assert [consent.text_version for consent in consents] == ["2020-11", "2020-12"]


async def test_verified_citizen_is_told_so_at_the_next_sign_in(client: httpx.AsyncClient) -> None:
    session = await sign_in(client, "carla")
    await bind(client, session, resident_id(next(_numbers)))
    assert (await sign_in(client, "carla"))["citizen"]["identity_verified"] is True


async def test_person_of_another_account_is_in_use(client: httpx.AsyncClient) -> None:
    number = resident_id(next(_numbers))
    assert (await bind(client, await sign_in(client), number)).status_code == 200
    second = await sign_in(client)
    refused = await bind(client, second, number)
    assert (refused.status_code, refused.json()["code"]) == (409, "identity_in_use")
    assert (await bind(client, second, resident_id(next(_numbers)))).status_code == 200
    assert (await bind(client, second, number)).json()["code"] == "identity_in_use"


async def test_account_keeps_its_person(client: httpx.AsyncClient) -> None:
    session = await sign_in(client)
    assert (await bind(client, session, resident_id(next(_numbers)))).status_code == 200
    refused = await bind(client, session, resident_id(next(_numbers)))
    assert (refused.status_code, refused.json()["code"]) == (409, "identity_already_bound")


async def test_person_who_had_let_go_comes_back_as_the_same_person_with_a_new_token(
    client: httpx.AsyncClient, kit: Kit
) -> None:
    tokens, number = CitizenTokens(kit.keys.token), resident_id(next(_numbers))
    first = await sign_in(client)
    await bind(client, first, number)
    before = tokens.read(first["access_token"], kit.clock.now())
    async with kit.database.transaction() as tx:
        released = text("UPDATE core.person_identity SET account_id = NULL WHERE account_id = :id")
        await tx.execute(released, {"id": before.account_id})

    second = await sign_in(client)
    for _ in range(2):
        answer = await bind(client, second, number)
        assert answer.status_code == 200
        session = answer.json()["session"]
        now = tokens.read(session["access_token"], kit.clock.now())
        assert (now.bucket, now.person_id) == (before.bucket, before.person_id)
        assert now.account_id == tokens.read(second["access_token"], kit.clock.now()).account_id
    assert (await bind(client, session, number)).json()["session"] is None
    old_account = await bind(client, await sign_in(client), number)
    assert old_account.json()["code"] == "identity_in_use"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        ("53259919500101000", "length"),
        ("53259919500101000A", "characters"),
        ("532599195013010008", "date"),
        ("532599203001010001", "date"),
        ("532599195001010000", "check_digit"),
    ],
)
async def test_wrong_id_number_is_named(client: httpx.AsyncClient, number: str, code: str) -> None:
    refused = await bind(client, await sign_in(client), number)
    assert (refused.status_code, refused.json()["code"]) == (422, "id_number_invalid")
    assert refused.json()["errors"][0]["code"] == code


@pytest.mark.parametrize(
    "parts", [{"id_type": "passport"}, {"name": " "}, {"name": "王\n"}, {"consent_version": ""}, {"age": 3}]
)
async def test_malformed_identity_is_refused(client: httpx.AsyncClient, parts: dict[str, object]) -> None:
    refused = await bind(client, await sign_in(client), resident_id(next(_numbers)), **parts)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_request")


async def test_binding_needs_a_token_and_its_account(client: httpx.AsyncClient, kit: Kit) -> None:
    number = resident_id(next(_numbers))
    nobody = await bind(client, {"access_token": "made-up"}, number)
    assert (nobody.status_code, nobody.json()["code"]) == (401, "unauthenticated")
    session = await sign_in(client)
    citizen = CitizenTokens(kit.keys.token).read(session["access_token"], kit.clock.now())
    async with kit.database.transaction() as tx:
        erased = text("UPDATE core.account SET erased_at = :now WHERE id = :id")
        await tx.execute(erased, {"id": citizen.account_id, "now": kit.clock.now()})
    gone = await bind(client, session, number)
    assert (gone.status_code, gone.json()["code"]) == (401, "unauthenticated")


@pytest.mark.parametrize("body", [{"provider": "demo", "code": ""}, {"provider": "qq", "code": "x"}, {}])
async def test_malformed_sign_in_is_refused(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    assert (await client.post(SESSIONS, json=body)).status_code == 422


async def test_provider_that_is_not_set_up_is_refused(client: httpx.AsyncClient) -> None:
    refused = await client.post(SESSIONS, json={"provider": "wechat", "code": "x"})
    assert (refused.status_code, refused.json()["code"]) == (403, "provider_unavailable")


@pytest.fixture
async def wechat(
    settings: Settings, clock: ManualClock
) -> AsyncIterator[tuple[FakeWeChat, httpx.AsyncClient]]:
    """A platform in production, with WeChat behind it."""
    fake = FakeWeChat()
    async with listening(fake) as url:
        production = settings.model_copy(
            update={
                "demo": False,
                "rate_limits": "on",
                "wechat_url": url,
                "wechat_app_id": fake.app_id,
                "wechat_app_secret": SecretStr(fake.secret),
            }
        )
        async with serving(issuance=create_app(production, clock=clock)) as client:
            yield fake, client


async def test_wechat_user_is_one_citizen_and_the_session_key_goes_nowhere(
    wechat: tuple[FakeWeChat, httpx.AsyncClient],
) -> None:
    fake, client = wechat
    fake.codes.update({"c1": "openid-1", "c2": "openid-1"})
    answers = [await client.post(SESSIONS, json={"provider": "wechat", "code": c}) for c in ("c1", "c2")]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["citizen"] == answers[1].json()["citizen"]
    assert "session_key" not in answers[0].text


async def test_demo_sign_in_is_closed_in_production(wechat: tuple[FakeWeChat, httpx.AsyncClient]) -> None:
    _, client = wechat
    refused = await client.post(SESSIONS, json={"provider": "demo", "code": "anna"})
    assert (refused.status_code, refused.json()["code"]) == (403, "provider_unavailable")


@pytest.mark.parametrize(
    ("errcode", "status", "code"),
    [
        (40029, 401, "sign_in_code_invalid"),
        (40226, 403, "sign_in_refused"),
        (45011, 429, "too_many_requests"),
        (-1, 503, "busy"),
    ],
)
async def test_refusals_of_wechat_are_told(
    wechat: tuple[FakeWeChat, httpx.AsyncClient], errcode: int, status: int, code: str
) -> None:
    fake, client = wechat
    fake.faults["c"] = errcode
    refused = await client.post(SESSIONS, json={"provider": "wechat", "code": "c"})
    assert (refused.status_code, refused.json()["code"]) == (status, code)
    assert ("Retry-After" in refused.headers) == (status in {429, 503})

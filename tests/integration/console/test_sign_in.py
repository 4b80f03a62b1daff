"""Signing in and out: the token, the lock, and that neither tells which names exist."""

import statistics
from itertools import count

import httpx
import pytest
from sqlalchemy import text

from services.console.app import create_app
from services.console.staff.jobs import tidy_up
from services.console.staff.rules import FAILURE_WINDOW, FAILURES_MAX
from shared.clock import ManualClock, machine_seconds
from shared.identity.lifetimes import staff_session_life
from shared.identity.staff import Role
from shared.kit import Kit
from shared.ratelimit import CONSOLE_SIGN_IN_PER_ADDRESS
from shared.settings import Settings
from tests.support.http import serving
from tests.support.people import signed_in_staff

ADMIN = {"username": "admin", "password": "Correct-Horse-7-Battery"}
_numbers = count(1)


async def made_staff(kit: Kit, client: httpx.AsyncClient, *roles: str) -> dict[str, str]:
    """A new clerk's credentials."""
    body = {"username": f"clerk{next(_numbers)}", "password": "Seven-Red-Kites-9"}
    headers = await signed_in_staff(kit, Role.ADMIN)
    answer = await client.post(
        "/console/v1/staff", json={**body, "roles": list(roles) or ["operator"]}, headers=headers
    )
    assert answer.status_code == 201
    return body


async def sign_in(client: httpx.AsyncClient, body: dict[str, str]) -> httpx.Response:
    return await client.post("/console/v1/sessions", json=body)


def bearer(answer: httpx.Response) -> dict[str, str]:
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_first_administrator_of_the_settings_signs_in(client: httpx.AsyncClient, kit: Kit) -> None:
    answer = await sign_in(client, ADMIN)
    assert answer.status_code == 201
    body = answer.json()
    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == staff_session_life(kit.settings).total_seconds()
    assert body["staff"]["username"] == "admin"
    assert body["staff"]["roles"] == ["admin"]
    me = await client.get("/console/v1/me", headers=bearer(answer))
    assert me.json() == {**body["staff"], "institution_id": None, "hospital_id": None}


async def test_only_a_keyed_hash_of_the_token_is_stored(client: httpx.AsyncClient, kit: Kit) -> None:
    token = (await sign_in(client, ADMIN)).json()["access_token"]
    async with kit.database.snapshot() as tx:
        rows = (await tx.execute(text("SELECT s::text FROM core.staff_session s"))).scalars().all()
    assert rows
    assert not any(token in row for row in rows)


async def test_session_ends_when_its_life_is_over(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    headers = bearer(await sign_in(client, ADMIN))
    clock.advance(seconds=staff_session_life(kit.settings).total_seconds() - 1)
    assert (await client.get("/console/v1/me", headers=headers)).status_code == 200
    clock.advance(seconds=1)
    over = await client.get("/console/v1/me", headers=headers)
    assert (over.status_code, over.json()["code"]) == (401, "unauthenticated")


async def test_sign_out_ends_the_session_at_once(client: httpx.AsyncClient) -> None:
    headers = bearer(await sign_in(client, ADMIN))
    assert (await client.delete("/console/v1/sessions/current", headers=headers)).status_code == 204
    assert (await client.get("/console/v1/me", headers=headers)).status_code == 401
    assert (await client.delete("/console/v1/sessions/current", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}]
)
async def test_nobody_is_unauthenticated(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.get("/console/v1/me", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert answer.headers["www-authenticate"] == "Bearer"


class TestRefusal:
    async def test_unknown_name_wrong_password_and_disabled_account_are_one_answer(
        self, client: httpx.AsyncClient, kit: Kit
    ) -> None:
        clerk, gone = await made_staff(kit, client), await made_staff(kit, client)
        async with kit.database.transaction() as tx:
            await tx.execute(
                text("UPDATE core.staff SET disabled_at = created_at WHERE username = :name"),
                {"name": gone["username"]},
            )
        answers = [
            await sign_in(client, {**clerk, "password": "Wrong-Horse-7-Battery"}),
            await sign_in(client, {"username": "nobody-here", "password": "Wrong-Horse-7-Battery"}),
            await sign_in(client, gone),
        ]
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
        assert len({answer.json()["detail"] for answer in answers}) == 1
        assert len({tuple(sorted(answer.headers)) for answer in answers}) == 1

    async def test_unknown_name_takes_as_long_as_a_wrong_password(
        self, client: httpx.AsyncClient, kit: Kit
    ) -> None:
        async def median(names: list[str]) -> float:
            took = []
            for name in names:
                started = machine_seconds()
                await sign_in(client, {"username": name, "password": "Wrong-Horse-7-Battery"})
                took.append(machine_seconds() - started)
            return statistics.median(took)

        known = [(await made_staff(kit, client))["username"] for _ in range(5)]
        unknown = [f"unknown{number}" for number in range(5)]
        # The hash is most of it: left out for one of the two, the ratio would be above ten.
        assert 0.3 < await median(known) / await median(unknown) < 3.3

    @pytest.mark.parametrize(
        "body",
        [
            {"username": "admin"},
            {"username": "admin", "password": ""},
            {"username": "", "password": "x"},
            {"username": "a" * 65, "password": "x"},
            {"username": "admin", "password": "x" * 257},
            {"username": "admin", "password": "x", "role": "admin"},
            {"username": "ad\x00min", "password": "x"},
            {"username": 1, "password": "x"},
        ],
    )
    async def test_malformed_body_is_422(self, client: httpx.AsyncClient, body: dict[str, object]) -> None:
        answer = await client.post("/console/v1/sessions", json=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
        assert answer.json()["errors"]


class TestLock:
    async def test_five_failures_lock_the_name_until_the_window_is_over(
        self, client: httpx.AsyncClient, kit: Kit, clock: ManualClock
    ) -> None:
        clerk = await made_staff(kit, client)
        wrong = {**clerk, "password": "Wrong-Horse-7-Battery"}
        for _ in range(FAILURES_MAX):
            assert (await sign_in(client, wrong)).status_code == 401
            clock.advance(minutes=1)
        locked = await sign_in(client, clerk)
        assert (locked.status_code, locked.json()["code"]) == (429, "too_many_requests")
        assert int(locked.headers["retry-after"]) == FAILURE_WINDOW.total_seconds() - 60
        clock.advance(seconds=int(locked.headers["retry-after"]) - 1)
        assert (await sign_in(client, clerk)).status_code == 429
        clock.advance(seconds=1)
        assert (await sign_in(client, clerk)).status_code == 201

    async def test_success_forgets_the_failures(self, client: httpx.AsyncClient, kit: Kit) -> None:
        clerk = await made_staff(kit, client)
        for _ in range(2):
            for _ in range(FAILURES_MAX - 1):
                await sign_in(client, {**clerk, "password": "Wrong-Horse-7-Battery"})
            assert (await sign_in(client, clerk)).status_code == 201

    async def test_failures_that_are_far_apart_do_not_lock(
        self, client: httpx.AsyncClient, kit: Kit, clock: ManualClock
    ) -> None:
        clerk = await made_staff(kit, client)
        for _ in range(FAILURES_MAX + 1):
            assert (await sign_in(client, {**clerk, "password": "Wrong"})).status_code == 401
            clock.advance(seconds=FAILURE_WINDOW.total_seconds() / 3)

    async def test_unknown_name_is_locked_the_same(self, client: httpx.AsyncClient) -> None:
        body = {"username": "ghost", "password": "Wrong-Horse-7-Battery"}
        codes = [(await sign_in(client, body)).status_code for _ in range(FAILURES_MAX + 1)]
        assert codes == [401] * FAILURES_MAX + [429]


async def test_an_address_that_floods_is_slowed_down_before_any_password_is_looked_at(
    settings: Settings, clock: ManualClock
) -> None:
    limited = settings.model_copy(update={"rate_limits": "on"})
    async with serving(console=create_app(limited, clock=clock)) as flooded:
        malformed = {"username": "", "password": ""}
        statuses = [
            (await sign_in(flooded, malformed)).status_code
            for _ in range(CONSOLE_SIGN_IN_PER_ADDRESS.amount + 1)
        ]
        assert statuses == [422] * CONSOLE_SIGN_IN_PER_ADDRESS.amount + [429]
        slowed = await sign_in(flooded, ADMIN)
        assert (slowed.status_code, slowed.json()["code"]) == (429, "too_many_requests")
        assert int(slowed.headers["retry-after"]) >= 1


class TestOwnPassword:
    async def test_change_ends_every_session(self, client: httpx.AsyncClient, kit: Kit) -> None:
        clerk = await made_staff(kit, client)
        sessions = [bearer(await sign_in(client, clerk)) for _ in range(2)]
        change = {"current_password": clerk["password"], "new_password": "Eight-Blue-Owls-3"}
        answer = await client.put("/console/v1/me/password", json=change, headers=sessions[0])
        assert answer.status_code == 204
        for headers in sessions:
            assert (await client.get("/console/v1/me", headers=headers)).status_code == 401
        assert (await sign_in(client, clerk)).status_code == 401
        assert (await sign_in(client, {**clerk, "password": "Eight-Blue-Owls-3"})).status_code == 201

    async def test_wrong_current_or_weak_new_password_changes_nothing(
        self, client: httpx.AsyncClient, kit: Kit
    ) -> None:
        clerk = await made_staff(kit, client)
        headers = bearer(await sign_in(client, clerk))
        for change, refusal in (
            ({"current_password": "Wrong", "new_password": "Eight-Blue-Owls-3"}, (401, "bad_credentials")),
            ({"current_password": clerk["password"], "new_password": "short"}, (422, "weak_password")),
        ):
            answer = await client.put("/console/v1/me/password", json=change, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == refusal
        assert (await sign_in(client, clerk)).status_code == 201


async def test_housekeeping_forgets_what_is_over(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock
) -> None:
    await sign_in(client, ADMIN)
    await sign_in(client, {"username": "ghost", "password": "x"})
    clock.advance(days=200)
    live = bearer(await sign_in(client, ADMIN))
    await tidy_up(kit)
    async with kit.database.snapshot() as tx:
        sessions = text("SELECT count(*) FROM core.staff_session WHERE expires_at < :now")
        assert (await tx.execute(sessions, {"now": clock.now()})).scalar_one() == 0
        assert (await tx.execute(text("SELECT count(*) FROM core.sign_in_failure"))).scalar_one() == 0
    assert (await client.get("/console/v1/me", headers=live)).status_code == 200

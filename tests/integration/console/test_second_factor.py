"""The second factor: enrolled, asked for, spent once, counted, stood in for, reset; and own sessions."""

import asyncio
import base64
from dataclasses import dataclass
from itertools import count

import httpx
import pytest
from sqlalchemy import text

from services.console.app import create_app
from services.console.secondfactor.rules import STEP_SECONDS, code_at, step_of
from services.console.staff.rules import FAILURES_MAX
from shared.clock import ManualClock, OffsetClock, machine_now
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.http import serving
from tests.support.people import signed_in_staff

FACTOR = "/console/v1/me/second-factor"
_numbers = count(1)


@dataclass
class Clerk:
    """Somebody with a second factor, and the phone that knows its secret."""

    client: httpx.AsyncClient
    clock: ManualClock
    id: str
    body: dict[str, str]
    headers: dict[str, str]
    secret: bytes = b""

    def code(self) -> str:
        return code_at(self.secret, step_of(self.clock.now()))

    def next_code(self) -> str:
        self.clock.advance(seconds=STEP_SECONDS)
        return self.code()

    async def sign_in(self, **more: str) -> httpx.Response:
        return await self.client.post("/console/v1/sessions", json={**self.body, **more})

    async def enrol(self) -> list[str]:
        begun = await self.client.post(FACTOR, json={}, headers=self.headers)
        assert begun.status_code == 201, begun.text
        self.secret = base64.b32decode(begun.json()["secret"])
        confirmed = await self.client.post(
            f"{FACTOR}/confirm", json={"code": self.code()}, headers=self.headers
        )
        assert confirmed.status_code == 200, confirmed.text
        codes: list[str] = confirmed.json()["recovery_codes"]
        return codes


async def clerk_of(client: httpx.AsyncClient, kit: Kit, clock: ManualClock) -> Clerk:
    body = {"username": f"factor{next(_numbers)}", "password": "Seven-Red-Kites-9"}
    admin = await signed_in_staff(kit, Role.ADMIN)
    made = await client.post("/console/v1/staff", json={**body, "roles": ["operator"]}, headers=admin)
    begun = await client.post("/console/v1/sessions", json=body)
    headers = {"Authorization": f"Bearer {begun.json()['access_token']}"}
    return Clerk(client, clock, made.json()["id"], body, headers)


@pytest.fixture
async def clerk(client: httpx.AsyncClient, kit: Kit, clock: ManualClock) -> Clerk:
    return await clerk_of(client, kit, clock)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_a_code_is_asked_for_and_accepted_once(clerk: Clerk) -> None:
    codes = await clerk.enrol()
    assert len(set(codes)) == 10
    asked = await clerk.sign_in()
    assert refusal(asked) == (401, "second_factor_required")
    assert "access_token" not in asked.json()
    # The code that turned it on is spent.
    assert refusal(await clerk.sign_in(totp=clerk.code())) == (401, "second_factor_wrong")
    code = clerk.next_code()
    assert (await clerk.sign_in(totp=code)).status_code == 201
    assert refusal(await clerk.sign_in(totp=code)) == (401, "second_factor_wrong")


async def test_of_one_code_sent_many_times_at_once_one_signs_in(clerk: Clerk) -> None:
    await clerk.enrol()
    code = clerk.next_code()
    answers = await asyncio.gather(*(clerk.sign_in(totp=code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 401, 401, 401]


async def test_wrong_codes_lock_the_name_and_a_missing_one_does_not(clerk: Clerk) -> None:
    await clerk.enrol()
    for _ in range(FAILURES_MAX + 1):
        assert refusal(await clerk.sign_in()) == (401, "second_factor_required")
    wrong = [await clerk.sign_in(totp="000000") for _ in range(FAILURES_MAX)]
    assert {refusal(answer) for answer in wrong} == {(401, "second_factor_wrong")}
    assert refusal(await clerk.sign_in(totp=clerk.next_code())) == (429, "too_many_requests")


async def test_a_recovery_code_stands_in_once(clerk: Clerk) -> None:
    first, second, *_ = await clerk.enrol()
    assert (await clerk.sign_in(totp=first.lower())).status_code == 201
    assert refusal(await clerk.sign_in(totp=first)) == (401, "second_factor_wrong")
    assert (await clerk.sign_in(totp=second.replace("-", " "))).status_code == 201
    standing = (await clerk.client.get(FACTOR, headers=clerk.headers)).json()
    assert (standing["enabled"], standing["recovery_codes_left"]) == (True, 8)


async def test_secrets_and_recovery_codes_are_not_stored_in_the_clear(clerk: Clerk, kit: Kit) -> None:
    codes = await clerk.enrol()
    async with kit.database.snapshot() as tx:
        found = await tx.execute(text("SELECT secret_sealed FROM core.staff_factor"))
        sealed = [bytes(row[0]) for row in found]
        hashes = await tx.execute(text("SELECT code_hash FROM core.staff_recovery_code"))
        kept = [bytes(row[0]) for row in hashes]
    assert not any(clerk.secret in one for one in sealed)
    assert not {code.replace("-", "").encode() for code in codes} & set(kept)
    assert {len(one) for one in kept} == {32}


async def test_an_enrolment_that_was_not_confirmed_asks_for_nothing(clerk: Clerk) -> None:
    confirm = {"code": "000000"}
    early = await clerk.client.post(f"{FACTOR}/confirm", json=confirm, headers=clerk.headers)
    assert refusal(early) == (409, "enrolment_not_begun")
    await clerk.client.post(FACTOR, json={}, headers=clerk.headers)
    wrong = await clerk.client.post(f"{FACTOR}/confirm", json=confirm, headers=clerk.headers)
    assert refusal(wrong) == (401, "second_factor_wrong")
    assert (await clerk.sign_in()).status_code == 201
    await clerk.enrol()
    for path, body in ((FACTOR, {}), (f"{FACTOR}/confirm", {"code": clerk.next_code()})):
        again = await clerk.client.post(path, json=body, headers=clerk.headers)
        assert refusal(again) == (409, "second_factor_enabled")


async def test_it_is_turned_off_with_password_and_code(clerk: Clerk) -> None:
    off = {"password": clerk.body["password"], "code": "000000"}

    async def turned_off(**changed: str) -> httpx.Response:
        return await clerk.client.post(f"{FACTOR}/off", json={**off, **changed}, headers=clerk.headers)

    assert refusal(await turned_off()) == (409, "second_factor_not_enabled")
    await clerk.enrol()
    assert refusal(await turned_off()) == (401, "second_factor_wrong")
    assert refusal(await turned_off(password="Wrong", code=clerk.next_code())) == (401, "bad_credentials")
    assert (await turned_off(code=clerk.next_code())).status_code == 204
    assert (await clerk.sign_in()).status_code == 201


async def test_an_administrator_resets_it_with_a_reason(clerk: Clerk, kit: Kit) -> None:
    admin, operator = await signed_in_staff(kit, Role.ADMIN), await signed_in_staff(kit, Role.OPERATOR)
    path, body = f"/console/v1/staff/{clerk.id}/second-factor/reset", {"reason": "手机遗失"}
    none = await clerk.client.post(path, json=body, headers=admin)
    assert refusal(none) == (409, "second_factor_not_enabled")
    await clerk.enrol()
    assert (await clerk.client.post(path, json=body, headers=operator)).status_code == 403
    assert (await clerk.client.post(path, json={"reason": " "}, headers=admin)).status_code == 422
    elsewhere = path.replace(clerk.id, "0" * 32)
    assert (await clerk.client.post(elsewhere, json=body, headers=admin)).status_code == 404
    assert (await clerk.client.post(path, json=body, headers=admin)).status_code == 200
    assert (await clerk.sign_in()).status_code == 201
    query = {"action": "second_factor.reset", "object": f"staff:{clerk.id}"}
    log = await clerk.client.get("/console/v1/audit-log", params=query, headers=admin)
    assert log.json()["items"][0]["after"] == {"enabled": False, "reason": "手机遗失"}


async def test_codes_of_a_real_phone_fit_while_a_demonstration_has_moved_its_clock(
    settings: Settings, kit: Kit, clock: ManualClock
) -> None:
    app = create_app(settings, clock=OffsetClock(clock.now() - machine_now()))
    async with serving(console=app) as client:
        clerk = await clerk_of(client, kit, clock)
        begun = await client.post(FACTOR, json={}, headers=clerk.headers)
        phone = code_at(base64.b32decode(begun.json()["secret"]), step_of(machine_now()))
        confirmed = await client.post(f"{FACTOR}/confirm", json={"code": phone}, headers=clerk.headers)
        assert confirmed.status_code == 200, confirmed.text


class TestSessions:
    async def test_own_ones_are_listed_and_ended(self, clerk: Clerk) -> None:
        async def listed() -> list[dict[str, object]]:
            answer = await clerk.client.get("/console/v1/me/sessions", headers=clerk.headers)
            items: list[dict[str, object]] = answer.json()["items"]
            return items

        others = [(await clerk.sign_in()).json()["access_token"] for _ in range(3)]
        found = await listed()
        assert [one["current"] for one in found].count(True) == 1
        assert len(found) == 4
        ended = next(one["id"] for one in found if not one["current"])
        for expected in (1, 0):
            answer = await clerk.client.post(f"/console/v1/me/sessions/{ended}/end", headers=clerk.headers)
            assert answer.json() == {"sessions_ended": expected}
        answer = await clerk.client.post("/console/v1/me/sessions/end-others", headers=clerk.headers)
        assert answer.json() == {"sessions_ended": 2}
        assert [one["current"] for one in await listed()] == [True]
        for token in others:
            gone = await clerk.client.get("/console/v1/me", headers={"Authorization": f"Bearer {token}"})
            assert gone.status_code == 401

    async def test_nobody_ends_anothers(self, clerk: Clerk, kit: Kit) -> None:
        mine = (await clerk.client.get("/console/v1/me/sessions", headers=clerk.headers)).json()["items"][0]
        other = await signed_in_staff(kit, Role.ADMIN)
        path = f"/console/v1/me/sessions/{mine['id']}/end"
        assert (await clerk.client.post(path, headers=other)).json() == {"sessions_ended": 0}
        assert (await clerk.client.post("/console/v1/me/sessions/zz/end", headers=other)).status_code == 404
        assert (await clerk.client.get("/console/v1/me", headers=clerk.headers)).status_code == 200

    async def test_an_administrator_ends_all_of_an_account(self, clerk: Clerk, kit: Kit) -> None:
        admin = await signed_in_staff(kit, Role.ADMIN)
        path = f"/console/v1/staff/{clerk.id}/sessions/end"
        assert (await clerk.client.post(path, json={"reason": "x"}, headers=clerk.headers)).status_code == 403
        ended = await clerk.client.post(path, json={"reason": "电脑丢失"}, headers=admin)
        assert ended.json() == {"id": clerk.id, "sessions_ended": 1}
        assert (await clerk.client.get("/console/v1/me", headers=clerk.headers)).status_code == 401
        assert (await clerk.sign_in()).status_code == 201


class TestRoles:
    async def test_other_roles_count_with_the_next_call(self, clerk: Clerk, kit: Kit) -> None:
        admin = await signed_in_staff(kit, Role.ADMIN)
        path = f"/console/v1/staff/{clerk.id}/roles"
        body = {"roles": ["auditor", "admin"], "reason": "轮岗"}
        changed = await clerk.client.post(path, json=body, headers=admin)
        assert changed.json()["roles"] == ["admin", "auditor"]
        me = (await clerk.client.get("/console/v1/me", headers=clerk.headers)).json()
        assert me["roles"] == ["admin", "auditor"]
        own = await clerk.client.post(path, json=body, headers=clerk.headers)
        assert refusal(own) == (409, "own_account")
        unbound = await clerk.client.post(path, json={**body, "roles": ["hospital"]}, headers=admin)
        assert refusal(unbound) == (422, "invalid_request")
        await clerk.client.post(
            f"/console/v1/staff/{clerk.id}/disable", json={"reason": "离职"}, headers=admin
        )
        assert refusal(await clerk.client.post(path, json=body, headers=admin)) == (409, "already_disabled")

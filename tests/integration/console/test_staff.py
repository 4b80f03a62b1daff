"""Staff accounts: making, listing and disabling them; who may; what the audit log says."""

from typing import Any

import httpx
import pytest

from shared.identity.staff import Role
from shared.ids import new_id
from shared.kit import Kit
from tests.support.people import signed_in_staff

GOOD = "Seven-Red-Kites-9"


@pytest.fixture(scope="module")
async def admin(kit: Kit) -> dict[str, str]:
    return await signed_in_staff(kit, Role.ADMIN)


def new_staff(**changed: object) -> dict[str, Any]:
    return {"username": f"clerk-{new_id().hex[-12:]}", "password": GOOD, "roles": ["operator"], **changed}


async def test_new_staff_member_signs_in_with_its_roles(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    body = new_staff(username=f"王小明-{new_id().hex[-12:]}", roles=["auditor", "operator"])
    made = await client.post("/console/v1/staff", json=body, headers=admin)
    assert made.status_code == 201
    assert made.json() == {
        "id": made.json()["id"],
        "username": body["username"],
        "roles": ["auditor", "operator"],
    }
    signed_in = await client.post(
        "/console/v1/sessions", json={"username": body["username"], "password": GOOD}
    )
    assert signed_in.json()["staff"] == made.json()


@pytest.mark.parametrize(
    ("roles", "bound_to"),
    [(["institution"], {"institution_id": "hospital-7"}), (["hospital"], {"hospital_id": "h7"})],
)
async def test_bound_roles_carry_their_id(
    client: httpx.AsyncClient, admin: dict[str, str], roles: list[str], bound_to: dict[str, str]
) -> None:
    body = new_staff(roles=roles, **bound_to)
    await client.post("/console/v1/staff", json=body, headers=admin)
    signed_in = await client.post(
        "/console/v1/sessions", json={"username": body["username"], "password": GOOD}
    )
    token = signed_in.json()["access_token"]
    me = (await client.get("/console/v1/me", headers={"Authorization": f"Bearer {token}"})).json()
    assert {name: me[name] for name in bound_to} == bound_to


@pytest.mark.parametrize(
    ("changed", "code", "faults"),
    [
        ({"password": "Aa1-short"}, "weak_password", ["password_too_short"]),
        ({"password": "onlysmallletters"}, "weak_password", ["password_too_plain"]),
        ({"password": "abc"}, "weak_password", ["password_too_short", "password_too_plain"]),
        (
            {"username": "margaret", "password": "My-MARGARET-1"},
            "weak_password",
            ["password_contains_username"],
        ),
        ({"roles": ["institution"]}, "invalid_request", ["missing"]),
        ({"roles": ["hospital"]}, "invalid_request", ["missing"]),
        (
            {"roles": ["hospital", "institution"], "hospital_id": "h1"},
            "invalid_request",
            ["missing"],
        ),
        ({"roles": []}, "invalid_request", ["too_short"]),
        ({"roles": ["king"]}, "invalid_request", ["enum"]),
        ({"username": "with space"}, "invalid_request", ["string_pattern_mismatch"]),
        ({"username": ""}, "invalid_request", ["string_pattern_mismatch"]),
        ({"password": "x" * 257}, "invalid_request", ["string_too_long"]),
        ({"request_no": "has space"}, "invalid_request", ["string_pattern_mismatch"]),
        ({"surprise": 1}, "invalid_request", ["extra_forbidden"]),
    ],
)
async def test_faults_of_a_new_account_are_all_named(
    client: httpx.AsyncClient, admin: dict[str, str], changed: dict[str, Any], code: str, faults: list[str]
) -> None:
    answer = await client.post("/console/v1/staff", json=new_staff(**changed), headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert [fault["code"] for fault in answer.json()["errors"]] == faults


async def test_name_is_given_once(client: httpx.AsyncClient, admin: dict[str, str]) -> None:
    body = new_staff()
    assert (await client.post("/console/v1/staff", json=body, headers=admin)).status_code == 201
    again = await client.post("/console/v1/staff", json=body, headers=admin)
    assert (again.status_code, again.json()["code"]) == (409, "username_taken")


async def test_repeated_request_answers_the_same_again(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    body = new_staff(request_no="staff-1")
    first = await client.post("/console/v1/staff", json=body, headers=admin)
    again = await client.post("/console/v1/staff", json=body, headers=admin)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["idempotent-replay"] == "true"
    assert again.json() == first.json()
    for changed in ({"password": "Other-Good-Pass-1"}, {"roles": ["auditor"]}):
        other = await client.post("/console/v1/staff", json={**body, **changed}, headers=admin)
        assert (other.status_code, other.json()["code"]) == (409, "request_no_reused")


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.INSTITUTION, Role.HOSPITAL])
async def test_only_administrators_make_and_disable_staff(
    client: httpx.AsyncClient, kit: Kit, role: Role
) -> None:
    headers = await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1")
    made = await client.post("/console/v1/staff", json=new_staff(), headers=headers)
    disabled = await client.post(
        f"/console/v1/staff/{new_id()}/disable", json={"reason": "x"}, headers=headers
    )
    assert [(answer.status_code, answer.json()["code"]) for answer in (made, disabled)] == [
        (403, "forbidden")
    ] * 2


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (Role.ADMIN, 200),
        (Role.OPERATOR, 200),
        (Role.AUDITOR, 200),
        (Role.INSTITUTION, 403),
        (Role.HOSPITAL, 403),
    ],
)
@pytest.mark.parametrize("path", ["/console/v1/staff", "/console/v1/audit-log", "/console/v1/integrity"])
async def test_readers_read_and_bound_roles_do_not(
    client: httpx.AsyncClient, kit: Kit, role: Role, status: int, path: str
) -> None:
    headers = await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1")
    assert (await client.get(path, headers=headers)).status_code == status


async def test_list_shows_everybody_once_newest_first(
    client: httpx.AsyncClient, admin: dict[str, str]
) -> None:
    made = [
        (await client.post("/console/v1/staff", json=new_staff(), headers=admin)).json()["id"]
        for _ in range(3)
    ]
    seen: list[str] = []
    cursor = None
    while True:
        parameters = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/console/v1/staff", params=parameters, headers=admin)).json()
        assert len(page["items"]) <= 2
        assert all("password" not in str(item) for item in page["items"])
        seen += [item["id"] for item in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(seen) == len(set(seen))
    assert [staff_id for staff_id in seen if staff_id in made] == made[::-1]


BAD_EVERYWHERE = (
    "limit=0",
    "limit=201",
    "limit=many",
    "cursor=%21",
    "cursor=WyJhIl0",  # ["a"]
    "cursor=WzFlOTld",  # [1e99]
    "cursor=WyIyMDIwLTAxLTAxIiwgIngiXQ",  # ["2020-01-01", "x"]
)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/console/v1/staff", "cursor=WzFd"),  # [1]: of another list
        *(("/console/v1/staff", query) for query in BAD_EVERYWHERE),
        *(("/console/v1/audit-log", query) for query in BAD_EVERYWHERE),
    ],
)
async def test_list_parameters_that_no_list_gave_out_are_refused(
    client: httpx.AsyncClient, admin: dict[str, str], path: str, query: str
) -> None:
    answer = await client.get(f"{path}?{query}", headers=admin)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


class TestDisable:
    async def test_disabled_account_is_out_at_once(
        self, client: httpx.AsyncClient, admin: dict[str, str]
    ) -> None:
        body = new_staff()
        made = (await client.post("/console/v1/staff", json=body, headers=admin)).json()
        credentials = {"username": body["username"], "password": GOOD}
        token = (await client.post("/console/v1/sessions", json=credentials)).json()["access_token"]
        answer = await client.post(
            f"/console/v1/staff/{made['id']}/disable", json={"reason": "left the office"}, headers=admin
        )
        assert answer.status_code == 200
        assert answer.json()["id"] == made["id"]
        over = await client.get("/console/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert over.status_code == 401
        refused = await client.post("/console/v1/sessions", json=credentials)
        assert (refused.status_code, refused.json()["code"]) == (401, "bad_credentials")

    async def test_refusals(self, client: httpx.AsyncClient, admin: dict[str, str]) -> None:
        made = (await client.post("/console/v1/staff", json=new_staff(), headers=admin)).json()["id"]
        me = (await client.get("/console/v1/me", headers=admin)).json()["id"]

        async def disable(staff_id: object, **body: object) -> tuple[int, str | None]:
            answer = await client.post(
                f"/console/v1/staff/{staff_id}/disable", json={"reason": "x", **body}, headers=admin
            )
            return answer.status_code, answer.json().get("code")

        assert await disable(me) == (409, "own_account")
        assert await disable(new_id()) == (404, "not_found")
        assert await disable("nobody") == (404, "not_found")
        assert await disable(made, reason="") == (422, "invalid_request")
        assert await disable(made, request_no="d1") == (200, None)
        assert await disable(made, request_no="d1") == (200, None)
        assert await disable(made) == (409, "already_disabled")


class TestAuditLog:
    async def test_what_staff_did_is_written_with_its_author(
        self, client: httpx.AsyncClient, admin: dict[str, str]
    ) -> None:
        body = new_staff()
        made = (await client.post("/console/v1/staff", json=body, headers=admin)).json()
        path = f"/console/v1/staff/{made['id']}/disable"
        await client.post(path, json={"reason": "left"}, headers=admin)
        me = (await client.get("/console/v1/me", headers=admin)).json()
        log = await client.get(
            "/console/v1/audit-log", params={"object": f"staff:{made['id']}"}, headers=admin
        )
        disabled, created = log.json()["items"]
        assert (created["action"], disabled["action"]) == ("staff.create", "staff.disable")
        assert created["actor"] == f"staff:{me['id']}"
        assert created["username"] == me["username"]
        assert created["before"] is None
        assert created["after"]["username"] == body["username"]
        assert disabled["after"] == {"disabled": True, "reason": "left"}
        assert GOOD not in log.text
        assert created["seq"] < disabled["seq"]
        assert len(created["entry_hash"]) == 64

    async def test_refused_actions_leave_no_entry(
        self, client: httpx.AsyncClient, admin: dict[str, str]
    ) -> None:
        body = new_staff()
        await client.post("/console/v1/staff", json=body, headers=admin)
        before = (await client.get("/console/v1/audit-log?limit=1", headers=admin)).json()["items"]
        await client.post("/console/v1/staff", json=body, headers=admin)
        after = (await client.get("/console/v1/audit-log?limit=1", headers=admin)).json()["items"]
        assert before == after

    async def test_pages_and_filters_fit_together(
        self, client: httpx.AsyncClient, admin: dict[str, str]
    ) -> None:
        everything: list[dict[str, Any]] = []
        cursor = None
        while True:
            parameters = {"limit": 7} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/console/v1/audit-log", params=parameters, headers=admin)).json()
            everything += page["items"]
            if (cursor := page["next_cursor"]) is None:
                break
        assert [entry["seq"] for entry in everything] == list(range(len(everything), 0, -1))
        wanted = {"action": "staff.create"}
        created = (
            await client.get("/console/v1/audit-log", params={**wanted, "limit": 200}, headers=admin)
        ).json()["items"]
        assert created == [entry for entry in everything if entry["action"] == "staff.create"]
        assert {"system"} == {entry["actor"] for entry in everything if entry["username"] is None}
        day = everything[0]["at"]
        for limits, found in (
            ({"since": day}, len(everything)),
            ({"until": day}, 0),
            ({"since": "2030-01-01T00:00:00Z"}, 0),
        ):
            page = await client.get("/console/v1/audit-log", params={**limits, "limit": 200}, headers=admin)
            assert len(page.json()["items"]) == found


async def test_integrity_names_every_check_and_is_sound(client: httpx.AsyncClient, kit: Kit) -> None:
    headers = await signed_in_staff(kit, Role.AUDITOR)
    report = (await client.get("/console/v1/integrity", headers=headers)).json()
    assert report["ok"] is True
    assert report["as_of"].endswith("+08:00")
    assert all(set(check) == {"name", "ok", "expected", "actual", "detail"} for check in report["checks"])
    assert "audit_chain_is_whole" in {check["name"] for check in report["checks"]}

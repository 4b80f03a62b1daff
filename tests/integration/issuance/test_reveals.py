"""Personal data in clear: by role, with a reason, audited without the values, and not by the dozen."""

from collections.abc import AsyncIterator

import httpx
import pytest

from services.issuance.app import create_app
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.ratelimit import REVEAL_PER_STAFF
from shared.settings import Settings
from tests.support.citizens import Person
from tests.support.desk import Desk
from tests.support.http import serving
from tests.support.lives import NAME, bound, signed_in
from tests.support.people import resident_id, signed_in_staff
from tests.support.ways import refused, rows

REASON = "核实领取争议"
NUMBER = resident_id(81_001)


@pytest.fixture(scope="module")
async def person(client: httpx.AsyncClient, kit: Kit) -> Person:
    identity = {"name": NAME, "id_type": "resident_id", "id_number": NUMBER, "consent_version": "v1"}
    return await bound(client, kit, (await signed_in(client, kit, "revealed"))[0], identity)


def body(*fields: str, reason: str = REASON) -> dict[str, object]:
    return {"fields": list(fields), "reason": reason}


async def test_a_field_is_shown_once_it_is_audited_and_the_trace_has_no_value(
    desk: Desk, person: Person, kit: Kit
) -> None:
    url = f"/issuance/v1/persons/{person.address}/reveal"
    shown = await desk.client.post(url, json=body("id_number"), headers=desk.one)
    assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
    assert shown.json() == {"person_id": str(person.address), "name": None, "id_number": NUMBER}
    both = await desk.client.post(url, json=body("name", "id_number"), headers=desk.other)
    assert both.json()["name"] == NAME

    auditor = await signed_in_staff(kit, Role.AUDITOR)
    listed = await desk.client.get("/issuance/v1/reveals?limit=1", headers=auditor)
    [newest] = listed.json()["items"]
    assert (newest["person_id"], newest["fields"], newest["reason"]) == (
        str(person.address),
        ["id_number", "name"],
        REASON,
    )
    cursor = listed.json()["next_cursor"]
    older = await desk.client.get(f"/issuance/v1/reveals?limit=1&cursor={cursor}", headers=auditor)
    assert older.json()["items"][0]["fields"] == ["id_number"]
    assert older.json()["items"][0]["username"]
    log = str(await rows(kit, "SELECT * FROM core.audit_entry WHERE action = 'person.reveal'"))
    assert NAME not in log
    assert NUMBER not in log


async def test_only_operators_and_admins_reveal_and_only_for_a_reason(
    desk: Desk, person: Person, kit: Kit
) -> None:
    url = f"/issuance/v1/persons/{person.address}/reveal"
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    refused(await desk.client.post(url, json=body("name"), headers=auditor), 403, "forbidden")
    refused(await desk.client.post(url, json=body("name"), headers=person.headers), 401, "unauthenticated")
    for wrong in (body("name", reason=" "), body(), body("phone"), body("name") | {"request_no": "1"}):
        refused(await desk.client.post(url, json=wrong, headers=desk.one), 422, "invalid_request")
    nobody = "/issuance/v1/persons/" + "00" + "0" * 32 + "/reveal"
    refused(await desk.client.post(nobody, json=body("name"), headers=desk.one), 404, "not_found")


async def test_of_a_forgotten_person_there_is_nothing_to_show(
    desk: Desk, client: httpx.AsyncClient, kit: Kit
) -> None:
    identity = {
        "name": NAME,
        "id_type": "resident_id",
        "id_number": resident_id(81_002),
        "consent_version": "v1",
    }
    gone = await bound(client, kit, (await signed_in(client, kit, "gone"))[0], identity)
    await client.delete("/issuance/v1/me", headers=gone.headers)
    url = f"/issuance/v1/persons/{gone.address}/reveal"
    shown = await desk.client.post(url, json=body("name", "id_number"), headers=desk.one)
    assert (shown.json()["name"], shown.json()["id_number"]) == (None, None)


@pytest.fixture
async def limited(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """The service with its rate limits on."""
    strict = settings.model_copy(update={"rate_limits": "on"})
    async with serving(issuance=create_app(strict, clock=clock)) as client:
        yield client


async def test_a_clerk_cannot_copy_a_list_one_by_one(
    limited: httpx.AsyncClient, person: Person, kit: Kit
) -> None:
    clerk, other = [await signed_in_staff(kit, Role.OPERATOR) for _ in range(2)]
    url = f"/issuance/v1/persons/{person.address}/reveal"
    statuses = [
        (await limited.post(url, json=body("name"), headers=clerk)).status_code
        for _ in range(REVEAL_PER_STAFF.amount + 1)
    ]
    assert statuses == [200] * REVEAL_PER_STAFF.amount + [429]
    assert (await limited.post(url, json=body("name"), headers=other)).status_code == 200

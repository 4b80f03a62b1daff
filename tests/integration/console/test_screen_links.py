"""Links of the big screen: who makes them, what is kept of them, how they end."""

import re

import httpx
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from services.console.screenlinks.tables import ScreenLinkRow
from shared.audit.tables import AuditEntryRow
from shared.identity.staff import Role
from shared.kit import Kit
from tests.support.people import signed_in_staff

PATH = "/console/v1/screen-links"


@pytest.fixture(scope="module")
async def operator(kit: Kit) -> dict[str, str]:
    return await signed_in_staff(kit, Role.OPERATOR)


async def made(client: httpx.AsyncClient, staff: dict[str, str], **body: object) -> httpx.Response:
    return await client.post(PATH, json={"label": "一楼大厅", **body}, headers=staff)


async def by_force(kit: Kit, statement: str, link_id: str) -> None:
    async with kit.database.transaction() as tx:
        await tx.execute(text(statement), {"id": link_id})


async def test_a_link_is_told_once_and_only_its_keyed_hash_is_kept(
    client: httpx.AsyncClient, kit: Kit, operator: dict[str, str]
) -> None:
    first = await made(client, operator, request_no="hall-1")
    assert first.status_code == 201
    address, _, token = first.json()["url"].partition("#")
    assert address.endswith("/screen")
    assert len(token) >= 43
    again = await made(client, operator, request_no="hall-1")
    assert (again.status_code, again.json()) == (200, {**first.json(), "url": None})
    async with kit.database.snapshot() as tx:
        row = (
            await tx.execute(select(ScreenLinkRow.__table__).order_by(ScreenLinkRow.id.desc()).limit(1))
        ).one()
        audit = (
            await tx.execute(select(AuditEntryRow.__table__).order_by(AuditEntryRow.seq.desc()).limit(1))
        ).one()
    assert row.token_hash == kit.keys.index.digest("screen-link", token)
    assert token not in str(row)
    assert token not in str(audit)
    assert (audit.action, audit.after["label"]) == ("screen_link.make", "一楼大厅")
    listed = (await client.get(PATH, headers=operator)).text
    assert first.json()["link_id"] in listed
    assert token not in listed


async def test_a_link_is_good_for_thirty_days_at_the_most(
    client: httpx.AsyncClient, kit: Kit, operator: dict[str, str]
) -> None:
    for days in (0, 31, "7"):
        answer = await made(client, operator, valid_days=days)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    link_id = (await made(client, operator, valid_days=30)).json()["link_id"]
    longer = "UPDATE core.screen_link SET expires_at = expires_at + interval '1 second' WHERE id = :id"
    with pytest.raises(DBAPIError, match="ck_screen_link_expires_soon"):
        await by_force(kit, longer, link_id)


async def test_a_link_is_revoked_once_and_its_row_stays(
    client: httpx.AsyncClient, kit: Kit, operator: dict[str, str]
) -> None:
    link_id = (await made(client, operator)).json()["link_id"]
    path, body = f"{PATH}/{link_id}/revoke", {"reason": "大厅改造"}
    revoked = await client.post(path, json=body, headers=operator)
    assert (revoked.status_code, revoked.json()["link_id"]) == (200, link_id)
    again = await client.post(path, json=body, headers=operator)
    assert (again.status_code, again.json()["code"]) == (409, "screen_link_revoked_already")
    listed = (await client.get(PATH, headers=operator)).json()["items"]
    assert next(one for one in listed if one["link_id"] == link_id)["state"] == "revoked"
    revived = "UPDATE core.screen_link SET revoked_at = NULL, revoked_by = NULL WHERE id = :id"
    for statement in (revived, "DELETE FROM core.screen_link WHERE id = :id"):
        with pytest.raises(DBAPIError, match="screen_link is append-only"):
            await by_force(kit, statement, link_id)


@pytest.mark.parametrize("link_id", ["01890000-0000-7000-8000-000000000000", "no-id"])
async def test_what_is_no_link_cannot_be_revoked(
    client: httpx.AsyncClient, operator: dict[str, str], link_id: str
) -> None:
    answer = await client.post(f"{PATH}/{link_id}/revoke", json={"reason": "x"}, headers=operator)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


async def test_operators_make_links_auditors_read_them_and_others_see_nothing(
    client: httpx.AsyncClient, kit: Kit
) -> None:
    told = {}
    for role in Role:
        headers = await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1")
        listed = await client.get(PATH, headers=headers)
        told[role] = ((await made(client, headers)).status_code, listed.status_code)
    assert told == {
        Role.ADMIN: (201, 200),
        Role.OPERATOR: (201, 200),
        Role.AUDITOR: (403, 200),
        Role.INSTITUTION: (403, 403),
        Role.HOSPITAL: (403, 403),
    }
    assert (await client.get(PATH)).status_code == 401


async def test_the_list_goes_on_by_its_cursor(client: httpx.AsyncClient, operator: dict[str, str]) -> None:
    for number in range(3):
        await made(client, operator, label=f"会议室{number}")
    first = (await client.get(PATH, params={"limit": 2}, headers=operator)).json()
    params = {"limit": 2, "cursor": first["next_cursor"]}
    second = (await client.get(PATH, params=params, headers=operator)).json()
    labels = [one["label"] for one in [*first["items"], *second["items"]]]
    assert labels[:3] == ["会议室2", "会议室1", "会议室0"]


async def test_a_clerk_makes_and_revokes_a_link_on_a_page(
    client: httpx.AsyncClient, operator: dict[str, str], kit: Kit
) -> None:
    page = "/console/screen-links"
    cookie = {"Cookie": f"hv_console={operator['Authorization'].removeprefix('Bearer ')}"}
    form = hidden_of((await client.get(page, headers=cookie)).text)
    shown = await client.post(page, data={**form, "label": "值班室<b>"}, headers=cookie)
    assert shown.status_code == 200
    assert re.search(r'class="token" readonly value="http[^"]+/screen#scr_[\w-]{43}"', shown.text)
    assert "值班室&lt;b&gt;" in shown.text
    pressed_twice = await client.post(page, data={**form, "label": "值班室<b>"}, headers=cookie)
    assert "此前已生成" in pressed_twice.text
    assert "/screen#" not in pressed_twice.text
    revoke = re.findall(r'action="(/console/screen-links/[^"]+/revoke)"', shown.text)[0]
    done = await client.post(revoke, data={**hidden_of(shown.text), "reason": "不再使用"}, headers=cookie)
    assert (done.status_code, done.headers["location"]) == (303, f"{page}?done=revoked")
    again = await client.post(revoke, data={**form, "request_no": "", "reason": "再次"}, headers=cookie)
    assert (again.status_code, "screen_link_revoked_already" in again.text) == (409, True)
    for wrong in ({"label": " "}, {"label": "x", "valid_days": "31"}):
        assert (await client.post(page, data={**form, **wrong}, headers=cookie)).status_code == 422
    assert (await client.post(page, data={"label": "x"}, headers=cookie)).status_code == 403
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    cookie = {"Cookie": f"hv_console={auditor['Authorization'].removeprefix('Bearer ')}"}
    read_only = (await client.get(page, headers=cookie)).text
    assert "生成链接" not in read_only
    form = hidden_of(read_only)
    assert (await client.post(page, data={**form, "label": "x"}, headers=cookie)).status_code == 403


def hidden_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'type="hidden" name="(form_token|request_no)" value="([^"]*)"', page))

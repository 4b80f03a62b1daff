"""Account and security, staff, and the audit log, as pages: roles, refusals and forms."""

import base64
import io
import re
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import httpx
import pytest
from python_calamine import CalamineWorkbook

from services.console.secondfactor.rules import STEP_SECONDS, code_at, step_of
from services.console.staff.rules import FAILURES_MAX
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.ids import new_id
from shared.kit import Kit
from shared.settings import Settings
from tests.support.pages import console_with_quota, form_of, signed_in, text_of
from tests.support.people import signed_in_staff

PASSWORD = "Seven-Red-Kites-9"


@pytest.fixture(scope="module")
async def origin(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with console_with_quota(settings, clock) as client:
        yield client


async def as_role(origin: httpx.AsyncClient, kit: Kit, role: Role) -> httpx.AsyncClient:
    headers = await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1")
    return signed_in(origin, headers)


async def sent(
    client: httpx.AsyncClient, page: str, action: str, fields: dict[str, str | list[str]]
) -> httpx.Response:
    """A form of a page, pressed."""
    form = form_of(await client.get(page))
    body = urlencode({**form, **fields}, doseq=True)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await client.post(action, content=body, headers=headers)


async def test_an_administrator_makes_changes_and_disables_an_account(
    origin: httpx.AsyncClient, kit: Kit
) -> None:
    admin = await as_role(origin, kit, Role.ADMIN)
    name = f"员工-{new_id().hex[-10:]}"
    weak = await sent(
        admin, "/console/staff", "/console/staff", {"username": name, "password": "x", "roles": ["operator"]}
    )
    assert weak.status_code == 422
    assert "weak_password" in weak.text
    assert f'value="{name}"' in weak.text
    fields: dict[str, str | list[str]] = {"username": name, "password": PASSWORD, "roles": ["operator"]}
    made = await sent(admin, "/console/staff", "/console/staff", fields)
    assert (made.status_code, made.headers["location"]) == (303, "/console/staff?done=made")
    listed = await admin.get("/console/staff?done=made")
    assert "账号已创建" in text_of(listed)
    found = re.search(rf'href="(/console/staff/[0-9a-f-]+)">{name}<', listed.text)
    assert found
    person = found[1]
    roles: dict[str, str | list[str]] = {"roles": ["auditor"], "reason": "轮岗"}
    changed = await sent(admin, person, f"{person}/roles", roles)
    assert changed.headers["location"] == f"{person}?done=roles"
    for act, done in (("end-sessions", "ended"), ("disable", "disabled")):
        answer = await sent(admin, person, f"{person}/{act}", {"reason": "离职"})
        assert answer.headers["location"] == f"{person}?done={done}"
    reset = await sent(admin, person, f"{person}/reset-factor", {"reason": "手机遗失"})
    assert (reset.status_code, "second_factor_not_enabled" in reset.text) == (409, True)
    log = text_of(await admin.get("/console/audit", params={"object": f"staff:{person.rpartition('/')[2]}"}))
    for word in ("停用账号", "更改角色", "轮岗", "离职"):
        assert word in log


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
async def test_readers_look_and_cannot_act(origin: httpx.AsyncClient, kit: Kit, role: Role) -> None:
    reader = await as_role(origin, kit, role)
    page = await reader.get("/console/staff")
    assert page.status_code == 200
    assert "新建账号" not in page.text
    answer = await sent(reader, "/console/account", "/console/staff", {"username": "x", "password": PASSWORD})
    assert answer.status_code == 403


@pytest.mark.parametrize("role", [Role.HOSPITAL, Role.INSTITUTION])
@pytest.mark.parametrize("path", ["/console/staff", "/console/audit", f"/console/staff/{'0' * 32}"])
async def test_pages_of_the_bureau_are_for_the_bureau(
    origin: httpx.AsyncClient, kit: Kit, role: Role, path: str
) -> None:
    other = await as_role(origin, kit, role)
    assert (await other.get(path)).status_code == 403
    assert (await other.get("/console/account")).status_code == 200


async def test_an_administrator_ends_one_session_and_unlocks_a_sign_in(
    origin: httpx.AsyncClient, kit: Kit
) -> None:
    admin = await as_role(origin, kit, Role.ADMIN)
    name = f"clerk-{new_id().hex[-10:]}"
    fields: dict[str, str | list[str]] = {"username": name, "password": PASSWORD, "roles": ["operator"]}
    await sent(admin, "/console/staff", "/console/staff", fields)
    body = {"username": name, "password": PASSWORD}
    for _ in range(2):
        assert (await admin.post("/console/v1/sessions", json=body)).status_code == 201
    for _ in range(FAILURES_MAX):
        await admin.post("/console/v1/sessions", json={**body, "password": "wrong"})
    assert (await admin.post("/console/v1/sessions", json=body)).status_code == 429
    listed = await admin.get("/console/staff", params={"q": name, "role": "operator", "state": "in_use"})
    found = re.search(rf'href="(/console/staff/[0-9a-f-]+)">{name}<', listed.text)
    assert found
    assert "登录已锁定" in text_of(listed)
    assert "共 1 条" in text_of(listed)
    person = found[1]
    shown = await admin.get(person)
    sessions = re.findall(r'name="session" value="([0-9a-f]+)"', shown.text)
    assert len(sessions) == 2
    ended = await sent(
        admin, person, f"{person}/sessions/end", {"session": sessions[0], "reason": "设备遗失"}
    )
    assert ended.headers["location"] == f"{person}?done=one-ended"
    assert len(re.findall(r'name="session" value="', (await admin.get(person)).text)) == 1
    unlocked = await sent(admin, person, f"{person}/unlock", {"reason": "本人输错"})
    assert unlocked.headers["location"] == f"{person}?done=unlocked"
    again = await sent(admin, person, f"{person}/unlock", {"reason": "本人输错"})
    assert (again.status_code, "sign_in_not_locked" in again.text) == (409, True)
    assert (await admin.post("/console/v1/sessions", json=body)).status_code == 201
    book = await admin.get("/console/staff/export.xlsx", params={"q": name})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert [row[:2] for row in rows if name in row] == [[name, "业务经办"]]


async def test_the_audit_log_is_read_by_names_and_taken_as_a_workbook(
    origin: httpx.AsyncClient, kit: Kit
) -> None:
    auditor = await as_role(origin, kit, Role.AUDITOR)
    listed = text_of(await auditor.get("/console/audit", params={"action": "staff.create,staff.disable"}))
    assert "新建账号" in listed
    assert "尚未核验" in listed
    by_kind = text_of(await auditor.get("/console/audit", params={"object_kind": "staff"}))
    assert "新建账号" in by_kind
    assert "没有符合条件的记录" in text_of(await auditor.get("/console/audit?object_kind=settlement"))
    book = await auditor.get("/console/audit/export.xlsx", params={"action": "staff.create"})
    rows = CalamineWorkbook.from_filelike(io.BytesIO(book.content)).get_sheet_by_index(0).to_python()
    assert {row[3] for row in rows if row[4] == "staff.create"} == {"新建账号"}


async def test_a_form_of_elsewhere_acts_on_nothing(origin: httpx.AsyncClient, kit: Kit) -> None:
    admin = await as_role(origin, kit, Role.ADMIN)
    for path in ("/console/staff", "/console/account/second-factor", "/console/account/sessions/end-others"):
        assert (await admin.post(path, data={"form_token": "0" * 64})).status_code == 403


async def test_a_clerk_sets_the_second_factor_up_and_signs_in_with_it(
    settings: Settings, clock: ManualClock, kit: Kit
) -> None:
    headers = await signed_in_staff(kit, Role.ADMIN)
    name = f"clerk-{new_id().hex[-10:]}"
    async with console_with_quota(settings, clock) as browser:
        body = {"username": name, "password": PASSWORD, "roles": ["operator"]}
        await browser.post("/console/v1/staff", json=body, headers=headers)

        async def signs_in(**more: str) -> httpx.Response:
            browser.cookies.clear()
            form = form_of(await browser.get("/console"))
            fields = {**form, "username": name, "password": PASSWORD, **more}
            return await browser.post("/console/sign-in", data=fields)

        assert (await signs_in()).status_code == 303
        page = "/console/account"
        begun = await sent(browser, page, f"{page}/second-factor", {})
        assert begun.status_code == 303
        shown = await browser.get(page)
        found = re.search(r"<code>([A-Z2-7]{32})</code>", shown.text)
        assert found
        # Whole at any width: without its box a browser would cut it off.
        assert re.search(r'<svg viewBox="0 0 \d+ \d+"', shown.text)
        secret = base64.b32decode(found[1])
        wrong = await sent(browser, page, f"{page}/second-factor/confirm", {"code": "000000"})
        assert (wrong.status_code, "second_factor_wrong" in wrong.text) == (401, True)
        code = code_at(secret, step_of(clock.now()))
        confirmed = await sent(browser, page, f"{page}/second-factor/confirm", {"code": code})
        codes = re.findall(r"<code>([A-Z2-7]{4}(?:-[A-Z2-7]{4}){3})</code>", confirmed.text)
        assert len(codes) == 10
        assert codes[0] not in (await browser.get(page)).text
        asked = await signs_in()
        assert (asked.status_code, "请填写动态验证码" in asked.text) == (401, True)
        clock.advance(seconds=STEP_SECONDS)
        assert (await signs_in(totp=code_at(secret, step_of(clock.now())))).status_code == 303
        assert (await signs_in(totp=codes[1])).status_code == 303
        sessions = await browser.get(page)
        ended = re.findall(r'name="session" value="([0-9a-f]+)"', sessions.text)
        assert len(ended) == 2
        await sent(browser, page, f"{page}/sessions/end", {"session": ended[0]})
        await sent(browser, page, f"{page}/sessions/end-others", {})
        assert 'name="session"' not in (await browser.get(page)).text
        off = {"password": PASSWORD, "code": codes[2]}
        turned = await sent(browser, page, f"{page}/second-factor/off", off)
        assert turned.headers["location"] == f"{page}?done=off"
        assert (await signs_in()).status_code == 303


async def test_the_audit_log_filters_and_goes_on(origin: httpx.AsyncClient, kit: Kit) -> None:
    auditor = await as_role(origin, kit, Role.AUDITOR)
    page = await auditor.get("/console/audit", params={"action": "no.such.action"})
    assert "没有符合条件的记录" in text_of(page)
    broken = await auditor.get("/console/audit", params={"since": "morgen"})
    assert (broken.status_code, "invalid_request" in broken.text) == (422, True)
    days = await auditor.get("/console/audit", params={"since": "2020-01-01", "until": "2099-01-01"})
    assert "staff.create" in days.text

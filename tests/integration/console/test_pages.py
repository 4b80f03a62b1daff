"""The pages: who sees what, in which language, and that nothing comes from elsewhere or runs unasked."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from services.console.app import create_app
from services.console.pages.routes import FORM_COOKIE, SESSION_COOKIE
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import publish_campaign
from tests.support.http import serving
from tests.support.money import a_little_of_everything
from tests.support.people import signed_in_staff
from tests.support.servers import Servers

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self';"
    " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PUBLIC = ("/", "/console", "/docs/errors")


@pytest.fixture(scope="module", autouse=True)
async def campaign(kit: Kit) -> None:
    await a_little_of_everything(kit, "on-the-page")


@pytest.fixture
async def browser(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    """A client with cookies of its own."""
    async with serving(console=create_app(settings, clock=clock)) as client:
        yield client


def form_token(page: httpx.Response) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    return found[1]


async def sign_in(browser: httpx.AsyncClient, **changed: str) -> httpx.Response:
    token = form_token(await browser.get("/console"))
    form = {"username": "admin", "password": "Correct-Horse-7-Battery", "form_token": token, **changed}
    return await browser.post("/console/sign-in", data=form)


async def as_role(kit: Kit, browser: httpx.AsyncClient, role: Role) -> None:
    headers = await signed_in_staff(kit, role, institution_id="i1", hospital_id="h1")
    browser.cookies.set(SESSION_COOKIE, headers["Authorization"].removeprefix("Bearer "), path="/console")


class TestEveryPage:
    @pytest.mark.parametrize("path", PUBLIC)
    async def test_loads_only_what_its_policy_allows(self, browser: httpx.AsyncClient, path: str) -> None:
        page = await browser.get(path)
        assert page.status_code == 200
        assert page.headers["content-security-policy"] == POLICY
        for address in re.findall(r'(?:src|href|action)="([^"]*)"', page.text):
            assert address.startswith(("/", "?", "#")), address
            assert not address.startswith("//")
        for forbidden in ("<script", "style=", "onclick", "http://", "https://"):
            assert forbidden not in page.text

    @pytest.mark.parametrize("path", PUBLIC)
    async def test_leads_nowhere_that_this_service_does_not_answer(
        self, browser: httpx.AsyncClient, path: str
    ) -> None:
        page = await browser.get(path)
        for address in set(re.findall(r'(?:src|href)="(/[^"#]*)', page.text)):
            if address.split("/")[1] not in {"issuance", "redemption", "quota"}:
                assert (await browser.get(address)).status_code in {200, 303, 503}, address

    @pytest.mark.parametrize("path", PUBLIC)
    async def test_is_chinese_first_and_english_by_a_switch(
        self, browser: httpx.AsyncClient, path: str
    ) -> None:
        assert '<html lang="zh-CN">' in (await browser.get(path)).text
        preferred = await browser.get(path, headers={"accept-language": "en-GB,en;q=0.9"})
        assert '<html lang="en">' in preferred.text
        switched = await browser.get(f"{path}?lang=en")
        assert '<html lang="en">' in switched.text
        assert '<html lang="en">' in (await browser.get(path)).text, "the browser remembers"
        assert '<html lang="zh-CN">' in (await browser.get(f"{path}?lang=zh")).text
        assert '<html lang="zh-CN">' in (await browser.get(f"{path}?lang=tlh")).text

    async def test_says_that_it_is_a_demonstration_only_when_it_is(
        self, browser: httpx.AsyncClient, settings: Settings, clock: ManualClock
    ) -> None:
        real = settings.model_copy(update={"demo": False, "rate_limits": "on"})
        async with serving(console=create_app(real, clock=clock)) as production:
            for path in PUBLIC:
                assert "演示环境" in (await browser.get(path)).text
                assert "演示环境" not in (await production.get(path)).text

    async def test_static_files_are_kept_by_their_content(self, browser: httpx.AsyncClient) -> None:
        page = await browser.get("/")
        (sheet,) = re.findall(r'href="(/console/static/pages\.css\?v=[0-9a-f]+)"', page.text)
        answer = await browser.get(sheet)
        assert answer.headers["content-type"].startswith("text/css")
        assert "immutable" in answer.headers["cache-control"]
        stale = await browser.get("/console/static/pages.css?v=0")
        assert stale.headers["cache-control"] == "no-cache"
        assert (await browser.get("/console/static/../routes.py")).status_code == 404
        assert (await browser.get("/console/static/none.css")).status_code == 404
        assert (await browser.get("/favicon.ico")).headers["content-type"] == "image/svg+xml"


class TestSigningIn:
    async def test_a_clerk_signs_in_looks_and_signs_out(self, browser: httpx.AsyncClient) -> None:
        signed_in = await sign_in(browser)
        assert (signed_in.status_code, signed_in.headers["location"]) == (303, "/console")
        cookie = next(line for line in signed_in.headers.get_list("set-cookie") if SESSION_COOKIE in line)
        assert {"HttpOnly", "SameSite=strict", "Path=/console"} <= set(cookie.split("; "))
        overview = await browser.get("/console")
        assert "健康体检券" in overview.text
        out = await browser.post("/console/sign-out", data={"form_token": form_token(overview)})
        assert out.status_code == 303
        assert "登录管理台" in (await browser.get("/console")).text

    async def test_signing_out_ends_the_session_itself(self, browser: httpx.AsyncClient) -> None:
        await sign_in(browser)
        token = browser.cookies[SESSION_COOKIE]
        overview = await browser.get("/console")
        await browser.post("/console/sign-out", data={"form_token": form_token(overview)})
        me = await browser.get("/console/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert me.status_code == 401

    @pytest.mark.parametrize(
        ("changed", "status", "sentence"),
        [
            ({"password": "Wrong-Horse-7-Battery"}, 401, "用户名或密码不正确"),
            ({"username": "nobody"}, 401, "用户名或密码不正确"),
            ({"password": ""}, 401, "用户名或密码不正确"),
            ({"form_token": ""}, 403, "没有进行此操作的权限"),
            ({"form_token": "0" * 64}, 403, "没有进行此操作的权限"),
            ({"form_token": "令牌"}, 403, "没有进行此操作的权限"),
        ],
    )
    async def test_refusal_is_said_on_the_form(
        self, browser: httpx.AsyncClient, changed: dict[str, str], status: int, sentence: str
    ) -> None:
        page = await sign_in(browser, **changed)
        assert page.status_code == status
        assert sentence in page.text
        assert form_token(page)
        assert SESSION_COOKIE not in browser.cookies

    async def test_what_was_typed_comes_back_harmless(self, browser: httpx.AsyncClient) -> None:
        page = await sign_in(browser, username='"><script>alert(1)</script>', password="secret-typed")
        assert "<script" not in page.text
        assert "secret-typed" not in page.text

    async def test_form_of_another_browser_is_refused(
        self, browser: httpx.AsyncClient, client: httpx.AsyncClient
    ) -> None:
        stolen = form_token(await client.get("/console"))
        assert (await sign_in(browser, form_token=stolen)).status_code == 403
        browser.cookies.delete(FORM_COOKIE)
        token = form_token(await browser.get("/console"))
        browser.cookies.delete(FORM_COOKIE)
        form = {"username": "admin", "password": "Correct-Horse-7-Battery", "form_token": token}
        assert (await browser.post("/console/sign-in", data=form)).status_code == 403

    async def test_sign_out_needs_its_form(self, browser: httpx.AsyncClient) -> None:
        await sign_in(browser)
        for form in ({}, {"form_token": "0" * 64}):
            assert (await browser.post("/console/sign-out", data=form)).status_code == 403
        assert "健康体检券" in (await browser.get("/console")).text

    async def test_lock_is_said_with_its_end(self, browser: httpx.AsyncClient) -> None:
        for _ in range(5):
            await sign_in(browser, username="locked-out", password="x")
        page = await sign_in(browser, username="locked-out", password="x")
        assert page.status_code == 429
        assert int(page.headers["retry-after"]) > 0
        assert "请稍后再试" in page.text

    async def test_cookie_is_for_encrypted_lines_when_there_is_one(
        self, settings: Settings, clock: ManualClock
    ) -> None:
        async with serving(console=create_app(settings, clock=clock)) as client:
            client.base_url = httpx.URL("https://hv.test")
            signed_in = await sign_in(client)
            assert all("Secure" in line for line in signed_in.headers.get_list("set-cookie")[:1])

    async def test_forms_are_for_pages_only(self, browser: httpx.AsyncClient) -> None:
        form = {"username": "admin", "password": "Correct-Horse-7-Battery"}
        assert (await browser.post("/console/v1/sessions", data=form)).status_code == 415


class TestWhoSeesWhat:
    @pytest.mark.parametrize("role", [Role.ADMIN, Role.OPERATOR, Role.AUDITOR])
    async def test_the_bureau_sees_the_overview(
        self, browser: httpx.AsyncClient, kit: Kit, role: Role
    ) -> None:
        await as_role(kit, browser, role)
        page = await browser.get("/console")
        for shown in (
            "健康体检券",
            "通用消费券100元",
            "州本级财政",
            "1,000,000.00",
        ):
            assert shown in page.text
        integrity = await browser.get("/console/integrity")
        assert integrity.status_code == 200
        assert "一人一号" in integrity.text

    async def test_figures_that_rest_on_assumptions_are_marked(
        self, browser: httpx.AsyncClient, kit: Kit
    ) -> None:
        await as_role(kit, browser, Role.AUDITOR)
        assert "演示假定值" not in (await browser.get("/console")).text
        await publish_campaign(kit, assumed=["funding_sources.treasury.share", "phases.1.odds"])
        page = await browser.get("/console")
        assert "演示假定值：出资比例</span>" in page.text

    @pytest.mark.parametrize("role", [Role.INSTITUTION, Role.HOSPITAL])
    async def test_bound_roles_see_no_totals(self, browser: httpx.AsyncClient, kit: Kit, role: Role) -> None:
        await as_role(kit, browser, role)
        page = await browser.get("/console")
        home = "/console/hospital" if role is Role.HOSPITAL else "/console/own"
        assert (page.status_code, page.headers["location"]) == (303, home)
        assert "州本级财政" not in page.text
        refused = await browser.get("/console/integrity")
        assert refused.status_code == 403
        assert refused.headers["content-type"].startswith("text/html")
        assert "forbidden" in refused.text

    async def test_nobody_is_asked_to_sign_in(self, browser: httpx.AsyncClient) -> None:
        browser.cookies.set(SESSION_COOKIE, "forged", path="/console")
        assert "登录管理台" in (await browser.get("/console")).text
        asked = await browser.get("/console/integrity")
        assert (asked.status_code, asked.headers["location"]) == (303, "/console?to=/console/integrity")

    @pytest.mark.parametrize(
        ("wanted", "led"),
        [
            ("/console/integrity", "/console/integrity"),
            ("", "/console"),
            ("//elsewhere.example", "/console"),
            ("https://elsewhere.example/console", "/console"),
            ("/console/../verify", "/console"),
            ("/console//elsewhere.example", "/console"),
        ],
    )
    async def test_who_had_to_sign_in_comes_back_to_a_page_of_ours_only(
        self, browser: httpx.AsyncClient, wanted: str, led: str
    ) -> None:
        form = await browser.get("/console", params={"to": wanted})
        (kept,) = re.findall(r'name="to" value="([^"]*)"', form.text)
        assert kept == led
        assert (await sign_in(browser, to=wanted)).headers["location"] == led


async def test_errors_page_is_where_problem_documents_point(browser: httpx.AsyncClient) -> None:
    refusal = (await browser.get("/console/v1/me")).json()
    path, _, code = refusal["type"].partition("#")
    page = await browser.get(path)
    assert f'id="{code}"' in page.text
    assert "请先登录" in page.text


async def test_page_says_that_the_database_is_away_in_words(settings: Settings, clock: ManualClock) -> None:
    away = settings.model_copy(update={"database_url": "postgresql://hv@127.0.0.1:1/hv"})
    async with serving(console=create_app(away, clock=clock)) as client:
        page = await client.get("/")
        assert page.status_code == 503
        assert page.headers["content-type"].startswith("text/html")
        assert page.headers["retry-after"]
        assert "系统繁忙" in page.text
        assert (await client.get("/console/readyz")).status_code == 503


async def test_console_is_not_ready_without_an_administrator(
    servers: Servers, settings: Settings, clock: ManualClock
) -> None:
    url = servers.create_database("hv_no_admin", template="hv_template")
    nobody = settings.model_copy(update={"admin_username": None, "admin_password": None, "database_url": url})
    async with serving(console=create_app(nobody, clock=clock)) as client:
        answer = await client.get("/console/readyz")
        assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
        assert "HV_ADMIN_PASSWORD" in answer.json()["detail"]
        # Somebody else makes one, in another process: readiness notices without a restart.
        made = settings.model_copy(update={"database_url": url})
        async with serving(console=create_app(made, clock=clock)):
            assert (await client.get("/console/readyz")).status_code == 200
    servers.drop_database("hv_no_admin")

"""Each way in which the console says no, as a person meets it in the browser.

What the services really refuse stands here; that every form of every page takes every refusal well is shown
beside the pages' jobs (test_quota_console, test_voucher_console, test_redemption_pages).
"""

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.asgi import OneOrigin
from services.console.app import create_app as console
from services.issuance.app import create_app as issuance
from services.quota.app import create_app as quota
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.errors import Busy
from shared.identity.staff import SESSION_DOMAIN, Role
from shared.ids import new_id
from shared.kit import Kit
from shared.settings import Settings
from tests.browser.test_console_pages import serious
from tests.support.browser import Tab, browsing, look
from tests.support.campaigns import Published, publish_campaign
from tests.support.held import run
from tests.support.http import listening
from tests.support.people import signed_in_staff
from tests.support.refusing import Mood, documented, step_of, wider

PASSWORD = "Seven-Red-Kites-9"


@dataclass(frozen=True, slots=True)
class Desk:
    address: str
    client: httpx.AsyncClient
    tab: Tab
    kit: Kit
    campaign: Published
    mood: Mood
    admin: dict[str, str]

    async def visit(self, path: str) -> None:
        await self.tab.open(f"{self.address}/console{path}")

    async def be(self, headers: dict[str, str]) -> None:
        token = headers["Authorization"].removeprefix("Bearer ")
        await self.tab.set_cookie("hv_console", token, url=f"{self.address}/console")

    async def send(self, action: str, **typed: str) -> None:
        """Fills in the form with this address, unfolding it, and sends it past the browser's own checks."""
        form = f"form[action='{self.path_of(action)}']"
        await self.tab.until(f'document.querySelector("{form}") !== null')
        await self.tab.evaluate(
            f'for (let up = document.querySelector("{form}"); up; up = up.parentElement)'
            " if (up.tagName === 'DETAILS') up.open = true;"
            f'document.querySelector("{form}").noValidate = true'
        )
        for name, text in typed.items():
            await self.tab.type(f"{form} [name={name}]", text)
        await self.tab.tap(f"{form} button[type=submit]")

    def path_of(self, action: str) -> str:
        return f"/console/{action}"

    async def refused(self, *words: str, kept: tuple[str, ...] = ()) -> None:
        """The page says these, has the focus there, keeps this, and fits; the browser has no complaint."""
        await self.tab.until("document.querySelector('main [role=alert]') !== null")
        said = await self.tab.text("main [role=alert]")
        assert [one for one in words if one not in said] == [], said
        assert await self.tab.evaluate("document.activeElement.getAttribute('role')") == "alert"
        values = await self.tab.evaluate(
            "[...document.querySelectorAll('main input')].map(({ value }) => value)"
        )
        assert [one for one in kept if one not in values] == [], values
        assert await wider(self.tab) == []


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    mood = Mood()
    apps = {
        "console": console(settings, clock=clock),
        "issuance": issuance(settings, clock=clock),
        "redemption": redemption(settings, clock=clock),
        "quota": mood.of(quota(settings, clock=clock)),
    }
    async with (
        listening(OneOrigin(apps, rest="console")) as address,
        httpx.AsyncClient(base_url=address, trust_env=False) as client,
        browsing() as tab,
    ):
        admin = await signed_in_staff(kit, Role.ADMIN)
        yield Desk(address, client, tab, kit, await publish_campaign(kit), mood, admin)


@pytest.fixture(autouse=True)
async def unblamed(desk: Desk) -> AsyncIterator[None]:
    """The browser had nothing to complain of, and asked nobody else."""
    await desk.tab.page.context.clear_cookies()
    yield
    complaints = list(desk.tab.complaints)
    desk.tab.complaints.clear()
    assert complaints == []
    assert [one for one in desk.tab.asked if not one.startswith((desk.address, "data:"))] == []


async def test_wrong_password_and_missing_code_are_said_at_the_form(desk: Desk) -> None:
    await desk.visit("/quota/table-check")
    await desk.send("sign-in", username="nobody-here", password="Not-The-Password-1")
    await desk.tab.until("document.querySelector('[role=alert]') !== null")
    assert "联系系统管理员" in await desk.tab.text("[role=alert]")
    # The cursor stands where one types again, and the sentence is read out with that field.
    at = "[document.activeElement.name, document.activeElement.getAttribute('aria-describedby')]"
    assert await desk.tab.evaluate(at) == ["password", "refusal"]
    assert await desk.tab.evaluate("document.querySelector('[name=username]').value") == "nobody-here"
    assert (
        await desk.tab.evaluate("document.querySelector('[name=to]').value") == "/console/quota/table-check"
    )
    assert await serious(desk.tab) == []
    assert await wider(desk.tab) == []


async def test_who_was_signed_out_meanwhile_is_told_so_and_comes_back(desk: Desk) -> None:
    somebody = await signed_in_staff(desk.kit, Role.OPERATOR)
    await desk.be(somebody)
    await desk.visit("/quota/table-check")
    token = somebody["Authorization"].removeprefix("Bearer ")
    ended = "DELETE FROM core.staff_session WHERE token_hash = :token_hash"
    await run(desk.kit, ended, token_hash=desk.kit.keys.index.digest(SESSION_DOMAIN, token))
    await desk.tab.choose_files("[name=file]", [Path(__file__).parents[2] / "CHANGELOG.md"])
    # With a script the page is left for the form; a part of the page would be empty otherwise.
    await desk.tab.tap("[hx-post]")
    await desk.tab.until("document.querySelector('[name=password]') !== null")
    assert "登录已过期" in await desk.tab.text("[role=alert]")
    assert await serious(desk.tab) == []
    await look(desk.tab, "console-refused-session", width=1366, height=768)


@pytest.mark.parametrize("path", ["/staff", f"/vouchers/{'A' * 12}", "/campaigns/no-such-campaign"])
async def test_what_is_not_theirs_or_not_there_is_a_page_that_says_so(desk: Desk, path: str) -> None:
    institution = await signed_in_staff(desk.kit, Role.INSTITUTION, institution_id="ins_somewhere")
    await desk.be(institution if path == "/staff" else desk.admin)
    await desk.visit(path)
    sentence, step = (
        ("您没有进行此操作的权限", "请联系系统管理员") if path == "/staff" else ("没有找到", "回到列表中查找")
    )
    await desk.refused(sentence, step)
    assert await serious(desk.tab) == []
    await look(desk.tab, f"console-refused-{path[1:6]}", width=390, height=844)


async def test_account_is_refused_for_its_name_and_its_password(desk: Desk) -> None:
    await desk.be(desk.admin)
    name = f"clerk-{new_id().hex[-10:]}"
    await desk.visit("/staff")
    await desk.send("staff", username=name, password="short")
    await desk.refused("密码强度不足", "请修改后重新提交", kept=(name,))
    body = {"username": name, "password": PASSWORD, "roles": ["operator"]}
    made = await desk.client.post("/console/v1/staff", json=body, headers=desk.admin)
    assert made.status_code == 201, made.text
    await desk.send("staff", username=name, password=PASSWORD)
    await desk.refused("该用户名已被使用", kept=(name,))
    assert await serious(desk.tab) == []


async def test_odds_beyond_their_range_are_refused_in_chinese_and_stay(desk: Desk) -> None:
    await desk.be(await signed_in_staff(desk.kit, Role.OPERATOR))
    await desk.visit(f"/campaigns/{desk.campaign.slug}/propose")
    await desk.send(f"campaigns/{desk.campaign.slug}/propose/1/odds", odds="150", reason="节前")
    await desk.refused("中奖率必须大于 0", "invalid_request", "请修改后重新提交", kept=("150", "节前"))
    assert "Input should" not in await desk.tab.text()
    assert await serious(desk.tab) == []
    await look(desk.tab, "console-refused-odds", width=1366, height=768)


async def test_change_that_somebody_decided_meanwhile_is_refused(desk: Desk) -> None:
    first, second, third = [await signed_in_staff(desk.kit, Role.OPERATOR) for _ in range(3)]
    path = f"/issuance/v1/campaigns/{desk.campaign.slug}/phases/1/odds"
    proposed = await desk.client.post(path, json={"odds": "0.12", "reason": "放宽"}, headers=first)
    change = proposed.json()["change_id"]
    own = await desk.client.post(f"/issuance/v1/changes/{change}/approve", json={}, headers=first)
    assert own.json()["code"] == "same_person"
    await desk.be(second)
    await desk.visit("/changes?service=issuance")
    said = await desk.client.post(
        f"/issuance/v1/changes/{change}/reject", json={"reason": "不妥"}, headers=third
    )
    assert said.status_code == 200, said.text
    await desk.send(f"changes/issuance/{change}/approve")
    await desk.refused("已有审批结论", "already_decided", "请刷新页面查看处理结果")
    assert await serious(desk.tab) == []


async def test_code_that_is_no_voucher_is_refused_and_stays(desk: Desk) -> None:
    await desk.be(await signed_in_staff(desk.kit, Role.OPERATOR))
    await desk.visit("/vouchers")
    await desk.send("vouchers/lookup", code="ZZZZ0000ZZZZ")
    await desk.refused("没有找到", "请核对编号", kept=("ZZZZ0000ZZZZ",))


async def test_file_with_a_strange_header_is_refused(desk: Desk, tmp_path: Path) -> None:
    await desk.be(await signed_in_staff(desk.kit, Role.OPERATOR))
    strange = tmp_path / "题.csv"
    strange.write_text("甲,乙\n1,2\n", "utf-8")
    await desk.visit(f"/questions/{desk.campaign.slug}/import")
    await desk.tab.choose_files("[name=file]", [strange])
    await desk.tab.tap("[name=step][value=check]")
    await desk.tab.until("document.querySelector('#result [role=alert]') !== null")
    said = await desk.tab.text("#result [role=alert]")
    assert "题目" in said, said
    assert await wider(desk.tab) == []


async def test_every_documented_refusal_fits_its_notice_in_both_languages(desk: Desk) -> None:
    """On a phone, by the one form whose notice comes without leaving the page."""
    await desk.be(desk.admin)
    chinese = [*documented(), Busy()]
    # What a page adds in English depends on the status alone, or on one of few codes.
    english = list({step_of(one, "en"): one for one in chinese}.values())
    for language, refusals in (("zh", chinese), ("en", english)):
        await desk.visit(f"/quota/table-check?lang={language}")
        await desk.tab.size(width=390, height=844)
        desk.mood.refusals = itertools.cycle(refusals)
        found = await desk.tab.page.evaluate(ALL_OF_THEM, len(refusals))
        desk.mood.refusals = None
        for refusal, (said, wide, typed) in zip(refusals, found, strict=True):
            for words in (refusal.detail(language), refusal.code, step_of(refusal, language)):
                assert words in said, (words, said)
            assert wide <= 0, refusal.code
            assert typed == "kept", refusal.code
    assert await serious(desk.tab) == []
    await look(desk.tab, "console-refused-all", width=390, height=844)


ALL_OF_THEM = """
async (count) => {
  const files = new DataTransfer();
  files.items.add(new File(['甲,乙\\n1,2\\n'], '名单.csv'));
  document.querySelector('[name=file]').files = files.files;
  document.querySelector('[name=source]').value = 'kept';
  const found = [];
  for (let n = 0; n < count; n++) {
    const swapped = new Promise((done) =>
      document.addEventListener('htmx:afterSettle', done, { once: true }));
    document.querySelector('[hx-post]').click();
    await swapped;
    const root = document.documentElement;
    found.push([
      document.querySelector('#result [role=alert]').innerText,
      root.scrollWidth - innerWidth,
      document.querySelector('[name=source]').value,
    ]);
  }
  return found;
}
"""

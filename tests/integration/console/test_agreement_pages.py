"""Prices, payees and operators by their forms; lists by the institution's name; an institution's home."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest

from services.console.app import create_app as console
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock, local_day
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.pages import form_of, signed_in, text_of
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import bureau
from tests.support.vouchers import held_voucher, published

PAGE, TERMINALS, OWN = "/console/institutions", "/console/terminals", "/console/own"
NUMBER = "6222020200112233445"


@dataclass(frozen=True, slots=True)
class Office:
    """`one` has a terminal and wrote off 50 yuan today; `other` is somebody else's."""

    client: httpx.AsyncClient
    kit: Kit
    desk: Books
    campaign: CampaignRef
    one: str
    other: str
    name: str

    async def visitor(self, *roles: Role, institution_id: str | None = None) -> httpx.AsyncClient:
        self.client.cookies.clear()
        return signed_in(self.client, await signed_in_staff(self.kit, *roles, institution_id=institution_id))

    async def send(self, path: str, *, at: str = "", **typed: str) -> httpx.Response:
        """The form of the institution's page, or of the one at an address, sent there."""
        form = form_of(await self.client.get(at or f"{PAGE}/{self.one}"))
        return await self.client.post(PAGE + path, data={**form, **typed})


@pytest.fixture(scope="module")
async def office(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Office]:
    apps = {"console": console(settings, clock=clock), "redemption": redemption(settings, clock=clock)}
    async with serving(**apps) as client:
        clerk = await bureau(client, kit)
        campaign = await published(kit, f"agreed-{secrets.token_hex(4)}")
        name = f"示例·协议医院{secrets.token_hex(3)}"
        one = await clerk.institution(campaign, name=name, category="checkup_hospital")
        other = await clerk.institution(campaign, name=f"{name}分院")
        till = await clerk.till(one)
        await clerk.till(other)
        await till.redeem((await held_voucher(kit, campaign)).code, 6_001)
        yield Office(client, kit, await books(kit, clerk), campaign, one, other, name)


class TestPrices:
    async def test_proposed_and_what_was_typed_stays_when_it_is_refused(
        self, office: Office, clock: ManualClock
    ) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        today = local_day(clock.now(), "Asia/Shanghai")
        typed = {"campaign": office.campaign.slug, "voucher_type": "checkup", "reason": "协商一致"}
        path = f"/{office.one}/contract-prices"
        early = await office.send(path, **typed, price="80.50", effective_from=today.isoformat())
        assert (early.status_code, "contract_price_too_soon" in early.text) == (409, True)
        assert 'value="80.50"' in early.text
        assert 'value="协商一致"' in early.text
        day = (today + timedelta(days=2)).isoformat()
        done = await office.send(path, **typed, price="80.50", effective_from=day)
        assert done.headers["location"] == f"{PAGE}/{office.one}?done=proposed", text_of(done)
        shown = text_of(await clerk.get(done.headers["location"]))
        assert "待审批：协议价 checkup 80.50 元" in shown, shown
        wrong = await office.send(path, **typed, price="许多", effective_from=day)
        assert (wrong.status_code, 'value="许多"' in wrong.text) == (422, True)


class TestPayee:
    async def test_waits_masked_and_is_seen_in_full_with_a_reason(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        path = f"/{office.one}/payee-accounts"
        typed = {
            "account_name": "示例协议医院有限公司",
            "bank_name": "示例银行蒙自支行",
            "reason": "首次登记",
        }
        short = await office.send(path, **typed, account_number="12")
        assert (short.status_code, 'value="示例银行蒙自支行"' in short.text) == (422, True)
        done = await office.send(path, **typed, account_number=NUMBER)
        page = await clerk.get(done.headers["location"])
        assert "****3445" in page.text
        assert NUMBER not in page.text
        (reveal,) = re.findall(r'action="/console/institutions(/[^"]+/reveal)"', page.text)
        blank = await office.send(reveal, reason="")
        assert (blank.status_code, NUMBER in blank.text) == (422, False)
        seen = await office.send(reveal, reason="核对授权书")
        assert NUMBER in seen.text
        assert seen.headers["cache-control"] == "no-store"
        auditor = await office.visitor(Role.AUDITOR)
        assert "/reveal" not in (await auditor.get(f"{PAGE}/{office.one}")).text


class TestOperators:
    async def test_named_renamed_moved_required_and_ended(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        path = f"/{office.one}/operators"
        (till,) = re.findall(r"<code>(trm_\w+)</code>", (await clerk.get(f"{PAGE}/{office.one}")).text)
        steps: tuple[tuple[str, dict[str, str | list[str]], str], ...] = (
            ("", {"code": "01", "label": "收费窗口", "terminal_ids": [till]}, "收费窗口"),
            ("/01/label", {"label": "二楼窗口", "reason": "搬迁"}, "二楼窗口"),
            ("/01/terminals", {"reason": "机动"}, "全部终端"),
            ("/01/end", {"reason": "离职"}, "已停用"),
        )
        for act, typed, shown in steps:
            form = form_of(await clerk.get(f"{PAGE}/{office.one}"))
            done = await clerk.post(PAGE + path + act, data={**form, **typed})
            assert done.headers["location"].endswith("?done=operator"), text_of(done)
            assert shown in text_of(await clerk.get(done.headers["location"]))
        again = await office.send(path, code="01", label="新人")
        assert (again.status_code, "operator_code_taken" in again.text) == (409, True)
        assert 'value="新人"' in again.text

    async def test_its_own_clerk_names_them_and_requires_them(self, office: Office) -> None:
        own = await office.visitor(Role.INSTITUTION, institution_id=office.one)
        page = f"{PAGE}/own"
        done = await office.send(f"/{office.one}/operators", at=page, code="02", label="药房")
        assert done.headers["location"] == f"{page}?done=operator", text_of(done)
        for required, shown in (("yes", "核销须注明操作员"), ("no", "核销可不注明操作员")):
            typed = {"required": required, "reason": "内部管理"}
            ruled = await office.send(f"/{office.one}/operator-rule", at=page, **typed)
            assert ruled.headers["location"] == f"{page}?done=rule", text_of(ruled)
            assert shown in text_of(await own.get(page))


class TestByName:
    async def test_a_list_is_of_the_institution_whose_name_was_typed(self, office: Office) -> None:
        clerk = await office.visitor(Role.AUDITOR)
        page = await clerk.get(TERMINALS, params={"institution": office.name})
        assert "共 1 条" in text_of(page)
        assert f'value="{office.name}"' in page.text
        assert f"<code>{office.one}</code>" in page.text
        part = office.name.removeprefix("示例·")
        several = await clerk.get(TERMINALS, params={"institution": part})
        assert "不止一家" in several.text
        assert "共 0 条" in text_of(several)
        by_id = await clerk.get(TERMINALS, params={"institution": f"{office.name} · {office.one}"})
        assert "共 1 条" in text_of(by_id)
        for path in ("/console/write-offs", "/console/settlements", "/console/risk/cases", TERMINALS):
            none = await clerk.get(path, params={"institution": "没有这家"})
            assert "没有名称中有“ 没有这家 ”的机构" in text_of(none).replace("“没", "“ 没").replace(
                "家”", "家 ”"
            )

    async def test_typing_brings_suggestions(self, office: Office) -> None:
        clerk = await office.visitor(Role.AUDITOR)
        found = await clerk.get(f"{PAGE}/options", params={"institution": office.name})
        assert found.text.count("<option") == 2
        assert "<html" not in found.text
        assert (await clerk.get(f"{PAGE}/options")).text.count("<option") == 0

    async def test_categories_are_told_by_their_names(self, office: Office) -> None:
        clerk = await office.visitor(Role.AUDITOR)
        asked = {"campaign": office.campaign.slug, "category": "体检医院"}
        for page in (await clerk.get(PAGE, params=asked), await clerk.get(f"{PAGE}/{office.one}")):
            assert "体检医院" in text_of(page)
            assert "checkup_hospital" not in page.text
        english = await clerk.get(f"{PAGE}/{office.one}", headers={"Accept-Language": "en"})
        assert "Check-up hospital" in english.text
        file = await clerk.get(f"{PAGE}/export.xlsx", params=asked)
        assert any("体检医院" in row.cells for row in read_rows(file.content))


class TestHome:
    async def test_an_institution_finds_its_day_and_nothing_of_another(self, office: Office) -> None:
        own = await office.visitor(Role.INSTITUTION, institution_id=office.one)
        first = await own.get("/console")
        assert first.headers["location"] == OWN
        page = await own.get(OWN)
        shown = text_of(page)
        for fact in (office.name, "今日核销 1 笔", "今日抵扣（元） 50.00", "前台1号", "没有待确认的结算单"):
            assert fact in shown, shown
        assert office.other not in page.text

    async def test_what_waits_for_it_is_said_and_confirmed(self, office: Office, clock: ManualClock) -> None:
        day = local_day(clock.now(), "Asia/Shanghai").isoformat()
        await office.desk.settle(office.campaign, day, day)
        own = await office.visitor(Role.INSTITUTION, institution_id=office.one)
        page = await own.get(OWN)
        assert "有 1 份结算单待您确认" in text_of(page)
        (path,) = set(re.findall(r'"(/console/settlements/[0-9a-f-]{36})"', page.text))
        form = form_of(await own.get(path))
        await own.post(f"{path}/confirm", data=form)
        assert "没有待确认的结算单" in text_of(await own.get(OWN))

    async def test_is_for_institutions_only(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        assert (await clerk.get(OWN)).status_code == 403


async def test_a_settlement_is_paid_by_three_people(office: Office, clock: ManualClock) -> None:
    """The institution confirms, one clerk proposes, another approves; each is offered their own step."""
    day = local_day(clock.now(), "Asia/Shanghai").isoformat()
    await office.desk.settle(office.campaign, day, day)
    (one,) = await office.desk.of(office.one)
    path = f"/console/settlements/{one['id']}"
    await office.desk.set_account(office.one, NUMBER)
    own = await office.visitor(Role.INSTITUTION, institution_id=office.one)
    await own.post(f"{path}/confirm", data=form_of(await own.get(path)))
    clerk = await office.visitor(Role.OPERATOR)
    page = await clerk.get(path)
    assert re.findall(r'action="/console/settlements/[^/]+/(\w+)"', page.text) == ["pay"]
    await clerk.post(f"{path}/pay", data=form_of(page))
    waits = await clerk.get(path)
    assert "您提交的变更须由另一位工作人员审批" in waits.text
    assert re.findall(r'action="/console/settlements/[^/]+/(\w+)"', waits.text) == []
    second = await office.visitor(Role.OPERATOR)
    page = await second.get(path)
    assert re.findall(r'action="/console/settlements/[^/]+/(\w+)"', page.text) == ["approve"]
    (change,) = re.findall(r'name="change_id" value="([^"]+)"', page.text)
    approved = await second.post(f"{path}/approve", data={**form_of(page), "change_id": change})
    assert approved.headers["location"] == f"{path}?done=approved", text_of(approved)
    shown = text_of(await second.get(path))
    assert "审批并支付" in shown
    assert "已支付" in shown
    again = await second.post(f"{path}/approve", data={**form_of(page), "change_id": change})
    assert (again.status_code, "already_decided" in again.text) == (409, True)

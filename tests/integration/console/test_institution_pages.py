"""Clerks enter institutions and prepare terminals; an institution sees its own; nobody is led elsewhere."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from services.console.app import create_app as console
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.documents.papers import Grid, Paper
from shared.documents.workbooks import workbook
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.pages import form_of, signed_in, text_of
from tests.support.people import signed_in_staff
from tests.support.settlements import books
from tests.support.tills import Bureau, bureau
from tests.support.vouchers import published

PAGE = "/console/institutions"
NAME = "示例·红河州第一医院"


@dataclass(frozen=True, slots=True)
class Office:
    """A clerk in front of the pages; institution 0 has a terminal, 1 is somebody else's."""

    client: httpx.AsyncClient
    kit: Kit
    bureau: Bureau
    campaign: CampaignRef
    institutions: tuple[str, str]

    async def visitor(self, *roles: Role, institution_id: str | None = None) -> httpx.AsyncClient:
        self.client.cookies.clear()
        return signed_in(self.client, await signed_in_staff(self.kit, *roles, institution_id=institution_id))

    async def send(self, page: str, path: str, **typed: str) -> httpx.Response:
        """The form of a page, sent by the clerk."""
        form = form_of(await self.client.get(PAGE + page))
        return await self.client.post(PAGE + path, data={**form, **typed})


@pytest.fixture(scope="module")
async def office(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Office]:
    apps = {"console": console(settings, clock=clock), "redemption": redemption(settings, clock=clock)}
    async with serving(**apps) as client:
        clerk = await bureau(client, kit)
        campaign = await published(kit, f"pages-{secrets.token_hex(4)}")
        one = await clerk.institution(
            campaign,
            name=NAME,
            county="弥勒市",
            credit_code="91532500MA00000000",
            hours={"mon": ["08:00-12:00", "14:00-17:30"]},
        )
        other = await clerk.institution(campaign, name="示例·别家药店")
        await clerk.till(one)
        await (await books(kit, clerk)).set_account(one, "6222020200112233445")
        yield Office(client, kit, clerk, campaign, (one, other))


class TestDirectory:
    async def test_filters_narrow_the_list_and_its_export(self, office: Office) -> None:
        clerk = await office.visitor(Role.AUDITOR)
        page = await clerk.get(PAGE, params={"campaign": office.campaign.slug, "county": "弥勒市"})
        assert NAME in text_of(page)
        assert "示例·别家药店" not in page.text
        assert "共 1 条" in text_of(page)
        nothing = await clerk.get(PAGE, params={"campaign": office.campaign.slug, "status": "paused"})
        assert "没有符合条件的机构" in nothing.text
        file = await clerk.get(f"{PAGE}/export.xlsx", params={"campaign": office.campaign.slug})
        assert file.content.startswith(b"PK")

    async def test_auditors_read_and_are_offered_nothing_to_do(self, office: Office) -> None:
        clerk = await office.visitor(Role.AUDITOR)
        page = await clerk.get(f"{PAGE}/{office.institutions[0]}")
        assert 'action="/console/institutions/' not in page.text
        for path in ("/new", "/import", f"/{office.institutions[0]}/edit"):
            assert (await clerk.get(PAGE + path)).status_code == 403

    async def test_english_is_there_by_a_switch(self, office: Office) -> None:
        clerk = await office.visitor(Role.AUDITOR)
        page = await clerk.get(f"{PAGE}/{office.institutions[0]}", headers={"Accept-Language": "en"})
        assert "Opening hours" in page.text


class TestOne:
    async def test_shows_all_that_is_kept_and_the_account_masked(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        shown = text_of(await clerk.get(f"{PAGE}/{office.institutions[0]}"))
        for fact in (
            NAME,
            "弥勒市",
            "统一社会信用代码校验不通过",
            "08:00-12:00, 14:00-17:30",
            "前台1号",
            "3445",
        ):
            assert fact in shown, shown
        assert "6222020200112233445" not in shown

    async def test_paused_and_resumed_with_a_reason(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        path = f"/{office.institutions[1]}"
        for act, shown in (("pause", "已暂停"), ("resume", "正常")):
            done = await office.send(path, f"{path}/{act}", reason="核查")
            assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}{path}?done={act}")
            assert shown in text_of(await clerk.get(done.headers["location"]))
        refused = await office.send(path, f"{path}/pause", reason="")
        assert (refused.status_code, "invalid_request" in refused.text) == (422, True)

    async def test_closed_for_good(self, office: Office) -> None:
        await office.visitor(Role.OPERATOR)
        gone = f"/{await office.bureau.institution(office.campaign)}"
        assert (await office.send(gone, f"{gone}/close", reason="退出")).status_code == 303
        again = await office.send(f"/{office.institutions[0]}", f"{gone}/pause", reason="退出")
        assert (again.status_code, "institution_closed" in again.text) == (409, True)

    async def test_edited_and_what_is_refused_stays_typed(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        path = f"/{office.institutions[1]}"
        typed = {"name": "示例·改名药店", "category": "药店", "mon": "8点开门", "reason": "更名"}
        refused = await office.send(f"{path}/edit", f"{path}/edit", **typed)
        assert refused.status_code == 422
        assert 'value="8点开门"' in refused.text
        saved = await office.send(f"{path}/edit", f"{path}/edit", **{**typed, "mon": "08:00–12:00"})
        assert saved.headers["location"] == f"{PAGE}{path}?done=saved"
        shown = text_of(await clerk.get(PAGE + path))
        assert "示例·改名药店" in shown
        assert "08:00-12:00" in shown

    async def test_entered_by_hand(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        typed = {
            "name": "示例·新诊所",
            "category": "诊所",
            "campaign": office.campaign.slug,
            "accepts": "checkup",
        }
        made = await office.send("/new", "/new", **typed)
        assert made.status_code == 303, text_of(made)
        assert "示例·新诊所" in text_of(await clerk.get(made.headers["location"]))
        wrong = await office.send("/new", "/new", **{**typed, "accepts": "nothing"})
        assert (wrong.status_code, 'value="示例·新诊所"' in wrong.text) == (422, True)


class TestTerminals:
    async def test_a_code_is_shown_once_and_stands_in_no_address(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        path = f"/{office.institutions[1]}"
        made = await office.send(path, f"{path}/terminals", label="收费窗口")
        assert made.status_code == 200
        (code,) = re.findall(r'class="big-code">([^<]+)<', made.text)
        assert made.headers["cache-control"] == "no-store"
        after = await clerk.get(PAGE + path)
        assert code not in after.text
        (terminal,) = re.findall(r"<code>(trm_[0-9a-z]{12})</code>", after.text)
        renewed = await office.send(path, f"{path}/terminals/{terminal}/activation-code", reason="丢失")
        (second,) = re.findall(r'class="big-code">([^<]+)<', renewed.text)
        assert second != code
        revoked = await office.send(path, f"{path}/terminals/{terminal}/revoke", reason="报废")
        assert revoked.headers["location"] == f"{PAGE}{path}?done=revoke"
        refused = await office.send(path, f"{path}/terminals/{terminal}/pause", reason="报废")
        assert refused.status_code in {404, 409}

    async def test_a_form_of_elsewhere_is_refused(self, office: Office) -> None:
        await office.visitor(Role.OPERATOR)
        path = f"/{office.institutions[1]}"
        foreign = await office.send(path, f"{path}/pause", reason="x", form_token="0" * 64)
        assert foreign.status_code == 403


class TestImport:
    async def upload(self, office: Office, rows: list[list[str]], step: str) -> httpx.Response:
        grid = Grid(("名称", "类别", "受理券种"), rows, (20, 20, 20))
        form = form_of(await office.client.get(f"{PAGE}/import"))
        return await office.client.post(
            f"{PAGE}/import",
            data={**form, "campaign": office.campaign.slug, "step": step},
            files={"file": ("机构.xlsx", workbook([Paper("机构", "", (grid,))]))},
        )

    async def test_checked_imported_and_undone(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        good, bad = ["示例·导入诊所", "诊所", "健康体检券"], ["示例·坏行", "诊所", "没有这种券"]
        checked = await self.upload(office, [good, bad], "check")
        shown = text_of(checked)
        assert "可导入 1" in shown, shown
        assert "有问题 1" in shown
        assert "确认导入 1 行" in shown
        search = {"campaign": office.campaign.slug, "q": "导入诊所"}
        assert "没有符合条件" in (await clerk.get(PAGE, params=search)).text
        done = await self.upload(office, [good], "import")
        assert done.status_code == 303, text_of(done)
        assert "示例·导入诊所" in (await clerk.get(PAGE, params=search)).text
        page = await clerk.get(f"{PAGE}/import", params={"campaign": office.campaign.slug})
        (undo,) = re.findall(r'action="(/console/institutions/import/[^"]+/undo)"', page.text)
        undone = await clerk.post(undo, data={**form_of(page), "reason": "传错了"})
        assert "移除 1" in text_of(undone), text_of(undone)

    async def test_a_template_is_there_and_no_file_is_said(self, office: Office) -> None:
        clerk = await office.visitor(Role.OPERATOR)
        assert (await clerk.get(f"{PAGE}/import/template.xlsx")).content.startswith(b"PK")
        form = {**form_of(await clerk.get(f"{PAGE}/import")), "campaign": office.campaign.slug}
        refused = await clerk.post(f"{PAGE}/import", data=form)
        assert refused.status_code == 422, refused.status_code


class TestOwn:
    async def test_an_institution_sees_its_own_terminals_and_changes_its_operators_only(
        self, office: Office
    ) -> None:
        own = await office.visitor(Role.INSTITUTION, institution_id=office.institutions[0])
        page = await own.get(f"{PAGE}/own")
        assert "前台1号" in text_of(page)
        acts = set(re.findall(r'action="/console/institutions/[^/]+/([a-z-]+)', page.text))
        assert acts == {"operators", "operator-rule"}

    @pytest.mark.parametrize(
        "path", ["", "/{other}", "/{own}", "/{other}/edit", "/import", "/new", "/export.xlsx"]
    )
    async def test_no_address_leads_it_elsewhere(self, office: Office, path: str) -> None:
        own, other = office.institutions
        visitor = await office.visitor(Role.INSTITUTION, institution_id=own)
        refused = await visitor.get(PAGE + path.format(own=own, other=other))
        assert refused.status_code == 403
        assert "示例" not in text_of(refused).replace("均为示例", "")

    async def test_nor_does_a_form(self, office: Office) -> None:
        own, other = office.institutions
        visitor = await office.visitor(Role.INSTITUTION, institution_id=own)
        form = {**form_of(await visitor.get(f"{PAGE}/own")), "reason": "x"}
        for path in (
            f"/{other}/pause",
            f"/{own}/pause",
            f"/{own}/terminals",
            f"/{own}/edit",
            f"/{own}/contract-prices",
            f"/{own}/payee-accounts",
            f"/{other}/operators",
            f"/{other}/operators/01/label",
            f"/{other}/operators/01/end",
            f"/{other}/operator-rule",
        ):
            typed = {**form, "code": "01", "label": "x", "required": "yes"}
            refused = await visitor.post(PAGE + path, data=typed)
            assert (refused.status_code, other in refused.text) == (403, False), path

    async def test_staff_of_neither_are_refused(self, office: Office) -> None:
        hospital = signed_in(
            office.client, await signed_in_staff(office.kit, Role.HOSPITAL, hospital_id="hos_x")
        )
        for path in ("", "/own", f"/{office.institutions[0]}"):
            assert (await hospital.get(PAGE + path)).status_code == 403

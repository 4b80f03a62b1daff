"""The changes inbox: what waits in all services, four eyes, and every refusal as a sentence."""

import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest

from services.console.changewords.rules import KINDS
from services.issuance.app import create_app as issuance
from services.quota.app import create_app as quota
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.settings import Settings
from tests.support.campaigns import publish_campaign
from tests.support.pages import form_of, signed_in, text_of, whole_console
from tests.support.people import signed_in_staff

PAGE = "/console/changes"


@dataclass(frozen=True, slots=True)
class Desk:
    """Two people of the bureau, and a campaign with stock."""

    client: httpx.AsyncClient
    proposer: dict[str, str]
    approver: dict[str, str]
    slug: str

    async def proposed(self, act: str, **body: object) -> str:
        path = f"/issuance/v1/campaigns/{self.slug}/phases/1/{act}"
        answer = await self.client.post(path, json={"reason": "节前放量", **body}, headers=self.proposer)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["change_id"])

    def seen_by(self, headers: dict[str, str]) -> httpx.AsyncClient:
        self.client.cookies.clear()
        return signed_in(self.client, headers)

    async def decided(self, headers: dict[str, str], change: str, act: str, **form: str) -> httpx.Response:
        visitor = self.seen_by(headers)
        token = form_of(await visitor.get(PAGE))
        return await visitor.post(f"{PAGE}/issuance/{change}/{act}", data={**token, **form})


@pytest.fixture(scope="module")
async def desk(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Desk]:
    async with whole_console(settings, clock) as client:
        campaign = await publish_campaign(kit, slug=f"inbox-{secrets.token_hex(4)}")
        proposer, approver = [await signed_in_staff(kit, Role.OPERATOR) for _ in range(2)]
        yield Desk(client, proposer, approver, campaign.slug)


def test_every_kind_that_the_services_decide_has_its_words(settings: Settings, clock: ManualClock) -> None:
    known: set[str] = set()
    for create in (issuance, redemption, quota):
        known |= set(create(settings, clock=clock).state.wiring.approvals.appliers)
    assert known == set(KINDS)


async def test_a_change_is_shown_before_and_after_with_who_proposed_it_and_why(desk: Desk) -> None:
    change = await desk.proposed("odds", odds="0.125")
    page = await desk.seen_by(desk.approver).get(PAGE)
    shown = text_of(page)
    assert page.status_code == 200
    for fact in ("调整中奖率", "全民健康消费券测试活动", "节前放量", "中奖率 20% 12.5%", "待审批"):
        assert fact in shown, shown
    assert f"{PAGE}/issuance/{change}/approve" in page.text
    listed = await desk.client.get("/issuance/v1/changes?status=pending&limit=1", headers=desk.approver)
    everywhere = [
        (await desk.client.get(f"/{service}/v1/changes?status=pending", headers=desk.approver)).json()[
            "total"
        ]
        for service in ("issuance", "redemption", "quota")
    ]
    assert (listed.json()["total"] >= 1, f"共 {sum(everywhere)} 条" in shown) == (True, True)
    english = text_of(await desk.client.get(PAGE, headers={"Accept-Language": "en"}))
    assert "odds 20% 12.5%" in english


async def test_the_proposer_is_told_that_another_person_decides_and_may_withdraw(desk: Desk) -> None:
    change = await desk.proposed("odds", odds="0.15")
    page = await desk.seen_by(desk.proposer).get(PAGE)
    assert "您提交的变更须由另一位工作人员审批" in page.text
    assert f"{PAGE}/issuance/{change}/approve" not in page.text
    refused = await desk.decided(desk.proposer, change, "approve")
    assert (refused.status_code, "不能审批自己提交的变更" in refused.text) == (403, True)
    assert "same_person" in refused.text
    withdrawn = await desk.decided(desk.proposer, change, "reject", reason="写错了")
    assert (withdrawn.status_code, withdrawn.headers["location"]) == (303, f"{PAGE}?done=rejected")
    shown = text_of(await desk.client.get(PAGE, params={"status": "rejected"}))
    assert "意见： 写错了" in shown


async def test_another_person_approves_once(desk: Desk) -> None:
    change = await desk.proposed("stock", voucher_type="checkup", delta=5)
    done = await desk.decided(desk.approver, change, "approve")
    assert (done.status_code, done.headers["location"]) == (303, f"{PAGE}?done=applied")
    again = await desk.decided(desk.approver, change, "approve")
    assert (again.status_code, "already_decided" in again.text) == (409, True)
    assert "该变更已有审批结论" in again.text
    shown = text_of(await desk.client.get(PAGE, params={"status": "applied", "service": "issuance"}))
    assert "调整库存" in shown
    assert "券种 checkup券" in shown
    assert "+5 张" in shown


async def test_a_change_that_no_longer_fits_says_so_and_stays(desk: Desk) -> None:
    changes = [await desk.proposed("stock", voucher_type="fitness", delta=-15) for _ in range(2)]
    assert (await desk.decided(desk.approver, changes[0], "approve")).status_code == 303
    refused = await desk.decided(desk.approver, changes[1], "approve")
    assert (refused.status_code, "no_longer_fits" in refused.text) == (409, True)
    assert "库存不足以减少" in refused.text
    assert f'id="c-{changes[1]}"' in refused.text


async def test_a_rejection_needs_a_reason(desk: Desk) -> None:
    change = await desk.proposed("odds", odds="0.3")
    refused = await desk.decided(desk.approver, change, "reject", reason=" ")
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text


async def test_who_may_not_decide_sees_no_buttons_and_is_refused(desk: Desk, kit: Kit) -> None:
    change = await desk.proposed("odds", odds="0.31")
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    page = await desk.seen_by(auditor).get(PAGE)
    assert (page.status_code, "/approve" in page.text) == (200, False)
    assert (await desk.decided(auditor, change, "approve")).status_code == 403
    hospital = await signed_in_staff(kit, Role.HOSPITAL, hospital_id="none")
    assert (await desk.seen_by(hospital).get(PAGE)).status_code == 403
    assert (await desk.seen_by(desk.approver).post(f"{PAGE}/issuance/{change}/approve")).status_code == 403


async def test_the_list_is_a_workbook_too(desk: Desk) -> None:
    await desk.proposed("odds", odds="0.2", reason="=1+1")
    answer = await desk.seen_by(desk.approver).get(f"{PAGE}/export.xlsx")
    assert answer.headers["content-type"].endswith("sheet")
    rows = [row.cells for row in read_rows(answer.content)]
    assert any("=1+1" in row and "调整中奖率" in row for row in rows), rows[:4]

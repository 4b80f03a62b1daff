"""Cases are decided, released and taken back on their page; institutions are ranked and months proposed."""

import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

import httpx
import pytest

from services.console.app import create_app as console
from services.redemption.app import create_app as redemption
from shared.clock import ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.jobs.kinds import Kind
from shared.kit import Kit
from shared.settings import Settings
from tests.support.cases import DAY, Scene
from tests.support.drain import dead_letter
from tests.support.http import serving
from tests.support.pages import form_of, signed_in, text_of
from tests.support.people import signed_in_staff
from tests.support.settlements import books
from tests.support.tills import bureau
from tests.support.vouchers import published

CASES, RANKING, FAILED = "/console/risk/cases", "/console/institution-rankings", "/console/risk/failed-days"


@dataclass(frozen=True, slots=True)
class Watch:
    client: httpx.AsyncClient
    scene: Scene
    case: str

    async def visitor(self, *roles: Role, **bound: str) -> httpx.AsyncClient:
        self.client.cookies.clear()
        return signed_in(self.client, await signed_in_staff(self.scene.kit, *roles, **bound))

    async def send(self, page: str, path: str, **typed: str) -> httpx.Response:
        return await self.client.post(path, data={**form_of(await self.client.get(page)), **typed})


@pytest.fixture(scope="module")
async def watch(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Watch]:
    apps = {"console": console(settings, clock=clock), "redemption": redemption(settings, clock=clock)}
    async with serving(**apps) as client:
        clock.set(max(datetime.fromisoformat(f"{DAY}T10:00:00+08:00"), clock.now()))
        staff = await bureau(client, kit)
        campaign = await published(kit, f"watch-{secrets.token_hex(4)}")
        institution = await staff.institution(campaign)
        scene = Scene(kit, clock, staff, campaign, institution, await staff.till(institution))
        await scene.write_off()
        await scene.work()
        yield Watch(client, scene, f"{CASES}/{(await scene.case())['id']}")


class TestCases:
    async def test_listed_filtered_and_exported(self, watch: Watch) -> None:
        clerk = await watch.visitor(Role.AUDITOR)
        asked = {"campaign": watch.scene.campaign.slug, "kind": "burst"}
        page = await clerk.get(CASES, params=asked)
        assert "共 1 条" in text_of(page)
        assert "暂不结算" in text_of(page)
        assert "没有符合条件" in (await clerk.get(CASES, params={**asked, "status": "decided"})).text
        for file in (f"{CASES}/export.xlsx", f"{watch.case}/case.xlsx"):
            assert (await clerk.get(file)).content.startswith(b"PK")

    async def test_decided_released_and_opened_again(self, watch: Watch) -> None:
        clerk = await watch.visitor(Role.OPERATOR)
        page = await clerk.get(watch.case)
        assert "领取后十分钟内核销的占比 实测 100.0%" in text_of(page)
        refused = await watch.send(watch.case, f"{watch.case}/decide", decision="watch", note="")
        assert refused.status_code == 422
        steps = (
            ("decide", {"decision": "hold_settlement", "note": "已现场核查"}, "decided", "暂扣"),
            ("release", {"reason": "核查无误"}, "released", "已解除暂扣"),
            ("reopen", {"reason": "补充核查"}, "reopened", "待处理"),
        )
        for act, typed, done, shown in steps:
            answer = await watch.send(watch.case, f"{watch.case}/{act}", **typed)
            assert answer.headers["location"] == f"{watch.case}?done={done}", text_of(answer)
            assert shown in text_of(await clerk.get(answer.headers["location"]))
        again = await watch.send(watch.case, f"{watch.case}/reopen", reason="再来")
        assert again.status_code == 409
        assert 'role="alert"' in again.text

    async def test_an_auditor_is_offered_no_decision(self, watch: Watch) -> None:
        clerk = await watch.visitor(Role.AUDITOR)
        assert "/decide" not in (await clerk.get(watch.case)).text
        refused = await watch.send(watch.case, f"{watch.case}/decide", decision="watch", note="x")
        assert refused.status_code == 403

    async def test_failed_days_have_their_list(self, watch: Watch) -> None:
        clerk = await watch.visitor(Role.OPERATOR)
        assert "没有失败的日期" in (await clerk.get(FAILED)).text
        form = form_of(await clerk.get(watch.case))
        unknown = await clerk.post(f"{FAILED}/00{'0' * 32}/retry", data=form)
        assert unknown.status_code == 404

    async def test_failed_days_are_shown_counted_and_exported_of_one_institution(self, watch: Watch) -> None:
        scene, names = watch.scene, {}
        for one in (scene.institution, await scene.staff.institution(scene.campaign)):
            names[one] = (await scene.staff.get(f"/institutions/{one}")).json()["name"]
            about = {"campaign_id": str(scene.campaign.id), "institution_id": one, "day": DAY}
            await dead_letter(scene.kit, Kind.RISK_DAY_DEFERRED, about)
        clerk = await watch.visitor(Role.OPERATOR)
        everything = (await clerk.get(FAILED)).text
        assert all(f'href="/console/institutions/{one}"' in everything for one in names)
        for one, name in names.items():
            page = await clerk.get(FAILED, params={"institution": f"{name} {one}"})
            assert "共 1 条" in text_of(page)
            assert re.findall(r'href="/console/institutions/(ins_\w+)"', page.text) == [one]
            export = f"{FAILED}/export.xlsx?institution_id={one}"
            assert f'href="{export}"' in page.text
            rows = [row.cells for row in read_rows((await clerk.get(export)).content)]
            assert [cells[1] for cells in rows if cells[0] == DAY] == [name]
        unclear = text_of(await clerk.get(FAILED, params={"institution": "没有这家"}))
        assert "没有名称中有" in unclear
        assert "共 0 条" in unclear


class TestRanking:
    async def test_live_then_proposed_and_frozen(self, watch: Watch) -> None:
        clerk = await watch.visitor(Role.OPERATOR)
        asked = {"campaign": watch.scene.campaign.slug}
        page = await clerk.get(RANKING, params=asked)
        assert "实时" in text_of(page)
        month = f"{watch.scene.clock.now():%Y-%m}"
        form = {**form_of(page), **asked, "month": month}
        early = await clerk.post(f"{RANKING}/freeze", data=form)
        assert (early.status_code, "month_not_over" in early.text) == (409, True)
        watch.scene.clock.advance(days=40)
        desk = await books(watch.scene.kit, watch.scene.staff)
        done = await clerk.post(f"{RANKING}/freeze", data={**form, "request_no": secrets.token_hex(8)})
        assert done.status_code == 303, text_of(done)
        assert "变更审批" in text_of(await clerk.get(done.headers["location"]))
        changes = await watch.client.get(
            "/redemption/v1/changes", params={"status": "pending"}, headers=desk.other
        )
        (change,) = [one for one in changes.json()["items"] if one["kind"].startswith("ranking")]
        path = f"/redemption/v1/changes/{change['change_id']}/approve"
        assert (await watch.client.post(path, json={}, headers=desk.other)).status_code == 200
        frozen = text_of(await clerk.get(RANKING, params={**asked, "month": month}))
        assert "已冻结 第 1 版" in frozen
        assert f"{month} 第 1 版" in frozen
        for kind, begins in (("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf")):
            file = await clerk.get(f"{RANKING}/ranking.{kind}", params={**asked, "month": month})
            assert file.content.startswith(begins)


@pytest.mark.parametrize("path", [CASES, FAILED, RANKING, f"{CASES}/export.xlsx", f"{RANKING}/ranking.csv"])
async def test_these_pages_are_for_the_bureau(watch: Watch, path: str) -> None:
    own = await watch.visitor(Role.INSTITUTION, institution_id=watch.scene.institution)
    for address in (path, watch.case):
        refused = await own.get(address)
        assert refused.status_code == 403
        assert watch.scene.institution not in refused.text

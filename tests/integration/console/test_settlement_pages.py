"""Write-offs and settlements as clerks and institutions see them: each act, each refusal, and whose rows."""

import csv
import io
import re
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass

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
from tests.support.vouchers import held_vouchers, published

LIST, SETTLED = "/console/write-offs", "/console/settlements"


@dataclass(frozen=True, slots=True)
class Counter:
    """Two institutions with three write-offs each, settled; the second's are somebody else's."""

    client: httpx.AsyncClient
    kit: Kit
    desk: Books
    campaign: CampaignRef
    day: str
    institutions: tuple[str, str]
    redeemed: tuple[list[str], list[str]]
    free: str

    async def visitor(self, *roles: Role, institution_id: str | None = None) -> httpx.AsyncClient:
        self.client.cookies.clear()
        headers = await signed_in_staff(self.kit, *roles, institution_id=institution_id)
        return signed_in(self.client, headers)

    async def own(self, place: int = 0) -> httpx.AsyncClient:
        return await self.visitor(Role.INSTITUTION, institution_id=self.institutions[place])

    async def settlement(self, place: int = 0) -> str:
        (one,) = await self.desk.of(self.institutions[place])
        return f"{SETTLED}/{one['id']}"

    async def act(self, page: str, act: str, **typed: str | list[str]) -> httpx.Response:
        """A form of a page, sent by whoever is signed in."""
        form = form_of(await self.client.get(page))
        return await self.client.post(f"{page}{act}", data={**form, **typed})


@pytest.fixture(scope="module")
async def counter(settings: Settings, clock: ManualClock, kit: Kit) -> AsyncIterator[Counter]:
    apps = {"console": console(settings, clock=clock), "redemption": redemption(settings, clock=clock)}
    async with serving(**apps) as client:
        clerk = await bureau(client, kit)
        desk = await books(kit, clerk)
        campaign = await published(kit, f"counter-{secrets.token_hex(4)}")
        one, other = [await clerk.institution(campaign) for _ in range(2)]
        vouchers = list(await held_vouchers(kit, campaign, "general_50", 7))
        redeemed: tuple[list[str], list[str]] = ([], [])
        tills = [await clerk.till(one), await clerk.till(other)]
        for place, till in enumerate(tills):
            for _ in range(3):
                done = await till.redeem(vouchers.pop().code, 6_001)
                redeemed[place].append(done.id)
        day = local_day(clock.now(), "Asia/Shanghai").isoformat()
        await desk.settle(campaign, day, day)
        free = (await tills[0].redeem(vouchers.pop().code, 5_500)).id
        yield Counter(client, kit, desk, campaign, day, (one, other), redeemed, free)


class TestWriteOffs:
    async def test_searched_by_institution_and_day_and_exported(self, counter: Counter) -> None:
        clerk = await counter.visitor(Role.AUDITOR)
        asked = {"institution_id": counter.institutions[0], "from": counter.day, "to": counter.day}
        page = await clerk.get(LIST, params=asked)
        assert "共 4 条" in text_of(page)
        assert counter.redeemed[1][0] not in page.text
        file = await clerk.get(f"{LIST}/export.xlsx", params=asked)
        assert sum("已核销" in row.cells for row in read_rows(file.content)) == 4
        wrong = await clerk.get(LIST, params={"from": "gestern"})
        assert (wrong.status_code, 'value="gestern"' in wrong.text) == (422, True)

    async def test_one_tells_its_settlement_and_takes_a_correction(self, counter: Counter) -> None:
        clerk = await counter.visitor(Role.OPERATOR)
        settled = f"{LIST}/{counter.redeemed[1][0]}"
        page = await clerk.get(settled)
        assert f"{counter.day} – {counter.day}" in text_of(page)
        refused = await counter.act(settled, "/reverse", reason="错")
        assert (refused.status_code, "already_settled" in refused.text) == (409, True)
        done = await counter.act(settled, "/correct", reason="重复收费")
        assert done.headers["location"] == f"{settled}?done=proposed"
        assert "变更审批" in text_of(await clerk.get(done.headers["location"]))

    async def test_an_unsettled_one_is_reversed_by_two(self, counter: Counter) -> None:
        await counter.visitor(Role.OPERATOR)
        done = await counter.act(f"{LIST}/{counter.free}", "/reverse", reason="顾客退费")
        assert done.status_code == 303

    async def test_conflicts_and_manual_ones_have_their_lists(self, counter: Counter) -> None:
        clerk = await counter.visitor(Role.AUDITOR)
        for path, empty in (("/conflicts", "没有离线冲突"), ("/manual", "没有人工核销")):
            page = await clerk.get(LIST + path, params={"campaign": counter.campaign.slug})
            assert empty in page.text

    async def test_a_code_comes_by_a_form_only(self, counter: Counter) -> None:
        clerk = await counter.visitor(Role.AUDITOR)
        form = form_of(await clerk.get(LIST))
        unknown = await clerk.post(f"{LIST}/by-code", data={**form, "code": "0000-0000-0000-0000"})
        assert unknown.status_code == 404
        assert "0000-0000-0000-0000" not in str(unknown.url)


class TestSettlements:
    async def test_a_period_is_run_and_its_progress_stops_by_itself(self, counter: Counter) -> None:
        clerk = await counter.visitor(Role.OPERATOR)
        form = {**form_of(await clerk.get(SETTLED)), "campaign": counter.campaign.slug}
        period = {"from": "2019-01-01", "to": "2019-01-02"}
        backwards = await clerk.post(SETTLED, data={**form, "from": "2019-01-03", "to": "2019-01-02"})
        assert backwards.status_code == 422
        asked = await clerk.post(SETTLED, data={**form, **period})
        assert asked.status_code == 303
        run = asked.headers["location"]
        waiting = await clerk.get(run, headers={"HX-Request": "true"})
        assert (waiting.status_code, 'hx-trigger="every 1s"' in waiting.text) == (200, True)
        await counter.desk.work()
        done = await clerk.get(run, headers={"HX-Request": "true"})
        assert (done.status_code, "hx-trigger" in done.text) == (286, False)
        assert "已完成" in text_of(done)
        assert (await clerk.get(run)).status_code == 200

    async def test_listed_with_totals_per_payer(self, counter: Counter) -> None:
        clerk = await counter.visitor(Role.AUDITOR)
        page = await clerk.get(SETTLED, params={"campaign": counter.campaign.slug})
        shown = text_of(page)
        assert "全部合计 6 300.00" in shown, shown
        assert "其中：州本级财政 100.02" in shown
        assert "prefecture_treasury" not in page.text
        only = await clerk.get(SETTLED, params={"campaign": counter.campaign.slug, "disputed": "true"})
        assert "没有符合条件的结算单" in only.text
        listed = await clerk.get(f"{SETTLED}/export.xlsx", params={"campaign": counter.campaign.slug})
        assert listed.content.startswith(b"PK")
        summary = await clerk.get(f"{SETTLED}/summary.xlsx", params={"campaign": counter.campaign.slug})
        assert summary.content.startswith(b"PK")
        refused = await clerk.get(f"{SETTLED}/payment-file", params={"campaign": counter.campaign.slug})
        assert refused.status_code == 403

    async def test_what_is_held_back_has_its_list(self, counter: Counter) -> None:
        clerk = await counter.visitor(Role.AUDITOR)
        assert "没有暂不结算的核销" in (await clerk.get(f"{SETTLED}/held-back?waiting=true")).text

    async def test_statements_come_as_workbook_and_for_the_stamp(self, counter: Counter) -> None:
        own = await counter.own()
        path = await counter.settlement()
        assert (await own.get(f"{path}/statement.xlsx")).content.startswith(b"PK")
        assert (await own.get(f"{path}/statement.pdf")).content.startswith(b"%PDF")
        assert (await own.get(f"{path}/statement.exe")).status_code == 404

    async def test_disputed_answered_confirmed_and_proposed_for_payment(self, counter: Counter) -> None:
        path = await counter.settlement()
        own = await counter.own()
        assert "50.00" in text_of(await own.get(path))
        disputed = await counter.act(path, "/dispute", note="少计一笔")
        assert disputed.headers["location"] == f"{path}?done=disputed"
        clerk = await counter.visitor(Role.OPERATOR)
        page = await clerk.get(path)
        assert "少计一笔" in text_of(page)
        nothing = await counter.act(path, "/resolve", outcome="upheld", reason="属实")
        assert (nothing.status_code, 'value="属实"' in nothing.text) == (422, True)
        answered = await counter.act(path, "/resolve", outcome="rejected", reason="已核对无误")
        assert answered.headers["location"] == f"{path}?done=rejected"
        early = await counter.act(path, "/pay")
        assert (early.status_code, "settlement_not_confirmed" in early.text) == (409, True)
        await counter.own()
        confirmed = await counter.act(path, "/confirm")
        assert confirmed.headers["location"] == f"{path}?done=confirmed"
        await counter.desk.set_account(counter.institutions[0], "6222020200112233445")
        await counter.visitor(Role.OPERATOR)
        paid = await counter.act(path, "/pay")
        assert paid.headers["location"] == f"{path}?done=proposed", text_of(paid)
        file = await counter.client.get(f"{SETTLED}/payment-file", params={"campaign": counter.campaign.slug})
        assert "6222020200112233445" in file.text

    async def test_a_dispute_that_is_right_names_what_is_taken_out(self, counter: Counter) -> None:
        path = await counter.settlement(1)
        await counter.own(1)
        await counter.act(path, "/dispute", note="第一笔是误操作")
        await counter.visitor(Role.OPERATOR)
        upheld = await counter.act(
            path, "/resolve", outcome="upheld", reason="属实", withdraw=[counter.redeemed[1][1]]
        )
        assert upheld.headers["location"] == f"{path}?done=proposed", text_of(upheld)


class TestReconciliation:
    async def test_shows_what_only_one_side_has_and_keeps_the_workbook(self, counter: Counter) -> None:
        own = await counter.own(1)
        table = io.StringIO()
        csv.writer(table).writerows([["请求号", "抵扣金额（元）"], ["not-ours-1", "50.00"]])
        form = form_of(await own.get("/console/reconciliations"))
        period = {"institution_id": counter.institutions[1], "from": counter.day, "to": counter.day}
        files = {"file": ("清单.csv", table.getvalue().encode("utf-8-sig"))}
        page = await own.post("/console/reconciliations", data={**form, **period}, files=files)
        shown = text_of(page)
        assert "仅我方有 3" in shown, shown
        assert "我方没有" in shown
        (book,) = set(re.findall(r'"(/console/reconciliations/[^"]+/workbook.xlsx)"', page.text))
        assert (await own.get(book)).content.startswith(b"PK")
        stranger = await counter.own(0)
        assert (await stranger.get(book)).status_code == 403
        foreign = await stranger.post(
            "/console/reconciliations",
            data={**form_of(await stranger.get("/console/reconciliations")), **period},
            files=files,
        )
        assert (foreign.status_code, "forbidden" in foreign.text) == (403, True)


class TestBorders:
    async def test_an_institution_sees_its_own_rows_only(self, counter: Counter) -> None:
        own = await counter.own()
        for page in (LIST, SETTLED):
            shown = (await own.get(page)).text
            assert counter.institutions[1] not in shown
        assert counter.redeemed[0][0] in (await own.get(LIST)).text

    async def test_no_id_in_an_address_leads_to_another_s(self, counter: Counter) -> None:
        own, foreign = await counter.own(), await counter.settlement(1)
        for path in (
            f"{LIST}/{counter.redeemed[1][0]}",
            f"{LIST}?institution_id={counter.institutions[1]}",
            f"{SETTLED}?institution_id={counter.institutions[1]}",
            f"{SETTLED}/held-back?institution_id={counter.institutions[1]}",
            foreign,
            f"{foreign}/statement.xlsx",
            f"{foreign}/statement.pdf",
            f"{SETTLED}/summary.xlsx?campaign={counter.campaign.slug}",
            f"{SETTLED}/payment-file?campaign={counter.campaign.slug}",
            f"{LIST}/manual",
            f"{LIST}/conflicts",
            f"{LIST}/manual/export.xlsx?campaign={counter.campaign.slug}",
            f"{LIST}/conflicts/export.xlsx",
            f"{LIST}/export.xlsx?institution_id={counter.institutions[1]}",
            f"{SETTLED}/export.xlsx?institution_id={counter.institutions[1]}",
            f"{SETTLED}/held-back/export.xlsx?institution_id={counter.institutions[1]}",
            f"/console/reconciliations?institution_id={counter.institutions[1]}",
            f"/console/reconciliations/export.xlsx?institution_id={counter.institutions[1]}",
            "/console/terminals",
            "/console/terminals/export.xlsx",
            "/console/institutions/options?institution=x",
        ):
            refused = await own.get(path)
            assert refused.status_code == 403, path
            assert counter.redeemed[1][1] not in refused.text

    async def test_nor_does_a_form(self, counter: Counter) -> None:
        own, foreign = await counter.own(), await counter.settlement(1)
        form = {**form_of(await own.get(LIST)), "note": "x", "reason": "x", "outcome": "rejected"}
        for path in (
            *(f"{foreign}/{act}" for act in ("confirm", "dispute", "pay", "resolve")),
            f"{LIST}/{counter.redeemed[1][0]}/reverse",
            f"{LIST}/{counter.redeemed[0][0]}/correct",
            f"{foreign}/approve",
            SETTLED,
        ):
            assert (await own.post(path, data=form)).status_code == 403, path
        mine = f"{await counter.settlement()}/confirm"
        assert (await own.post(mine, data={**form, "form_token": "0" * 64})).status_code == 403

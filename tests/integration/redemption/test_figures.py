"""Figures are exact at every instant, counted once by the jobs, and shown to whom they concern."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from services.redemption.wiring import build
from services.redemption.worker import parts
from shared import ledger
from shared.clients.terminal import OfflineItem, TerminalClient
from shared.clock import ManualClock
from shared.identity.staff import Role
from shared.jobs.runner import Runner
from shared.kit import Kit
from shared.metrics.store import fold
from shared.vouchers import catalogue
from shared.vouchers.catalogue import CampaignRef
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.tills import Bureau
from tests.support.vouchers import PAYERS, HeldVoucher, held_vouchers, published


@dataclass(frozen=True, slots=True)
class Town:
    """Two institutions of a campaign of their own, a day and a night of write-offs."""

    campaign: CampaignRef
    institutions: tuple[str, str, str]
    tills: tuple[TerminalClient, TerminalClient]
    vouchers: Sequence[HeldVoucher]


async def played(kit: Kit, clock: ManualClock, staff: Bureau) -> Town:
    clock.set(datetime.fromisoformat("2020-11-30T20:00:00+08:00"))
    campaign = await published(kit, f"figures-{secrets.token_hex(4)}")
    first, second, idle = [
        await staff.institution(campaign, name=f"示例·{name}") for name in ("甲", "乙", "丙")
    ]
    one, two = await staff.till(first), await staff.till(second)
    general = list(await held_vouchers(kit, campaign, "general_50", 4))
    directed = list(await held_vouchers(kit, campaign, "checkup", 3))
    await one.redeem(general[0].code, 3_001)
    undone = await one.redeem(general[1].code, 5_000)
    await one.redeem(directed[0].code)
    await two.redeem(directed[1].code)
    clock.advance(hours=6)  # the first of December
    await two.redeem(general[2].code, 777)
    await one.reverse(undone.request_no, "x")
    used_at = clock.now() - timedelta(hours=3)
    await two.upload(secrets.token_hex(4), [OfflineItem(secrets.token_hex(4), directed[2].code, used_at)])
    await two.upload(secrets.token_hex(4), [OfflineItem(secrets.token_hex(4), directed[0].code, used_at)])
    return Town(campaign, (first, second, idle), (one, two), general + directed)


@pytest.fixture(scope="module")
async def town(kit: Kit, clock: ManualClock, staff: Bureau) -> Town:
    return await played(kit, clock, staff)


async def metrics(staff: Bureau, town: Town) -> dict[str, Any]:
    answer = await staff.get("/metrics", campaign=town.campaign.slug)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


class TestMetrics:
    async def test_live_write_offs_count_and_reversed_ones_stand_apart(
        self, staff: Bureau, town: Town
    ) -> None:
        found = await metrics(staff, town)
        applied_fen = 3_001 + 30_000 * 3 + 777
        assert (found["redeemed"], found["reversed"], found["applied_fen"]) == (5, 1, applied_fen)
        assert found["by_voucher_type"] == {"checkup": 3, "general_50": 2}
        assert list(found["by_funding_source"]) == [payer.key for payer in PAYERS]
        assert sum(found["by_funding_source"].values()) == applied_fen
        first, second, idle = town.institutions
        assert found["by_institution"] == [
            {"institution_id": second, "name": "示例·乙", "count": 3, "applied_fen": 60_777},
            {"institution_id": first, "name": "示例·甲", "count": 2, "applied_fen": 33_001},
            {"institution_id": idle, "name": "示例·丙", "count": 0, "applied_fen": 0},
        ]
        assert found["daily"] == [
            {"date": "2020-11-30", "redeemed": 4, "reversed": 0, "applied_fen": 68_001},
            {"date": "2020-12-01", "redeemed": 1, "reversed": 1, "applied_fen": 25_777},
        ]
        assert found["open_cases"] == 1

    async def test_are_the_same_before_and_after_folding(self, kit: Kit, staff: Bureau, town: Town) -> None:
        before = await metrics(staff, town)
        async with kit.database.transaction() as tx:
            assert await fold(tx) > 0
        assert await metrics(staff, town) == before

    async def test_of_all_campaigns(self, staff: Bureau, town: Town) -> None:
        everything = (await staff.get("/metrics")).json()
        assert everything["redeemed"] >= (await metrics(staff, town))["redeemed"]

    async def test_unchanged_figures_are_not_sent_again(
        self, http: httpx.AsyncClient, clock: ManualClock, staff: Bureau
    ) -> None:
        town = await played(staff.kit, clock, staff)
        params = {"campaign": town.campaign.slug}
        first = await staff.get("/metrics", **params)
        clock.advance(seconds=1)
        headers = {**staff.headers, "If-None-Match": first.headers["ETag"]}
        again = await http.get("/redemption/v1/metrics", params=params, headers=headers)
        assert (again.status_code, again.content) == (304, b"")
        (voucher,) = await held_vouchers(staff.kit, town.campaign, "fitness", 1)
        await town.tills[0].redeem(voucher.code)
        changed = await http.get("/redemption/v1/metrics", params=params, headers=headers)
        assert changed.status_code == 200

    async def test_who_may_read(self, http: httpx.AsyncClient, kit: Kit) -> None:
        path = "/redemption/v1/metrics"
        assert (await http.get(path)).status_code == 401
        wrong = {"Authorization": "Bearer nonsense"}
        assert (await http.get(path, headers=wrong)).status_code == 401
        token = {"Authorization": "Bearer metrics-token-of-the-tests"}
        assert (await http.get(path, headers=token)).status_code == 200
        for role, status in ((Role.AUDITOR, 200), (Role.OPERATOR, 200), (Role.HOSPITAL, 403)):
            headers = await signed_in_staff(kit, role, hospital_id="h")
            assert (await http.get(path, headers=headers)).status_code == status
        assert (await http.get(f"{path}?campaign=nobody", headers=token)).status_code == 404

    async def test_institution_sees_its_own_figures(
        self, http: httpx.AsyncClient, kit: Kit, town: Town
    ) -> None:
        _, second, _ = town.institutions
        headers = await signed_in_staff(kit, Role.INSTITUTION, institution_id=second)
        params = {"campaign": town.campaign.slug}
        found = (await http.get("/redemption/v1/metrics", params=params, headers=headers)).json()
        assert (found["redeemed"], found["applied_fen"], found["reversed"]) == (3, 60_777, 0)
        assert [item["institution_id"] for item in found["by_institution"]] == [second]
        assert sum(found["by_funding_source"].values()) == 60_777


class TestPrometheus:
    async def test_totals_agree_with_the_metrics(
        self, http: httpx.AsyncClient, staff: Bureau, town: Town, kit: Kit
    ) -> None:
        answer = await http.get("/redemption/metrics", headers=staff.headers)
        assert answer.status_code == 200
        samples = {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.labels.get("campaign") == town.campaign.slug
        }

        def value(name: str, **labels: str) -> float:
            return samples[name, *sorted({"campaign": town.campaign.slug, **labels}.items())]

        found = await metrics(staff, town)
        for voucher_type, count in found["by_voucher_type"].items():
            told = value("hv_redemptions_total", voucher_type=voucher_type, status="redeemed")
            assert told == count
        assert value("hv_redemptions_total", voucher_type="general_50", status="reversed") == 1
        assert value("hv_redemption_events_total", voucher_type="general_50", event="redeemed") == 3
        assert value("hv_redemptions_total", voucher_type="general_100", status="redeemed") == 0
        for source, fen in found["by_funding_source"].items():
            assert value("hv_redeemed_fen_total", funding_source=source) == fen
            assert value("hv_fund_fen", funding_source=source, account="payable") == fen
        put_up = sum(value for (name, *_), value in samples.items() if name == "hv_fund_fen")
        async with kit.database.snapshot() as tx:
            campaign = await catalogue.campaign_by_slug(tx, town.campaign.slug)
            assert put_up == (await ledger.fund_of(tx, campaign.id)).budget_fen

    async def test_needs_the_token_when_there_is_one(self, http: httpx.AsyncClient) -> None:
        assert (await http.get("/redemption/metrics")).status_code == 401


class TestStatistics:
    async def test_jobs_count_once_however_often_they_run(
        self, kit: Kit, clock: ManualClock, staff: Bureau
    ) -> None:
        town = await played(kit, clock, staff)
        worker = parts(build(kit))
        for _ in range(3):
            await drain(kit, worker)
        async with kit.database.snapshot() as tx:
            left = await tx.execute(text("SELECT count(*) FROM core.outbox WHERE queue = 'redemption'"))
            assert left.scalar_one() == 0
        first, second, idle = town.institutions
        assert await self.days(staff, town, first) == [
            (date(2020, 11, 30), "checkup", 1, 30_000),
            (date(2020, 11, 30), "general_50", 1, 3_001),
        ]
        assert await self.days(staff, town, second) == [
            (date(2020, 11, 30), "checkup", 2, 60_000),
            (date(2020, 12, 1), "general_50", 1, 777),
        ]
        assert await self.days(staff, town, idle) == []

    async def test_reversal_that_is_counted_before_its_original(
        self, kit: Kit, clock: ManualClock, staff: Bureau
    ) -> None:
        town = await played(kit, clock, staff)
        runner_parts = parts(build(kit))
        async with kit.database.transaction() as tx:
            rows = (
                await tx.execute(text("SELECT bucket, id, kind FROM core.outbox WHERE queue = 'redemption'"))
            ).all()
        runner = Runner(kit.database, {job.kind: job for job in runner_parts.jobs})
        for kind in ("redemption.reversal_counted", "redemption.redemption_counted"):
            await runner.run(kind, [(row.bucket, row.id) for row in rows if row.kind == kind])
        assert await self.days(staff, town, town.institutions[0]) == [
            (date(2020, 11, 30), "checkup", 1, 30_000),
            (date(2020, 11, 30), "general_50", 1, 3_001),
        ]

    async def days(self, staff: Bureau, town: Town, institution: str) -> list[tuple[date, str, int, int]]:
        answer = await staff.get(f"/institutions/{institution}/statistics", campaign=town.campaign.slug)
        return [
            (date.fromisoformat(item["date"]), item["voucher_type"], item["count"], item["applied_fen"])
            for item in answer.json()["items"]
        ]

    async def test_who_may_read(self, http: httpx.AsyncClient, kit: Kit, staff: Bureau, town: Town) -> None:
        first, second, _ = town.institutions
        headers = await signed_in_staff(kit, Role.INSTITUTION, institution_id=first)
        params = {"campaign": town.campaign.slug}
        for institution, status in ((first, 200), (second, 403)):
            path = f"/redemption/v1/institutions/{institution}/statistics"
            assert (await http.get(path, params=params, headers=headers)).status_code == status
            assert (await http.get(path, params=params)).status_code == 401
        unknown = await staff.get("/institutions/ins_nobody/statistics", **params)
        assert unknown.status_code == 404


class TestRankings:
    async def test_of_a_month(self, staff: Bureau, town: Town) -> None:
        params = {"campaign": town.campaign.slug, "month": "2020-11"}
        found = (await staff.get("/rankings", **params)).json()
        first, second, idle = town.institutions
        assert (found["campaign"], found["month"]) == (town.campaign.slug, "2020-11")
        assert [{name: item[name] for name in self.names} for item in found["items"]] == [
            self.item(1, second, "示例·乙", 2, 60_000, "0.5", 2),
            self.item(1, first, "示例·甲", 2, 33_001, "0.5", 2),
            self.item(3, idle, "示例·丙", 0, 0, "0", 0),
        ]

    names = ("rank", "institution_id", "name", "count", "amount_fen", "share", "distinct_holders")

    def item(self, *parts: Any) -> dict[str, Any]:  # noqa: ANN401 - columns of several types
        return dict(zip(self.names, parts, strict=True))

    async def test_of_the_present_month(self, staff: Bureau, town: Town) -> None:
        found = (await staff.get("/rankings", campaign=town.campaign.slug)).json()
        assert found["month"] == "2020-12"
        assert [item["count"] for item in found["items"]] == [1, 0, 0]
        assert [item["rank"] for item in found["items"]] == [1, 2, 2]

    async def test_institution_sees_its_own_row(self, http: httpx.AsyncClient, kit: Kit, town: Town) -> None:
        idle = town.institutions[2]
        headers = await signed_in_staff(kit, Role.INSTITUTION, institution_id=idle)
        params = {"campaign": town.campaign.slug, "month": "2020-11"}
        found = (await http.get("/redemption/v1/rankings", params=params, headers=headers)).json()
        assert [(item["institution_id"], item["rank"]) for item in found["items"]] == [(idle, 3)]

    @pytest.mark.parametrize("month", ["2020-13", "2020-1", "november", "2020-11-01", "0000-01", "2020-11\n"])
    async def test_malformed_month(self, staff: Bureau, town: Town, month: str) -> None:
        answer = await staff.get("/rankings", campaign=town.campaign.slug, month=month)
        assert answer.status_code == 422

    async def test_who_may_read(self, http: httpx.AsyncClient, kit: Kit, town: Town) -> None:
        path, params = "/redemption/v1/rankings", {"campaign": town.campaign.slug}
        assert (await http.get(path, params=params)).status_code == 401
        headers = await signed_in_staff(kit, Role.HOSPITAL, hospital_id="h")
        assert (await http.get(path, params=params, headers=headers)).status_code == 403
        auditor = await signed_in_staff(kit, Role.AUDITOR)
        assert (await http.get(path, params={"campaign": "nobody"}, headers=auditor)).status_code == 404

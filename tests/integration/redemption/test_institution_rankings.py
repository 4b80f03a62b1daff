"""A month is ranked live until it is frozen; then only a further edition changes what was published."""

import csv
import io
import secrets
import zipfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.redemption.wiring import build
from services.redemption.worker import parts
from shared.clients.terminal import OfflineItem, TerminalClient
from shared.clock import ManualClock
from shared.documents.sheets import read_rows
from shared.identity.staff import Role
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.drain import drain
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import Bureau
from tests.support.vouchers import HeldVoucher, held_vouchers, published

MONTHS = iter(range(1, 13))


@dataclass(frozen=True, slots=True)
class Fair:
    """A month of its own: one institution writes off twice for one holder, the other for two."""

    kit: Kit
    clock: ManualClock
    desk: Books
    campaign: CampaignRef
    institutions: tuple[str, str, str]
    tills: tuple[TerminalClient, TerminalClient]
    month: str
    requests: tuple[str, ...]

    async def ranking(self, **params: str) -> dict[str, Any]:
        found = await self.desk.bureau.get(
            "/rankings", campaign=self.campaign.slug, month=self.month, **params
        )
        assert found.status_code == 200, found.text
        return dict(found.json())

    async def propose(self, **more: str) -> httpx.Response:
        body = {"campaign": self.campaign.slug, "month": self.month, **more}
        return await self.desk.bureau.post("/rankings/freeze", body)

    async def freeze(self, **more: str) -> None:
        done = await self.desk.approve(await self.propose(**more))
        assert done.status_code == 200, done.text

    def end_month(self) -> None:
        after = datetime.fromisoformat(f"{self.month}-28T12:00:00+08:00") + timedelta(days=5)
        self.clock.set(after)


async def one_holders(kit: Kit, campaign: CampaignRef, count: int) -> list[HeldVoucher]:
    """Vouchers of one person."""
    made = list(await held_vouchers(kit, campaign, "checkup", count))
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("UPDATE core.voucher SET person_id = :person WHERE id = ANY(:ids)"),
            {"person": made[0].person_id, "ids": [one.id for one in made]},
        )
    return made


@pytest.fixture
async def fair(kit: Kit, clock: ManualClock, staff: Bureau) -> Fair:
    month = f"2022-{next(MONTHS):02d}"
    clock.set(datetime.fromisoformat(f"{month}-20T10:00:00+08:00"))
    campaign = await published(kit, f"fair-{secrets.token_hex(4)}")
    first, second, third = [
        await staff.institution(campaign, name=f"示例·{name}", category=category)
        for name, category in (("=1+1甲", "hospital"), ("乙", "gym"), ("丙", "gym"))
    ]
    tills = (await staff.till(first), await staff.till(second))
    mine = [await tills[0].redeem(one.code) for one in await one_holders(kit, campaign, 2)]
    theirs = [await tills[1].redeem(one.code) for one in await held_vouchers(kit, campaign, "checkup", 2)]
    await staff.post(f"/institutions/{second}/capacity", {"hourly": 4})
    await drain(kit, parts(build(kit)))
    return Fair(
        kit,
        clock,
        await books(kit, staff),
        campaign,
        (first, second, third),
        tills,
        month,
        tuple(one.request_no for one in (*mine, *theirs)),
    )


def told(ranking: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(item[name] for name in names) for item in ranking["items"]]


class TestFairMeasures:
    async def test_stand_beside_the_plain_counts(self, fair: Fair) -> None:
        live = await fair.ranking()
        assert (live["frozen"], live["edition"]) == (False, None)
        first, second, third = fair.institutions
        names = ("institution_id", "rank", "rank_in_category", "rank_by_holders", "rank_per_capacity")
        assert told(live, *names) == [
            (first, 1, 1, 2, None), (second, 1, 1, 1, 1), (third, 3, 2, 3, None),
        ]  # fmt: skip
        measures = ("distinct_holders", "hourly_capacity", "per_capacity", "flagged", "flagged_share")
        assert told(live, *measures) == [
            (1, None, None, 0, "0"), (2, 4, "0.5", 0, "0"), (0, None, None, 0, "0"),
        ]  # fmt: skip
        assert live["items"][0]["by_voucher_type"] == {"checkup": 2}

    async def test_flagged_write_offs_are_shown_until_their_case_is_dismissed(self, fair: Fair) -> None:
        for one in await held_vouchers(fair.kit, fair.campaign, "fitness", 9):
            await fair.tills[1].redeem(one.code)
        await drain(fair.kit, parts(build(fair.kit)))
        while await build(fair.kit).signals.scan():
            pass
        flagged = {item["institution_id"]: item["flagged"] for item in (await fair.ranking())["items"]}
        # All of it was used right after it was issued, the first two too.
        assert flagged[fair.institutions[1]] == 11
        cases = (await fair.desk.bureau.get("/risk/cases", campaign=fair.campaign.slug)).json()["items"]
        for case in cases:
            body = {"decision": "dismiss", "note": "现场活动"}
            await fair.desk.bureau.post(f"/risk/cases/{case['id']}/decide", body)
        assert {item["flagged"] for item in (await fair.ranking())["items"]} == {0}


class TestFreeze:
    async def test_later_events_never_alter_a_frozen_month(self, fair: Fair) -> None:
        late = await held_vouchers(fair.kit, fair.campaign, "checkup", 1)
        used_at = datetime.fromisoformat(f"{fair.month}-28T12:00:00+08:00") + timedelta(days=2)
        before = await fair.ranking()
        fair.end_month()
        await fair.freeze()
        frozen = await fair.ranking()
        assert (frozen["frozen"], frozen["edition"], frozen["items"]) == (True, 1, before["items"])
        await fair.tills[0].reverse(fair.requests[0], "误刷")
        await fair.tills[1].upload(
            secrets.token_hex(4), [OfflineItem(secrets.token_hex(4), late[0].code, used_at)]
        )
        await fair.desk.bureau.post(f"/institutions/{fair.institutions[1]}/capacity", {"hourly": 9})
        assert await fair.ranking() == frozen

    async def test_a_correction_is_a_further_edition_with_its_reason(self, fair: Fair) -> None:
        fair.end_month()
        await fair.freeze()
        first = await fair.ranking()
        await fair.tills[0].reverse(fair.requests[0], "误刷")
        fair.clock.advance(minutes=6)
        unexplained = await fair.propose()
        assert (unexplained.status_code, unexplained.json()["errors"][0]["code"]) == (422, "reason_required")
        await fair.freeze(reason="冲正后更正")
        second = await fair.ranking()
        assert (second["edition"], second["reason"]) == (2, "冲正后更正")
        assert told(second, "rank", "count") == [(1, 2), (2, 1), (3, 0)]
        assert await fair.ranking(edition="1") == first
        missing = await fair.desk.bureau.get(
            "/rankings", campaign=fair.campaign.slug, month=fair.month, edition="3"
        )
        assert missing.status_code == 404

    async def test_a_month_that_is_not_over(self, fair: Fair) -> None:
        refused = await fair.propose()
        assert (refused.status_code, refused.json()["code"]) == (409, "month_not_over")

    async def test_what_came_first_wins_and_the_other_no_longer_fits(self, fair: Fair) -> None:
        fair.end_month()
        one, other = await fair.propose(), await fair.propose()
        assert (await fair.desk.approve(one)).status_code == 200
        refused = await fair.desk.approve(other)
        assert (refused.status_code, refused.json()["code"]) == (409, "no_longer_fits")

    async def test_nobody_approves_its_own(self, fair: Fair) -> None:
        fair.end_month()
        proposed = await fair.propose()
        path = f"/changes/{proposed.json()['change_id']}/approve"
        refused = await fair.desk.bureau.post(path, {})
        assert (refused.status_code, refused.json()["code"]) == (403, "same_person")
        assert (await fair.ranking())["frozen"] is False

    async def test_a_repeated_proposal_is_answered_again(self, fair: Fair) -> None:
        fair.end_month()
        number = secrets.token_hex(4)
        first, again = await fair.propose(request_no=number), await fair.propose(request_no=number)
        assert (first.status_code, again.status_code) == (202, 200)
        assert first.json() == again.json()

    async def test_a_campaign_without_institutions(self, fair: Fair) -> None:
        empty = await published(fair.kit, f"empty-{secrets.token_hex(4)}")
        fair.end_month()
        body = {"campaign": empty.slug, "month": fair.month}
        refused = await fair.desk.bureau.post("/rankings/freeze", body)
        assert (refused.status_code, refused.json()["code"]) == (409, "nobody_ranked")

    async def test_who_may(self, fair: Fair) -> None:
        fair.end_month()
        auditor = await signed_in_staff(fair.kit, Role.AUDITOR)
        own = await signed_in_staff(fair.kit, Role.INSTITUTION, institution_id=fair.institutions[0])
        http, body = fair.desk.bureau.http, {"campaign": fair.campaign.slug, "month": fair.month}
        for headers, sheet in ((auditor, 200), (own, 403)):
            refused = await http.post("/redemption/v1/rankings/freeze", json=body, headers=headers)
            assert refused.status_code == 403
            path = "/redemption/v1/rankings/ranking.xlsx"
            assert (await http.get(path, params=body, headers=headers)).status_code == sheet


async def test_the_workbook_says_what_the_ranking_says(fair: Fair) -> None:
    fair.end_month()
    await fair.freeze()
    answer = await fair.desk.bureau.get(
        "/rankings/ranking.xlsx", campaign=fair.campaign.slug, month=fair.month
    )
    assert answer.status_code == 200
    rows = [row.cells for row in read_rows(answer.content)]
    (header,) = [place for place, row in enumerate(rows) if row[0] == "名次"]
    assert [(row[0], row[1], row[3], row[4]) for row in rows[header + 1 : header + 4]] == [
        ("1", "示例·=1+1甲", "2", "600"), ("1", "示例·乙", "2", "600"), ("3", "示例·丙", "0", "0"),
    ]  # fmt: skip
    assert any(row[:2] == ("状态", "已冻结，第 1 版") for row in rows[:header])
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")


async def test_the_table_says_what_the_ranking_says_and_nothing_in_it_is_a_formula(fair: Fair) -> None:
    await fair.desk.bureau.post(f"/institutions/{fair.institutions[0]}/capacity", {"hourly": 3})
    params = {"campaign": fair.campaign.slug, "month": fair.month}
    live = await fair.desk.bureau.get("/rankings/ranking.csv", **params)
    assert live.status_code == 200
    assert live.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(live.content.decode("utf-8-sig"))))
    assert {row["状态"] for row in rows} == {"实时，尚未冻结"}
    assert [
        (
            row["名次"],
            row["机构编号"],
            row["核销笔数"],
            row["金额（元）"],
            row["按能力笔数"],
            row["按能力名次"],
        )
        for row in rows
    ] == [
        ("1", fair.institutions[0], "2", "600.00", "0.666667", "1"),
        ("1", fair.institutions[1], "2", "600.00", "0.5", "2"),
        ("3", fair.institutions[2], "0", "0.00", "", ""),
    ]
    await set_name(fair, "=HYPERLINK(1)")
    fair.end_month()
    await fair.freeze()
    frozen = await fair.desk.bureau.get("/rankings/ranking.csv", **params)
    [first, *_] = list(csv.DictReader(io.StringIO(frozen.content.decode("utf-8-sig"))))
    assert (first["服务机构"], first["状态"]) == ("'=HYPERLINK(1)", "已冻结，第 1 版")
    own = await signed_in_staff(fair.kit, Role.INSTITUTION, institution_id=fair.institutions[0])
    path = "/redemption/v1/rankings/ranking.csv"
    assert (await fair.desk.bureau.http.get(path, params=params, headers=own)).status_code == 403


async def set_name(fair: Fair, name: str) -> None:
    async with fair.kit.database.transaction() as tx:
        await tx.execute(
            text("UPDATE redemption.institution SET name = :name WHERE id = :id"),
            {"name": name, "id": fair.institutions[0]},
        )

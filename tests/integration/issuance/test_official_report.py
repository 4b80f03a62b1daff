"""The official report tells the figures of the same instant, and they add up; read without our own writer."""

import io
import zipfile
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree as ET

import httpx
import pytest
from sqlalchemy import text

from services.issuance.calibration.rules import ItemStatistics
from services.issuance.calibration.store import Kept, hold, insert_figures, keep, take_up
from services.issuance.reports.operations import Reports
from services.issuance.reports.schemas import Asked
from services.issuance.templates.operations import papers_of_campaigns
from shared.clock import CHINA, ManualClock
from shared.documents.papers import DEMO_MARK
from shared.identity.staff import Role
from shared.ids import new_id
from shared.kit import Kit
from shared.money import yuan
from shared.objects import objects_of
from tests.support.campaigns import Published, open_campaign, publish_campaign
from tests.support.citizens import Hands, fill_bank, give_chances, new_person
from tests.support.desk import Desk
from tests.support.people import signed_in_staff

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
SECTIONS = ["一、基本情况", "二、活动成效", "三、存在问题", "四、下一步工作"]
ASSUMED = [
    "phases.1.odds",
    "phases.2.stock",
    "voucher_types.checkup.settlement_price_fen",
    "funding_sources.treasury.share",
]

Table = list[list[str]]


class Word:
    """A .docx as its text says it."""

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            parts = {
                name: ET.fromstring(archive.read(name))  # noqa: S314 - our own answer
                for name in archive.namelist()
                if name.endswith(".xml")
            }
        body = parts["word/document.xml"].find(f"{W}body")
        assert body is not None
        self.lines = [_text(child) for child in body if child.tag == f"{W}p"]
        self.text = "\n".join(self.lines)
        found = [child for child in body if child.tag == f"{W}tbl"]
        self.phases, self.payers, self.ways, self.types, self.days = map(_rows, found)
        self.headers = [_text(part) for name, part in parts.items() if "header" in name]

    @property
    def captions(self) -> list[str]:
        return [line for line in self.lines if line.startswith(("数据截至", "单位：元　数据截至"))]


def _text(element: ET.Element) -> str:
    return "".join(part.text or "" for part in element.iter(f"{W}t"))


def _rows(table: ET.Element) -> Table:
    return [[_text(cell) for cell in row.iter(f"{W}tc")] for row in table.iter(f"{W}tr")]


def adds_up(table: Table, columns: range) -> bool:
    def fen(cell: str) -> int:
        return int(cell.replace(",", "").replace(".", "")) if "." in cell else int(cell)

    *rows, total = table[1:]
    return all(sum(fen(row[column]) for row in rows) == fen(total[column]) for column in columns)


_BALANCES = text("""
    SELECT side.account, sum(side.sign * payer.fen)::bigint AS fen
    FROM core.ledger_transfer t
    CROSS JOIN LATERAL (VALUES (t.debit, -1), (t.credit, 1)) AS side (account, sign)
    CROSS JOIN LATERAL unnest(t.amounts_fen) AS payer (fen)
    WHERE t.campaign_id = :id GROUP BY side.account
""")
# A bill that the voucher pays only half of.
_WRITE_OFF = text("""
    SELECT v.id, r.applied_fen FROM core.voucher v
    CROSS JOIN LATERAL core.vouchers_redeem(
        ARRAY[1], ARRAY[v.bucket], ARRAY[v.id], ARRAY['i1'], ARRAY['terminal:t1'],
        ARRAY[CAST(:redemption AS uuid)], ARRAY[CAST(:now AS timestamptz)],
        ARRAY[v.amount_fen / 2], CAST(:now AS timestamptz)) r
    WHERE v.campaign_id = :id
""")


def path(slug: str) -> str:
    return f"/issuance/v1/campaigns/{slug}/report.docx"


async def report(desk: Desk, campaign: Published) -> Word:
    answer = await desk.client.get(path(campaign.slug), headers=desk.one)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == DOCX
    name = quote("全民健康消费券测试活动工作情况报告.docx")
    assert answer.headers["content-disposition"] == f"attachment; filename*=UTF-8''{name}"
    return Word(answer.content)


async def metrics(desk: Desk, campaign: Published) -> dict[str, Any]:
    answer = await desk.client.get(
        "/issuance/v1/metrics", params={"campaign": campaign.slug}, headers=desk.one
    )
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture(scope="module")
async def played(client: httpx.AsyncClient, kit: Kit, clock: ManualClock) -> Published:
    """Two pass, one fails; two win, one of them claims; a second day with one draw more."""
    campaign = await open_campaign(
        kit, clock, odds=1, phases=2, stock={"fitness": 5, "checkup": 2}, assumed=ASSUMED
    )
    await fill_bank(kit, campaign)
    winner = Hands(client, await new_person(kit))
    await winner.pass_quiz(campaign.slug)
    claimed = await winner.claim(await winner.win(campaign.slug), "checkup")
    assert claimed.status_code == 201, claimed.text
    loser = Hands(client, await new_person(kit))
    attempt = (await loser.start(campaign.slug)).json()
    await loser.submit(attempt["attempt_id"], {})
    lucky = Hands(client, await new_person(kit))
    await give_chances(kit, lucky.person, campaign, 3)
    await lucky.win(campaign.slug)
    clock.advance(hours=24)
    await lucky.pass_quiz(campaign.slug)
    await lucky.win(campaign.slug)
    return campaign


async def test_every_figure_is_that_of_the_metrics(desk: Desk, played: Published) -> None:
    told, found = await metrics(desk, played), await report(desk, played)
    assert f"累计答题{told['attempts']}人次" in found.text
    assert f"通过{told['passed']}人次，通过率66.67%" in found.text
    assert f"抽奖机会{told['chances']}次，已抽奖{told['draws']}次，尚未使用或已失效2次" in found.text
    assert f"中奖{told['wins']}次，发放消费券{told['vouchers_issued']}张" in found.text
    assert f"待领取{told['awards_open']}次（其中待核查{told['awards_on_hold']}次），逾期未领或被取消0次" in (
        found.text
    )
    assert (told["attempts"], told["wins"], told["awards_open"]) == (3, 3, 2)
    names = {"quiz": "网上答题", "event": "线下活动"}
    columns = ("submitted", "accepted", "rejected", "pending", "chances", "draws", "wins", "issued")
    assert found.ways[1:-1] == [
        [names[key], *(str(way[column]) for column in columns)] for key, way in told["by_channel"].items()
    ]
    days = ("participants", "attempts", "passed", "draws", "wins", "issued")
    assert [row[1:] for row in found.days[1:-1]] == [
        [str(day[column]) for column in days] for day in told["daily"]
    ]
    assert [row[2] for row in found.types[1:-1]] == [str(n) for n in told["issued_by_type"].values()]
    left = {row[0].removesuffix("券"): int(row[5]) for row in found.types[1:-1]}
    assert {key: n for key, n in left.items() if n} == told["stock_remaining"]
    assert "公布中奖率（按各次抽奖时有效的中奖率平均）为100%※，实际中奖率为100%（3÷3）" in found.text
    assert "的概率为1.0000（二项分布双侧检验），未见异常" in found.text


async def test_sums_are_those_of_their_parts_and_the_totals(desk: Desk, played: Published) -> None:
    told, found = await metrics(desk, played), await report(desk, played)
    assert adds_up(found.ways, range(1, 9))
    assert adds_up(found.types, range(2, 6))
    assert adds_up(found.days, range(1, 7))
    assert adds_up(found.payers, range(2, 6))
    assert found.ways[-1][5:] == [str(told[key]) for key in ("chances", "draws", "wins", "vouchers_issued")]
    assert found.days[-1][2:] == [
        str(told[key]) for key in ("attempts", "passed", "draws", "wins", "vouchers_issued")
    ]
    assert found.types[-1] == ["合计", "—", "1", "300.00", "0", str(sum(told["stock_remaining"].values()))]
    assert "相差" not in found.text


async def test_money_is_the_ledgers(kit: Kit, desk: Desk, played: Published) -> None:
    found = await report(desk, played)
    async with kit.database.snapshot() as tx:
        rows = await tx.execute(_BALANCES, {"id": played.id})
        held = {row.account: row.fen for row in rows}
    assert found.payers[-1] == [
        "合计", "100%", yuan(-held["budget"]), yuan(held["available"]), yuan(held["committed"]), "0.00",
    ]  # fmt: skip
    assert held["committed"] == 30_000
    treasury = found.payers[1]
    assert treasury == ["州本级财政", "40%※", "4,000,000.00", "3,999,880.00", "120.00", "0.00"]


async def test_money_of_a_voucher_that_was_used_in_part_is_still_all_there(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, desk: Desk
) -> None:
    campaign = await open_campaign(kit, clock, odds=1)
    await fill_bank(kit, campaign)
    winner = Hands(client, await new_person(kit))
    await winner.pass_quiz(campaign.slug)
    await winner.claim(await winner.win(campaign.slug), "general_50")
    async with kit.database.transaction() as tx:
        values = {"id": campaign.id, "now": clock.now(), "redemption": new_id()}
        assert (await tx.execute(_WRITE_OFF, values)).one().applied_fen == 2500
        rows = await tx.execute(_BALANCES, {"id": campaign.id})
        held = {row.account: row.fen for row in rows}
    found = await report(desk, campaign)
    assert adds_up(found.payers, range(2, 6))
    assert found.payers[-1][2:] == ["10,000,000.00", yuan(held["available"]), "0.00", "25.00"]
    assert (held["available"], held["payable"]) == (1_000_000_000 - 2500, 2500)
    used = next(row for row in found.types if row[0] == "general_50券")
    assert used[2:5] == ["1", "50.00", "1"]
    # What was issued is more than what is outstanding and written off: the report says why.
    assert (
        "累计发放金额50.00元，比已发放未核销与已核销之和多25.00元，已退回可用预算：账单不足面值未抵扣25.00元。"
        in found.text
    )


async def test_sections_moments_and_marks_are_there(desk: Desk, played: Published) -> None:
    told, found = await metrics(desk, played), await report(desk, played)
    at = datetime.fromisoformat(told["as_of"]).astimezone(CHINA)
    as_of = f"数据截至{at.year}年{at.month}月{at.day}日{at.hour}时{at.minute:02d}分"
    assert [line for line in found.lines if line in SECTIONS] == SECTIONS
    assert found.lines[0] == "全民健康消费券测试活动工作情况报告"
    assert len([line for line in found.captions if line.endswith(as_of)]) == 5
    assert found.text.count(as_of) >= 9
    assert "{" not in found.text
    assert [row[4] for row in found.phases[1:]] == ["100%※", "100%"]
    assert [row[3] for row in found.phases[1:]] == ["进行中", "未开始"]
    prices = {row[0]: row[1] for row in found.types[1:-1]}
    assert (prices["checkup券"], prices["fitness券"]) == ("300.00※", "50.00")
    assert "金额同为假定" in found.text
    assert "本报告中标“※”的数值为演示假定值，未经公布。" in found.text
    assert "各期投放的库存含演示假定值※" in found.text
    assert "第2期定于" in found.text.split(SECTIONS[3])[1]


@pytest.mark.parametrize("demo", [True, False])
async def test_every_page_says_that_it_is_a_demonstration(kit: Kit, played: Published, *, demo: bool) -> None:
    settings = kit.settings.model_copy(update={"demo": demo})
    marked = replace(kit, settings=settings)
    papers = papers_of_campaigns(marked, objects_of(settings))
    _, content = await Reports(marked, papers).report(played.slug, Asked())
    headers = Word(content).headers
    assert [DEMO_MARK in header for header in headers] == [demo] * len(headers)
    assert bool(headers) is demo


async def test_problems_come_from_the_figures(kit: Kit, clock: ManualClock, desk: Desk) -> None:
    campaign = await open_campaign(kit, clock, odds="0.2")
    bank = await fill_bank(kit, campaign, 2)
    clock.advance(days=4)
    first = campaign.opens_at.astimezone(CHINA).date()
    async with kit.database.transaction() as tx:
        for place, (passed, failed) in enumerate(((10, 40), (9, 30), (8, 20), (7, 10))):
            for dim, n in (("passed", passed), ("failed", failed)):
                await tx.execute(
                    text(
                        "INSERT INTO core.tally_delta (scope_id, day, measure, dim, n)"
                        " VALUES (:id, :day, 'attempt', :dim, :n)"
                    ),
                    {"id": campaign.id, "day": first + timedelta(days=place), "dim": dim, "n": n},
                )
        run = new_id()
        await take_up(tx, campaign.id, run)
        assert await hold(tx, campaign.id, run)
        hard = ItemStatistics(134, 0.1, 0.05, 0.2, 0.3, None, (), "too_hard")
        await insert_figures(tx, campaign.id, bank, [hard, hard])
        await keep(tx, campaign.id, Kept(clock.now(), 134))
    found = await report(desk, campaign)
    assert "134人次答题中34人次通过，通过率25.37%，低于50%" in found.text
    assert "在用题目中有2道被判定为过难" in found.text
    assert "公布中奖率为20%，低于25%" in found.text
    last = first + timedelta(days=3)
    run_told = f"{first.year}年{first.month}月{first.day}日至{last.year}年{last.month}月{last.day}日连续4天"
    assert f"{run_told}，每日答题人次依次为50、39、28、17。" in found.text
    steps = found.text.split(SECTIONS[3])[1]
    assert "停用或修改过难题目2道" in steps
    async with kit.database.transaction() as tx:
        await tx.execute(
            text("UPDATE issuance.question SET retired_at = :now WHERE id = :id"),
            {"now": clock.now(), "id": bank[0]},
        )
    assert "在用题目中有1道被判定为过难" in (await report(desk, campaign)).text


async def test_without_data_the_document_is_sound(kit: Kit, desk: Desk) -> None:
    campaign = await publish_campaign(kit, odds="0.5")
    found = await report(desk, campaign)
    assert [line for line in found.lines if line in SECTIONS] == SECTIONS
    assert "累计答题0人次" in found.text
    assert "通过率—" in found.text
    assert "公布中奖率（按各次抽奖时有效的中奖率平均）为50%，尚无抽奖" in found.text
    assert "未发现需要列出的问题" in found.text
    assert len(found.days) == 2
    assert found.payers[-1][2:] == ["10,000,000.00", "10,000,000.00", "0.00", "0.00"]


async def test_report_is_for_staff_who_may_read(
    client: httpx.AsyncClient, kit: Kit, played: Published, desk: Desk
) -> None:
    citizen = await new_person(kit)
    for headers, status in (
        ({}, 401),
        (citizen.headers, 401),
        (await signed_in_staff(kit, Role.AUDITOR), 200),
        (await signed_in_staff(kit, Role.INSTITUTION, institution_id="i1"), 403),
    ):
        assert (await client.get(path(played.slug), headers=headers)).status_code == status
    assert (await client.get(path("nowhere"), headers=desk.one)).status_code == 404

"""Documents of settlements say the same figures everywhere, to the fen."""

import csv
import hashlib
import io
from typing import Any

import pypdfium2
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock, local_day
from shared.identity.staff import Role
from shared.kit import Kit
from shared.money import capital_yuan, yuan
from shared.vouchers.catalogue import CampaignRef
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import Bureau
from tests.support.vouchers import PAYERS, held_vouchers

BASE = "/redemption/v1/settlements"


@pytest.fixture(scope="module")
async def desk(kit: Kit, staff: Bureau) -> Books:
    return await books(kit, staff)


@pytest.fixture(scope="module")
async def story(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books
) -> tuple[TerminalClient, list[dict[str, Any]]]:
    """Two settlements of an institution: one with three types, one with a correction; both confirmed."""
    name = "=示例·蒙自市第一人民医院"
    till = await desk.bureau.till(
        await desk.bureau.institution(campaign, name=name, credit_code="Y1532599DEM000014U")
    )
    await desk.set_account(till.institution_id, "6222000000000000001")
    done = []
    for kind, bills in (("general_50", (1_111, 3_333, 9_999)), ("checkup", (None,)), ("fitness", (None,))):
        for voucher, bill in zip(await held_vouchers(kit, campaign, kind, len(bills)), bills, strict=True):
            done.append(await till.redeem(voucher.code, bill))
    day = local_day(clock.now(), "Asia/Shanghai").isoformat()
    await desk.settle(campaign, day, day)
    await desk.correct(done[0].id, "=重复收费")
    for voucher in await held_vouchers(kit, campaign, "fitness", 1):
        await till.redeem(voucher.code)
    await desk.settle(campaign, day, day)
    found = await desk.of(till.institution_id)
    for one in found:
        await desk.confirm(one)
    return till, found


def sheets(content: bytes) -> dict[str, list[list[Any]]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(content))
    return {
        name: [row for row in book.get_sheet_by_name(name).to_python() if any(row)]
        for name in book.sheet_names
    }


def fen(value: object) -> int:
    return round(float(str(value)) * 100)


async def test_statement_totals_are_the_sum_of_the_printed_lines(
    desk: Books, story: tuple[TerminalClient, list[dict[str, Any]]]
) -> None:
    for one in story[1]:
        answer = await desk.bureau.get(f"/settlements/{one['id']}/statement.xlsx")
        assert "attachment" in answer.headers["content-disposition"]
        found = sheets(answer.content)
        rows = found["结算单"]
        totals = [place for place, row in enumerate(rows) if row[0] == "合计"]
        heads = [place for place, row in enumerate(rows) if row[0] in ("券种", "资金来源")]
        for head, total in zip(heads, totals, strict=True):
            printed = rows[head + 1 : total]
            assert sum(fen(row[3]) for row in printed) == fen(rows[total][3]) == one["amount_fen"]
        assert [row[0] for row in rows[heads[1] + 1 : totals[1]]] == [payer.name for payer in PAYERS]
        assert any(row[0] == f"应付金额（大写）：人民币{capital_yuan(one['amount_fen'])}" for row in rows)
        assert rows[0][0] == "演示数据 DEMONSTRATION"
        listed = found["核销明细"]
        head = next(place for place, row in enumerate(listed) if row[0] == "序号")
        assert sum(fen(row[6]) for row in listed[head + 1 : -1]) == fen(listed[-1][6]) == one["amount_fen"]
        assert len(listed) - head - 2 == one["count"] + one["corrections"]


async def test_pdf_statement_says_the_same(
    desk: Books, story: tuple[TerminalClient, list[dict[str, Any]]]
) -> None:
    one = story[1][0]
    answer = await desk.bureau.get(f"/settlements/{one['id']}/statement.pdf")
    assert answer.headers["content-type"] == "application/pdf"
    document = pypdfium2.PdfDocument(answer.content)
    text_of = "".join(page.get_textpage().get_text_range() for page in document)
    for said in (
        "演示数据 DEMONSTRATION",
        "=示例·蒙自市第一人民医院",
        yuan(one["amount_fen"]),
        capital_yuan(one["amount_fen"]),
        "更正",
        "-11.11",
        "卫生健康主管部门（盖章）",
    ):
        assert said in text_of


async def test_payment_file_adds_up_and_can_be_verified(
    desk: Books, campaign: CampaignRef, story: tuple[TerminalClient, list[dict[str, Any]]]
) -> None:
    answer = await desk.bureau.get("/settlements/payment-file", campaign=campaign.slug)
    content = answer.content
    body, last = content[: content.rindex(b"SHA-256")], content[content.rindex(b"SHA-256") :]
    assert last.decode().strip() == f"SHA-256,{hashlib.sha256(body).hexdigest()}"
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    payments = [row for row in rows if row[0].isdigit()]
    totals = {row[1]: fen(row[10]) for row in rows if row[0] == "合计"}
    paid = sum(fen(row[10]) for row in payments if row[1] == "付款")
    back = sum(fen(row[10]) for row in payments if row[1] == "退款")
    assert totals == {"付款": paid, "退款": back}
    assert paid - back == sum(one["amount_fen"] for one in story[1])
    assert {row[5] for row in payments} == {"'=示例·蒙自市第一人民医院"}
    assert {row[7] for row in payments} == {one["id"] for one in story[1]}
    nothing = await desk.bureau.get("/settlements/payment-file", campaign=campaign.slug, status="paid")
    assert [row[0] for row in csv.reader(io.StringIO(nothing.content.decode("utf-8-sig")))] == [
        "序号",
        "合计",
        "合计",
        "SHA-256",
    ]


async def test_summary_has_a_column_for_each_payer(
    desk: Books, campaign: CampaignRef, story: tuple[TerminalClient, list[dict[str, Any]]]
) -> None:
    answer = await desk.bureau.get("/settlements/summary.xlsx", campaign=campaign.slug)
    rows = sheets(answer.content)["结算汇总"]
    head = next(place for place, row in enumerate(rows) if row[0] == "序号")
    total = next(row for row in rows if row[0] == "合计")
    assert rows[head][6:10] == [f"{payer.name}（元）" for payer in PAYERS]
    lines = rows[head + 1 : head + 1 + len(story[1])]
    for column in range(6, 11):
        assert sum(fen(row[column]) for row in lines) == fen(total[column])
    assert fen(total[10]) == sum(one["amount_fen"] for one in story[1])


async def test_whose_documents_they_are(
    kit: Kit, desk: Books, campaign: CampaignRef, story: tuple[TerminalClient, list[dict[str, Any]]]
) -> None:
    till, found = story
    own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=till.institution_id)
    stranger = await signed_in_staff(kit, Role.INSTITUTION, institution_id="ins_other")
    http = desk.bureau.http
    for name in ("statement.xlsx", "statement.pdf"):
        url = f"{BASE}/{found[0]['id']}/{name}"
        assert (await http.get(url, headers=own)).status_code == 200
        assert (await http.get(url, headers=stranger)).status_code == 403
        assert (await http.get(f"{BASE}/{'0' * 32}/{name}", headers=own)).status_code == 404
    for name in ("payment-file", "summary.xlsx"):
        url = f"{BASE}/{name}?campaign={campaign.slug}"
        assert (await http.get(url, headers=own)).status_code == 403
        assert (
            await http.get(f"{BASE}/{name}?campaign=nowhere", headers=desk.bureau.headers)
        ).status_code == 404


async def test_documents_show_what_the_ledger_owes(
    kit: Kit, story: tuple[TerminalClient, list[dict[str, Any]]]
) -> None:
    """What is confirmed and unpaid is what the ledger holds as payable, less what is taken back."""
    statement = text("""
        SELECT sum(CASE credit WHEN 'payable' THEN core.amounts_total(amounts_fen)
                   ELSE -core.amounts_total(amounts_fen) END)::bigint
        FROM core.ledger_transfer WHERE institution_id = :institution AND 'payable' IN (debit, credit)
    """)
    async with kit.database.snapshot() as tx:
        payable = (await tx.execute(statement, {"institution": story[0].institution_id})).scalar_one()
    assert payable == sum(one["amount_fen"] for one in story[1]) + 1_111


async def test_workbook_tells_operators_where_any_was_named(
    clock: ManualClock,
    campaign: CampaignRef,
    desk: Books,
    kit: Kit,
    story: tuple[TerminalClient, list[dict[str, Any]]],
) -> None:
    plain = await desk.bureau.get(f"/settlements/{story[1][0]['id']}/statement.xlsx")
    assert list(sheets(plain.content)) == ["结算单", "核销明细"]
    assert "操作员" not in str(sheets(plain.content)["核销明细"])
    till = await desk.bureau.till(await desk.bureau.institution(campaign))
    who = ("c02", None, "c01", "c02")
    for operator, voucher in zip(who, await held_vouchers(kit, campaign, "fitness", 4), strict=True):
        await till.redeem(voucher.code, operator=operator)
    day = local_day(clock.now(), "Asia/Shanghai").isoformat()
    await desk.settle(campaign, day, day)
    (one,) = await desk.of(till.institution_id)
    items = (await desk.bureau.get(f"/settlements/{one['id']}/items")).json()["items"]
    assert sorted(item["operator"] or "" for item in items) == ["", "c01", "c02", "c02"]
    found = sheets((await desk.bureau.get(f"/settlements/{one['id']}/statement.xlsx")).content)
    assert list(found) == ["结算单", "核销明细", "操作员"]
    listed = found["核销明细"]
    head = next(place for place, row in enumerate(listed) if row[0] == "序号")
    assert listed[head][-1] == "操作员"
    assert sorted(str(row[-1]) for row in listed[head + 1 : -1]) == ["", "c01", "c02", "c02"]
    totals = [row[:3] for row in found["操作员"]][-4:]
    assert [(row[0], int(row[1]), fen(row[2])) for row in totals] == [
        ("c01", 1, 5_000),
        ("c02", 2, 10_000),
        ("（未注明）", 1, 5_000),
        ("合计", 4, 20_000),
    ]

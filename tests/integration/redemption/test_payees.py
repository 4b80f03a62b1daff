"""Payees' accounts: approved by two, sealed and masked everywhere but in the payment file."""

import csv
import io
import secrets
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.redemption.app import create_app
from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock, local_day
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import Bureau, bureau
from tests.support.vouchers import held_voucher, published

NAME, BANK = "示例·蒙自市第一人民医院", "示例银行红河分行"


def digits() -> str:
    return "62" + "".join(secrets.choice("0123456789") for _ in range(17))


@pytest.fixture(scope="module")
async def campaign(kit: Kit) -> CampaignRef:
    return await published(kit, "payees-2020")


@pytest.fixture(scope="module")
async def desk(kit: Kit, staff: Bureau) -> Books:
    return await books(kit, staff)


@pytest.fixture
async def till(staff: Bureau, campaign: CampaignRef, clock: ManualClock) -> TerminalClient:
    clock.advance(days=3)
    return await staff.till(await staff.institution(campaign))


@pytest.fixture(scope="module", autouse=True)
async def whole(kit: Kit) -> Any:  # noqa: ANN401 - a generator fixture
    yield
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok] == []


async def proposed(desk: Books, institution: str, number: str, **more: object) -> httpx.Response:
    body = {"account_name": NAME, "bank_name": BANK, "account_number": number, "reason": "开户证明", **more}
    return await desk.bureau.post(f"/institutions/{institution}/payee-accounts", body)


async def set_account(desk: Books, institution: str, number: str) -> None:
    done = await desk.approve(await proposed(desk, institution, number))
    assert done.status_code == 200, done.text


async def accounts(desk: Books, institution: str) -> list[dict[str, Any]]:
    found = await desk.bureau.get(f"/institutions/{institution}/payee-accounts")
    return list(found.json()["items"])


async def settled(
    kit: Kit, desk: Books, campaign: CampaignRef, till: TerminalClient, bill_fen: int = 3_333
) -> dict[str, Any]:
    voucher = await held_voucher(kit, campaign)
    await till.redeem(voucher.code, bill_fen)
    day = local_day(kit.clock.now(), "Asia/Shanghai").isoformat()
    await desk.settle(campaign, day, day)
    return (await desk.of(till.institution_id))[0]


async def payment_rows(desk: Books, campaign: CampaignRef, **params: str) -> list[list[str]]:
    answer = await desk.bureau.get("/settlements/payment-file", campaign=campaign.slug, **params)
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


async def test_account_is_masked_in_every_view_and_sealed_at_rest(
    kit: Kit, desk: Books, till: TerminalClient
) -> None:
    number = digits()
    spaced = f"{number[:4]} {number[4:8]}-{number[8:]}"
    asked = await proposed(desk, till.institution_id, spaced, request_no="payee-1")
    again = await proposed(desk, till.institution_id, spaced, request_no="payee-1")
    assert (asked.status_code, again.status_code) == (202, 200)
    other = await proposed(desk, till.institution_id, digits(), request_no="payee-1")
    assert other.json()["code"] == "request_no_reused"
    assert await accounts(desk, till.institution_id) == []
    changes = (await desk.bureau.get("/changes", status="pending", limit="200")).json()["items"]
    body = next(one["body"] for one in changes if one["change_id"] == asked.json()["change_id"])
    assert (body["account_number"], body["account_name"]) == (f"****{number[-4:]}", "示例**医院")
    assert (await desk.approve(asked)).status_code == 200

    (account,) = await accounts(desk, till.institution_id)
    assert account["account_number"] == f"****{number[-4:]}"
    assert (account["version"], account["in_force"]) == (1, True)
    own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=till.institution_id)
    stranger = await signed_in_staff(kit, Role.INSTITUTION, institution_id="ins_other")
    url = f"/redemption/v1/institutions/{till.institution_id}/payee-accounts"
    assert (await desk.bureau.http.get(url, headers=own)).json()["items"] == [account]
    assert (await desk.bureau.http.get(url, headers=stranger)).status_code == 403
    for statement in (
        "SELECT string_agg(t::text, '|') FROM redemption.payee_account t",
        "SELECT string_agg(t::text, '|') FROM core.change t",
        "SELECT string_agg(t::text, '|') FROM core.audit_entry t",
    ):
        async with kit.database.snapshot() as tx:
            stored = (await tx.execute(text(statement))).scalar_one()
        assert number not in stored
        assert number.encode().hex() not in stored
        assert BANK not in stored


async def test_reveal_needs_a_reason_and_a_writer_and_is_audited(
    kit: Kit, desk: Books, till: TerminalClient
) -> None:
    number = digits()
    asked = await proposed(desk, till.institution_id, number)
    changes = (await desk.bureau.get("/changes", status="pending", limit="200")).json()["items"]
    body = next(one["body"] for one in changes if one["change_id"] == asked.json()["change_id"])
    path = f"/institutions/{till.institution_id}/payee-accounts/{body['account_id']}/reveal"
    # The second pair of eyes compares it with the paper before it approves.
    seen = await desk.bureau.http.post(
        f"/redemption/v1{path}", json={"reason": "核对开户证明"}, headers=desk.other
    )
    assert (seen.status_code, seen.json()["account_number"]) == (200, number)
    assert (await desk.bureau.post(path, {})).status_code == 422
    for role in (Role.AUDITOR, Role.INSTITUTION):
        headers = await signed_in_staff(kit, role, institution_id=till.institution_id)
        refused = await desk.bureau.http.post(f"/redemption/v1{path}", json={"reason": "x"}, headers=headers)
        assert refused.status_code == 403
    elsewhere = path.replace(till.institution_id, "ins_other")
    assert (await desk.bureau.post(elsewhere, {"reason": "x"})).status_code == 404
    statement = text("""
        SELECT after ->> 'reason' FROM core.audit_entry
        WHERE action = 'payee_account.reveal' AND object = 'institution:' || :id
    """)
    async with kit.database.snapshot() as tx:
        reasons = list((await tx.execute(statement, {"id": till.institution_id})).scalars())
    assert reasons == ["核对开户证明"]


async def test_each_reason_why_not_has_its_code(
    kit: Kit, desk: Books, campaign: CampaignRef, till: TerminalClient
) -> None:
    for number in ("12345", "1" * 33, "6222a00000000000", "", "六二二二零零"):
        assert (await proposed(desk, till.institution_id, number)).status_code == 422
    assert (await proposed(desk, "ins_nowhere", digits())).status_code == 404
    number = digits()
    await set_account(desk, till.institution_id, number)
    same = await proposed(desk, till.institution_id, number)
    assert (same.status_code, same.json()["code"]) == (409, "same_payee_account")
    auditor = await signed_in_staff(kit, Role.AUDITOR)
    url = f"/redemption/v1/settlements/payment-file?campaign={campaign.slug}"
    assert (await desk.bureau.http.get(url, headers=auditor)).status_code == 403


@pytest.mark.parametrize("field", ["account_name", "bank_name"])
async def test_an_account_that_a_banks_file_cannot_say_exactly_is_refused(
    desk: Books, till: TerminalClient, field: str
) -> None:
    answer = await proposed(desk, till.institution_id, digits(), **{field: "＝HYPERLINK(1)"})
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, f"body.{field}")


async def test_payment_file_has_accounts_in_full_and_pays_nothing_to_nowhere(
    kit: Kit, desk: Books, campaign: CampaignRef, till: TerminalClient
) -> None:
    homeless = await desk.bureau.till(await desk.bureau.institution(campaign))
    number = digits()
    await set_account(desk, till.institution_id, number)
    one = await settled(kit, desk, campaign, till)
    two = await settled(kit, desk, campaign, homeless, 4_444)
    for settlement in (one, two):
        await desk.confirm(settlement)
    rows = await payment_rows(desk, campaign)
    paid = [row for row in rows if row[0].isdigit() and row[7] == one["id"]]
    assert {tuple(row[12:]) for row in paid} == {(NAME, BANK, number)}
    assert round(sum(float(row[10]) for row in paid) * 100) == 3_333
    left = [row for row in rows if row[0] == "例外" and row[7] == two["id"]]
    assert {(row[1], row[11], *row[12:]) for row in left} == {
        ("未列入", "收款账户未登记，未列入付款", "", "", "")
    }
    assert round(sum(float(row[10]) for row in left) * 100) == 4_444
    totals = {row[1]: round(float(row[10]) * 100) for row in rows if row[0] == "合计"}
    assert totals["付款"] == round(sum(float(r[10]) for r in rows if r[0].isdigit() and r[1] == "付款") * 100)
    assert totals["未列入"] == round(sum(float(row[10]) for row in rows if row[0] == "例外") * 100)
    statement = text("""
        SELECT after ->> 'sha256', (after ->> 'exceptions')::int FROM core.audit_entry
        WHERE action = 'settlement.payment_file' ORDER BY seq DESC LIMIT 1
    """)
    async with kit.database.snapshot() as tx:
        told = (await tx.execute(statement)).one()
    assert tuple(told) == (rows[-1][1], len([row for row in rows if row[0] == "例外"]))


async def test_paid_settlement_keeps_the_account_of_its_payment(
    kit: Kit, desk: Books, campaign: CampaignRef, till: TerminalClient
) -> None:
    first, second = digits(), digits()
    await set_account(desk, till.institution_id, first)
    one = await settled(kit, desk, campaign, till)
    await desk.pay(one)
    await set_account(desk, till.institution_id, second)
    detail = (await desk.bureau.get(f"/settlements/{one['id']}")).json()
    assert (detail["payee"]["version"], detail["payee"]["account_number"]) == (1, f"****{first[-4:]}")
    listed = await accounts(desk, till.institution_id)
    assert [(account["version"], account["in_force"]) for account in listed] == [(2, True), (1, False)]
    rows = await payment_rows(desk, campaign, status="paid", institution_id=till.institution_id)
    assert {row[14] for row in rows if row[0].isdigit()} == {first}


async def test_payment_is_approved_only_to_the_account_that_it_was_proposed_to(
    kit: Kit, desk: Books, campaign: CampaignRef, till: TerminalClient
) -> None:
    one = await settled(kit, desk, campaign, till)
    await desk.confirm(one)
    pay = f"/settlements/{one['id']}/pay"
    to_nobody = await desk.bureau.post(pay, {})
    await set_account(desk, till.institution_id, digits())
    to_first = await desk.bureau.post(pay, {})
    await set_account(desk, till.institution_id, digits())
    for late in (to_nobody, to_first):
        refused = await desk.approve(late)
        assert (refused.status_code, refused.json()["code"]) == (409, "no_longer_fits")
        assert "收款账户" in refused.json()["detail"]
    assert (await desk.approve(await desk.bureau.post(pay, {}))).status_code == 200


async def test_platform_may_refuse_to_pay_without_an_account(
    kit: Kit, settings: Settings, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
) -> None:
    strict = settings.model_copy(update={"payee_account_required": True})
    async with serving(redemption=create_app(strict, clock=clock)) as http:
        desk = await books(kit, await bureau(http, kit))
        one = await settled(kit, desk, campaign, till)
        await desk.confirm(one)
        pay = f"/settlements/{one['id']}/pay"
        refused = await desk.bureau.post(pay, {})
        assert (refused.status_code, refused.json()["code"]) == (409, "payee_account_missing")
        await set_account(desk, till.institution_id, digits())
        assert (await desk.approve(await desk.bureau.post(pay, {}))).status_code == 200


async def test_closed_institution_gets_no_account(kit: Kit, desk: Books, till: TerminalClient) -> None:
    waiting = await proposed(desk, till.institution_id, digits())
    closed = text("UPDATE redemption.institution SET status = 'closed' WHERE id = :id")
    reopened = text("UPDATE redemption.institution SET status = 'active' WHERE id = :id")
    async with kit.database.transaction() as tx:
        await tx.execute(closed, {"id": till.institution_id})
    late = await desk.approve(waiting)
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")
    assert (await proposed(desk, till.institution_id, digits())).status_code == 404
    async with kit.database.transaction() as tx:
        await tx.execute(reopened, {"id": till.institution_id})


async def test_approved_account_is_changed_and_deleted_by_nobody(
    kit: Kit, desk: Books, till: TerminalClient
) -> None:
    await set_account(desk, till.institution_id, digits())
    for statement in (
        "UPDATE redemption.payee_account SET details_sealed = '\\x00' WHERE institution_id = :id",
        "DELETE FROM redemption.payee_account WHERE institution_id = :id",
    ):
        with pytest.raises(Exception, match="is append-only"):
            async with kit.database.transaction() as tx:
                await tx.execute(text(statement), {"id": till.institution_id})

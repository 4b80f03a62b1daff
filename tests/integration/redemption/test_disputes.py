"""A dispute is answered: rejected with a reason, or upheld, and then the settlement is computed anew."""

import io
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from shared.clients.terminal import Redemption, TerminalClient
from shared.clock import ManualClock, local_day
from shared.identity.staff import Role
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import Bureau
from tests.support.vouchers import held_vouchers

BASE = "/redemption/v1/settlements"


@pytest.fixture(scope="module")
async def desk(kit: Kit, staff: Bureau) -> Books:
    return await books(kit, staff)


@dataclass(frozen=True, slots=True)
class Case:
    """A draft of four write-offs, 1,000, 2,000, 3,000 and 30,000 fen, and its institution."""

    desk: Books
    id: str
    own: dict[str, str]
    till: TerminalClient
    done: list[Redemption]

    async def said(self, call: str, body: dict[str, Any]) -> httpx.Response:
        return await self.desk.bureau.http.post(f"{BASE}/{self.id}/{call}", json=body, headers=self.own)

    async def resolve(self, outcome: str, *withdraw: str, **more: object) -> httpx.Response:
        body = {"outcome": outcome, "reason": "已核对票据", **more}
        if withdraw:
            body["withdraw"] = list(withdraw)
        return await self.desk.bureau.post(f"/settlements/{self.id}/resolve", body)

    async def shown(self) -> dict[str, Any]:
        return dict((await self.desk.bureau.get(f"/settlements/{self.id}")).json())


@pytest.fixture
async def case(kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books) -> Case:
    clock.advance(days=3)
    till = await desk.bureau.till(await desk.bureau.institution(campaign))
    general = await held_vouchers(kit, campaign, "general_50", 3)
    done = [await till.redeem(one.code, 1_000 * place) for place, one in enumerate(general, start=1)]
    done.append(await till.redeem((await held_vouchers(kit, campaign, "checkup"))[0].code))
    day = local_day(clock.now(), "Asia/Shanghai").isoformat()
    await desk.settle(campaign, day, day)
    own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=till.institution_id)
    return Case(desk, (await desk.of(till.institution_id))[0]["id"], own, till, done)


@pytest.fixture(scope="module", autouse=True)
async def whole(kit: Kit) -> Any:  # noqa: ANN401 - a generator fixture
    yield
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok] == []


async def test_rejected_dispute_says_why_and_leaves_the_settlement_to_be_confirmed(case: Case) -> None:
    await case.said("dispute", {"note": "金额不符"})
    rejected = await case.resolve("rejected", request_no="resolve-1")
    assert (rejected.status_code, rejected.json()["dispute"]) == (200, None)
    again = await case.resolve("rejected", request_no="resolve-1")
    assert (again.status_code, again.headers["idempotent-replay"]) == (200, "true")

    seen = (await case.desk.bureau.http.get(f"{BASE}/{case.id}", headers=case.own)).json()
    (told,) = seen["disputes"]
    assert (told["note"], told["outcome"], told["reason"]) == ("金额不符", "rejected", "已核对票据")
    assert (seen["dispute"], seen["revision"], seen["earlier"]) == (None, 1, [])
    assert (await case.said("confirm", {})).json()["status"] == "confirmed"


async def test_every_word_of_a_long_dispute_is_kept(case: Case) -> None:
    await case.said("dispute", {"note": "一"})
    await case.said("dispute", {"note": "二"})
    await case.resolve("rejected")
    await case.said("dispute", {"note": "三"})
    await case.said("confirm", {})
    told = [(one["note"], one["outcome"]) for one in (await case.shown())["disputes"]]
    assert told == [("一", "restated"), ("二", "rejected"), ("三", "confirmed")]


async def test_upheld_dispute_takes_write_offs_back_and_computes_the_statement_anew(
    kit: Kit, case: Case
) -> None:
    wrong = [case.done[0].id, case.done[3].id]
    await case.said("dispute", {"note": "重复核销两笔"})
    proposed = await case.resolve("upheld", *wrong, request_no="resolve-2")
    assert proposed.status_code == 202
    own_change = f"/changes/{proposed.json()['change_id']}/approve"
    assert (await case.desk.bureau.post(own_change, {})).json()["code"] == "same_person"
    assert (await case.shown())["amount_fen"] == 36_000
    assert (await case.desk.approve(proposed)).status_code == 200

    seen = await case.shown()
    assert (seen["status"], seen["dispute"], seen["revision"]) == ("draft", None, 2)
    assert (seen["count"], seen["corrections"], seen["amount_fen"]) == (4, 2, 5_000)
    assert sum(seen["by_funding_source"].values()) == 5_000
    lines = {(line["kind"], line["voucher_type"]): line["amount_fen"] for line in seen["lines"]}
    assert lines == {
        ("redemption", "general_50"): 6_000,
        ("redemption", "checkup"): 30_000,
        ("correction", "general_50"): -1_000,
        ("correction", "checkup"): -30_000,
    }
    (before,) = seen["earlier"]
    assert (before["revision"], before["amount_fen"], len(before["lines"])) == (1, 36_000, 2)
    (told,) = seen["disputes"]
    assert (told["outcome"], sorted(told["withdrawn"])) == ("upheld", sorted(wrong))

    # Disputed and upheld once more, of a type that has a line of corrections already.
    await case.said("dispute", {"note": "还有一笔"})
    assert (await case.desk.approve(await case.resolve("upheld", case.done[1].id))).status_code == 200
    seen = await case.shown()
    assert (seen["revision"], seen["corrections"], seen["amount_fen"]) == (3, 3, 3_000)
    assert [one["amount_fen"] for one in seen["earlier"]] == [36_000, 5_000]

    await printed_as_told(case, 3_000)
    await paid_as_told(kit, case, 3_000)


async def printed_as_told(case: Case, amount_fen: int) -> None:
    answer = await case.desk.bureau.get(f"/settlements/{case.id}/statement.xlsx")
    book = CalamineWorkbook.from_filelike(io.BytesIO(answer.content))
    rows = [row for row in book.get_sheet_by_name("结算单").to_python() if any(row)]
    totals = [row for row in rows if row[0] == "合计"]
    assert [round(float(str(row[3])) * 100) for row in totals] == [amount_fen, amount_fen]
    assert any("第 3 版" in str(row[1]) for row in rows)


async def paid_as_told(kit: Kit, case: Case, amount_fen: int) -> None:
    await case.desk.pay({"id": case.id, "institution_id": case.till.institution_id})
    statement = text("""
        SELECT kind, core.amounts_total(amounts_fen) FROM core.ledger_transfer
        WHERE source_id = CAST(:id AS uuid) ORDER BY kind
    """)
    async with kit.database.snapshot() as tx:
        rows = (await tx.execute(statement, {"id": case.id})).all()
    moved = {str(row[0]): int(row[1]) for row in rows}
    assert moved == {"pay": 36_000, "recover": 33_000}
    assert moved["pay"] - moved["recover"] == amount_fen


async def test_settlement_that_is_wrong_in_all_is_worth_nothing_and_can_be_closed(case: Case) -> None:
    await case.said("dispute", {"note": "全部有误"})
    proposed = await case.resolve("upheld", *(one.id for one in case.done))
    assert (await case.desk.approve(proposed)).status_code == 200
    assert (await case.shown())["amount_fen"] == 0
    await case.desk.pay({"id": case.id, "institution_id": case.till.institution_id})


async def test_each_reason_why_not_has_its_code(kit: Kit, campaign: CampaignRef, case: Case) -> None:
    async def code(outcome: str, *withdraw: str) -> str:
        return str((await case.resolve(outcome, *withdraw)).json().get("code"))

    assert await code("rejected") == "not_disputed"
    assert await code("upheld", case.done[0].id) == "not_disputed"
    await case.said("dispute", {"note": "x"})
    other = (await held_vouchers(kit, campaign, "general_50"))[0]
    unsettled = await case.till.redeem(other.code, 1_000)
    assert await code("upheld", unsettled.id) == "not_in_settlement"
    assert await code("upheld", case.done[0].id, "00" + "0" * 32) == "not_in_settlement"
    assert await code("upheld", "nonsense") == "not_found"
    assert await code("upheld") == "invalid_request"
    assert await code("rejected", case.done[0].id) == "invalid_request"
    assert await code("upheld", case.done[0].id, case.done[0].id) == "invalid_request"

    await case.desk.correct(case.done[0].id)
    assert await code("upheld", case.done[0].id) == "already_corrected"
    assert (
        await case.desk.bureau.post(
            f"/settlements/{'0' * 32}/resolve", {"outcome": "rejected", "reason": "x"}
        )
    ).status_code == 404
    url = f"{BASE}/{case.id}/resolve"
    for role in (Role.AUDITOR, Role.INSTITUTION):
        headers = await signed_in_staff(kit, role, institution_id=case.till.institution_id)
        refused = await case.desk.bureau.http.post(
            url, json={"outcome": "rejected", "reason": "x"}, headers=headers
        )
        assert refused.status_code == 403


async def test_change_that_no_longer_fits_takes_nothing_back(case: Case) -> None:
    await case.said("dispute", {"note": "x"})
    over, corrected = (
        await case.resolve("upheld", case.done[0].id),
        await case.resolve("upheld", case.done[1].id, case.done[2].id),
    )
    await case.desk.correct(case.done[1].id)
    refused = await case.desk.approve(corrected)
    assert (refused.status_code, refused.json()["code"]) == (409, "no_longer_fits")
    # Said anew: what was proposed answers another dispute.
    await case.said("dispute", {"note": "y"})
    assert (await case.desk.approve(over)).json()["code"] == "no_longer_fits"
    await case.said("confirm", {})
    assert (await case.desk.approve(over)).json()["code"] == "no_longer_fits"
    seen = await case.shown()
    assert (seen["revision"], seen["corrections"], seen["amount_fen"]) == (1, 0, 36_000)


async def test_what_was_taken_back_is_corrected_by_nobody_again(case: Case) -> None:
    await case.said("dispute", {"note": "x"})
    await case.desk.approve(await case.resolve("upheld", case.done[0].id))
    again = await case.desk.bureau.post(f"/redemptions/{case.done[0].id}/corrections", {"reason": "x"})
    assert again.json()["code"] == "already_corrected"


async def test_disputes_are_audited_with_what_was_said(kit: Kit, case: Case) -> None:
    await case.said("dispute", {"note": "多算"})
    await case.resolve("rejected")
    statement = text("""
        SELECT action FROM core.audit_entry WHERE object = 'settlement:' || :id ORDER BY seq
    """)
    async with kit.database.snapshot() as tx:
        actions = list((await tx.execute(statement, {"id": case.id})).scalars())
    assert actions == ["settlement.dispute", "settlement.reject_dispute"]

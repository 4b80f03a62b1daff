"""Periods are settled once for each write-off, confirmed, paid by four eyes, corrected in the next."""

import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.redemption.app import create_app
from services.redemption.settlement import store
from shared.clients.terminal import Lookup, OfflineItem, Redemption, Refused, TerminalClient
from shared.clock import ManualClock, local_day
from shared.identity.staff import Role
from shared.ids import new_id
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from tests.support.http import serving
from tests.support.people import signed_in_staff
from tests.support.settlements import Books, books
from tests.support.tills import Bureau, bureau
from tests.support.vouchers import held_voucher

CONCERNED = {check.name for check in sql_checks() if check.file.startswith(("core_", "redemption_"))}


@pytest.fixture(scope="module")
async def desk(kit: Kit, staff: Bureau) -> Books:
    return await books(kit, staff)


@pytest.fixture
async def till(staff: Bureau, campaign: CampaignRef, clock: ManualClock) -> TerminalClient:
    """A till of an institution of its own, on a day that no test has settled."""
    clock.advance(days=3)
    return await staff.till(await staff.institution(campaign))


@pytest.fixture(scope="module", autouse=True)
async def whole(kit: Kit) -> Any:  # noqa: ANN401 - a generator fixture
    yield
    report = await recompute(kit)
    assert [check for check in report.checks if not check.ok and check.name in CONCERNED] == []


def today(clock: ManualClock, days: int = 0) -> str:
    return (local_day(clock.now(), "Asia/Shanghai") + timedelta(days=days)).isoformat()


async def used(
    kit: Kit, campaign: CampaignRef, till: TerminalClient, kind: str = "general_50", bill_fen: int = 3_333
) -> Redemption:
    voucher = await held_voucher(kit, campaign, kind)
    return await till.redeem(voucher.code, None if kind in ("checkup", "fitness") else bill_fen)


async def settled(desk: Books, campaign: CampaignRef, till: TerminalClient, clock: ManualClock) -> Any:  # noqa: ANN401 - JSON
    await desk.settle(campaign, today(clock), today(clock))
    return (await desk.of(till.institution_id))[0]


async def balance(kit: Kit, account: str, institution: str) -> list[int]:
    statement = text("""
        SELECT core.amounts_sum(ARRAY(
            SELECT CASE WHEN credit = :account THEN x ELSE -x END
            FROM unnest(amounts_fen) WITH ORDINALITY AS u (x, i) ORDER BY i))
        FROM core.ledger_transfer
        WHERE institution_id = :institution AND :account IN (debit, credit)
    """)
    async with kit.database.snapshot() as tx:
        values = {"account": account, "institution": institution}
        return list((await tx.execute(statement, values)).scalar_one() or [])


async def test_a_period_becomes_one_settlement_with_lines_and_payers(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    done = [await used(kit, campaign, till), await used(kit, campaign, till, "checkup")]
    undone = await used(kit, campaign, till)
    await till.reverse(undone.request_no, "x")

    one = await settled(desk, campaign, till, clock)

    assert one["status"] == "draft"
    assert (one["from"], one["to"]) == (today(clock), today(clock))
    assert one["count"] == 2
    assert one["amount_fen"] == sum(item.applied_fen for item in done) == 33_333
    assert one["by_voucher_type"] == {"checkup": 1, "general_50": 1}
    assert sum(one["by_funding_source"].values()) == 33_333
    assert list(one["by_funding_source"].values()) == await balance(kit, "payable", till.institution_id)
    detail = (await desk.bureau.get(f"/settlements/{one['id']}")).json()
    assert [(line["kind"], line["voucher_type"], line["amount_fen"]) for line in detail["lines"]] == [
        ("redemption", "checkup", 30_000),
        ("redemption", "general_50", 3_333),
    ]
    items = (await desk.bureau.get(f"/settlements/{one['id']}/items")).json()["items"]
    assert {item["redemption_id"] for item in items} == {item.id for item in done}


async def test_the_same_period_twice_adds_nothing(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    await used(kit, campaign, till)
    first = await desk.settle(campaign, today(clock), today(clock))
    again = await desk.settle(campaign, today(clock), today(clock))
    assert first == {"settlements": 1, "count": 1, "corrections": 0, "amount_fen": 3_333, "held_back": 0}
    assert again == {"settlements": 0, "count": 0, "corrections": 0, "amount_fen": 0, "held_back": 0}


async def test_job_that_died_in_the_middle_goes_on_where_it_was(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    other = await desk.bureau.till(await desk.bureau.institution(campaign))
    await used(kit, campaign, till)
    await used(kit, campaign, other, "checkup")
    asked = (await desk.request(campaign, today(clock), today(clock))).json()
    day, now, job_id = local_day(clock.now(), "Asia/Shanghai"), clock.now(), UUID(asked["job_id"])
    async with kit.database.transaction() as tx:
        await store.open_run(tx, store.Run(job_id, campaign.id, day, day, None), now)
        assert await store.settle_institution(
            tx, job_id, till.institution_id, settlement_id=new_id(), received_until=None, now=now
        )
    await desk.work()
    job = (await desk.bureau.get(f"/jobs/{asked['job_id']}")).json()
    assert job["result"] == {
        "settlements": 2,
        "count": 2,
        "corrections": 0,
        "amount_fen": 33_333,
        "held_back": 0,
    }
    assert job["progress"] == 100
    assert len(await desk.of(till.institution_id)) == len(await desk.of(other.institution_id)) == 1


async def test_what_comes_late_from_a_settled_period_is_in_the_next(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    await used(kit, campaign, till)
    voucher = await held_voucher(kit, campaign, "checkup")
    day, used_at = today(clock), clock.now()
    await desk.settle(campaign, day, day)
    clock.advance(days=1)
    late = OfflineItem(secrets.token_hex(8), voucher.code, used_at)
    uploaded = await till.upload("b" + secrets.token_hex(8), [late])
    assert [item.outcome for item in uploaded.results] == ["redeemed"]
    result = await desk.settle(campaign, today(clock), today(clock))
    assert (result["count"], result["amount_fen"]) == (1, 30_000)


async def test_a_day_that_no_run_covered_is_left_to_its_own(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    await used(kit, campaign, till)
    yesterday = today(clock)
    clock.advance(days=1)
    await used(kit, campaign, till, "checkup")
    assert (await desk.settle(campaign, today(clock), today(clock)))["count"] == 1
    assert (await desk.settle(campaign, yesterday, yesterday))["count"] == 1


async def test_younger_write_offs_than_the_hold_period_wait_for_the_next(
    kit: Kit, settings: Settings, clock: ManualClock, campaign: CampaignRef, till: TerminalClient
) -> None:
    held = settings.model_copy(update={"settlement_hold_days": 2})
    async with serving(redemption=create_app(held, clock=clock)) as http:
        patient = await books(kit_with(kit, held), await bureau(http, kit))
        await used(kit, campaign, till)
        day = today(clock)
        assert (await patient.settle(campaign, day, day))["count"] == 0
        clock.advance(days=2)
        assert (await patient.settle(campaign, day, day))["count"] == 1


def lookup_status(found: Lookup | None) -> str | None:
    return None if found is None else found.status


def kit_with(kit: Kit, settings: Settings) -> Kit:
    return Kit(settings, kit.clock, kit.database, kit.keys)


async def test_settled_write_off_is_not_reversed(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    done = await used(kit, campaign, till)
    await settled(desk, campaign, till, clock)
    with pytest.raises(Refused, match="already_settled"):
        await till.reverse(done.request_no, "x")


async def test_institution_confirms_and_four_eyes_pay(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    await used(kit, campaign, till)
    one = await settled(desk, campaign, till, clock)
    pay = f"/settlements/{one['id']}/pay"
    early = await desk.bureau.post(pay, {})
    assert (early.status_code, early.json()["code"]) == (409, "settlement_not_confirmed")

    await desk.confirm(one)
    proposed = await desk.bureau.post(pay, {"reason": "十一月结算", "request_no": "pay-1"})
    assert proposed.json()["status"] == "pending"
    again = await desk.bureau.post(pay, {"reason": "十一月结算", "request_no": "pay-1"})
    assert (again.status_code, again.json()) == (200, proposed.json())
    own = f"/changes/{proposed.json()['change_id']}/approve"
    assert (await desk.bureau.post(own, {})).json()["code"] == "same_person"
    second = await desk.bureau.post(pay, {})
    waiting = await desk.bureau.get("/changes", status="pending", target=f"settlement:{one['id']}")
    proposals = {proposed.json()["change_id"], second.json()["change_id"]}
    assert {change["change_id"] for change in waiting.json()["items"]} == proposals
    assert (await desk.approve(proposed)).status_code == 200

    detail = (await desk.bureau.get(f"/settlements/{one['id']}")).json()
    assert detail["status"] == "paid"
    assert await balance(kit, "paid", till.institution_id) == list(one["by_funding_source"].values())
    assert sum(await balance(kit, "payable", till.institution_id)) == 0
    late = await desk.approve(second)
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")
    assert (await desk.bureau.post(pay, {})).json()["code"] == "already_paid"


async def test_prometheus_tells_settled_money_by_status(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    async def told(status: str) -> int:
        text_of = (await desk.bureau.http.get("/redemption/metrics", headers=desk.bureau.headers)).text
        name = f'hv_settlement_fen{{campaign="{campaign.slug}",status="{status}"}} '
        return int(float(next(line for line in text_of.splitlines() if line.startswith(name)).split()[-1]))

    before = {status: await told(status) for status in ("draft", "confirmed", "paid")}
    await used(kit, campaign, till)
    one = await settled(desk, campaign, till, clock)
    assert await told("draft") == before["draft"] + 3_333
    await desk.pay(one)
    assert await told("draft") == before["draft"]
    assert await told("paid") == before["paid"] + 3_333


async def test_institution_disputes_and_confirms_later(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    await used(kit, campaign, till)
    one = await settled(desk, campaign, till, clock)
    own = await signed_in_staff(kit, Role.INSTITUTION, institution_id=till.institution_id)
    path, http = f"/redemption/v1/settlements/{one['id']}", desk.bureau.http
    said = await http.post(f"{path}/dispute", json={"note": "少计一笔"}, headers=own)
    assert said.json()["dispute"]["note"] == "少计一笔"
    assert (await http.get(path, headers=own)).json()["dispute"]["note"] == "少计一笔"
    assert (await http.post(f"{path}/confirm", headers=own)).json()["status"] == "confirmed"
    assert (await http.get(path, headers=own)).json()["dispute"] is None
    for call, body in (("confirm", {}), ("dispute", {"note": "x"})):
        refused = await http.post(f"{path}/{call}", json=body, headers=own)
        assert (refused.status_code, refused.json()["code"]) == (409, "already_confirmed")
    paid = await desk.approve(await desk.bureau.post(f"/settlements/{one['id']}/pay", {}))
    assert paid.status_code == 200
    refused = await http.post(f"{path}/confirm", json={}, headers=own)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_paid")


async def test_others_see_and_confirm_nothing(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    await used(kit, campaign, till)
    one = await settled(desk, campaign, till, clock)
    stranger = await signed_in_staff(
        kit, Role.INSTITUTION, institution_id=await desk.bureau.institution(campaign)
    )
    hospital = await signed_in_staff(kit, Role.HOSPITAL, hospital_id="h")
    http, path = desk.bureau.http, f"/redemption/v1/settlements/{one['id']}"

    async def status(headers: dict[str, str], method: str, url: str) -> int:
        answer: httpx.Response = await http.request(method, url, headers=headers)
        return answer.status_code

    assert (await http.get("/redemption/v1/settlements", headers=stranger)).json()["items"] == []
    for headers in (stranger, hospital):
        assert await status(headers, "GET", path) == 403
        assert await status(headers, "GET", f"{path}/items") == 403
        assert await status(headers, "POST", f"{path}/confirm") == 403
        assert await status(headers, "POST", f"{path}/pay") == 403
    assert await status(desk.bureau.headers, "POST", f"{path}/confirm") == 403
    assert (
        await status(stranger, "GET", f"/redemption/v1/settlements?institution_id={till.institution_id}")
        == 403
    )
    assert await status(hospital, "GET", "/redemption/v1/settlements") == 403
    assert await status({}, "GET", path) == 401
    unknown = "/redemption/v1/settlements/" + "0" * 32
    assert await status(desk.bureau.headers, "GET", unknown) == 404


async def test_list_is_filtered_and_paged(
    kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
) -> None:
    for _ in range(3):
        clock.advance(days=1)
        await used(kit, campaign, till)
        await desk.settle(campaign, today(clock), today(clock))
    found = await desk.of(till.institution_id, campaign=campaign.slug, status="draft")
    assert [one["from"] for one in found] == [today(clock, -days) for days in range(3)]
    assert await desk.of(till.institution_id, status="paid") == []
    assert len(await desk.of(till.institution_id, **{"from": today(clock)})) == 1
    first = (await desk.bureau.get("/settlements", institution_id=till.institution_id, limit="2")).json()
    rest = await desk.bureau.get(
        "/settlements", institution_id=till.institution_id, limit="2", cursor=first["next_cursor"]
    )
    assert first["items"] + rest.json()["items"] == found
    assert (first["total"], first["count"], first["amount_fen"]) == (3, 3, 9_999)
    assert sum(first["by_funding_source"].values()) == 9_999
    assert set(first["by_funding_source"]) == set(first["payers"]) == set(found[0]["payers"])
    assert await desk.of(till.institution_id, disputed="true") == []


@pytest.mark.parametrize(
    ("first", "last", "code"),
    [("2020-11-02", "2020-11-01", "period_order"), ("2020-01-01", "2021-01-01", "period_length")],
)
async def test_a_period_that_cannot_be_is_refused(
    campaign: CampaignRef, desk: Books, first: str, last: str, code: str
) -> None:
    refused = await desk.request(campaign, first, last)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)


async def test_settling_an_unknown_campaign_is_refused_and_a_repeated_request_is_one_job(
    desk: Books, campaign: CampaignRef
) -> None:
    body = {"campaign": "nowhere", "from": "2020-11-01", "to": "2020-11-01"}
    assert (await desk.bureau.post("/settlements", body)).status_code == 404
    body |= {"campaign": campaign.slug, "request_no": "settle-1"}
    first, again = [await desk.bureau.post("/settlements", body) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json() == again.json()


class TestCorrections:
    async def test_correction_is_a_negative_line_in_the_next_settlement(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
    ) -> None:
        wrong, right = await used(kit, campaign, till), await used(kit, campaign, till, "checkup")
        first = await settled(desk, campaign, till, clock)
        await desk.pay(first)
        before = (await desk.bureau.get("/metrics", campaign=campaign.slug)).json()
        await desk.correct(wrong.id)
        clock.advance(days=1)
        await used(kit, campaign, till, "fitness")
        second = await settled(desk, campaign, till, clock)

        assert (second["count"], second["corrections"], second["amount_fen"]) == (1, 1, 5_000 - 3_333)
        assert sum(second["by_funding_source"].values()) == second["amount_fen"]
        lines = (await desk.bureau.get(f"/settlements/{second['id']}")).json()["lines"]
        assert [(line["kind"], line["amount_fen"]) for line in lines] == [
            ("redemption", 5_000),
            ("correction", -3_333),
        ]
        items = (await desk.bureau.get(f"/settlements/{second['id']}/items")).json()["items"]
        assert [(item["amount_fen"], item["reason"]) for item in items] == [
            (-3_333, "重复收费"),
            (5_000, None),
        ]
        await desk.pay(second)
        paid = await balance(kit, "paid", till.institution_id)
        assert sum(paid) == right.applied_fen + 5_000
        assert await balance(kit, "payable", till.institution_id) == [0, 0, 0, 0]
        # The write-off stays one: the voucher was used.
        after = (await desk.bureau.get("/metrics", campaign=campaign.slug)).json()
        assert after["redeemed"] == before["redeemed"] + 1
        assert lookup_status(await till.find(wrong.request_no)) == "redeemed"
        assert (await desk.settle(campaign, today(clock), today(clock)))["corrections"] == 0

    async def test_settlement_of_corrections_only_is_below_zero(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
    ) -> None:
        wrong = await used(kit, campaign, till)
        first = await settled(desk, campaign, till, clock)
        await desk.correct(wrong.id)
        second = await settled(desk, campaign, till, clock)
        assert (second["count"], second["amount_fen"]) == (0, -3_333)
        await desk.confirm(second)
        early = await desk.bureau.post(f"/settlements/{second['id']}/pay", {})
        assert (early.status_code, early.json()["code"]) == (409, "original_unpaid")
        await desk.pay(first)
        paid = await desk.approve(await desk.bureau.post(f"/settlements/{second['id']}/pay", {}))
        assert paid.status_code == 200
        assert await balance(kit, "paid", till.institution_id) == [0, 0, 0, 0]

    async def test_each_reason_why_not_has_its_code(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
    ) -> None:
        done, undone = await used(kit, campaign, till), await used(kit, campaign, till)
        await till.reverse(undone.request_no, "x")

        async def code(redemption_id: str) -> str:
            path = f"/redemptions/{redemption_id}/corrections"
            refused = await desk.bureau.post(path, {"reason": "x"})
            return str(refused.json().get("code"))

        assert await code("00" + "0" * 32) == "not_found"
        assert await code(undone.id) == "already_reversed"
        assert await code(done.id) == "not_settled"
        await settled(desk, campaign, till, clock)
        path = f"/redemptions/{done.id}/corrections"
        one, two = [await desk.bureau.post(path, {"reason": "x"}) for _ in range(2)]
        assert (await desk.approve(one)).status_code == 200
        assert (await desk.approve(two)).json()["code"] == "no_longer_fits"
        assert await code(done.id) == "already_corrected"
        auditor = await signed_in_staff(kit, Role.AUDITOR)
        url = f"/redemption/v1{path}"
        assert (await desk.bureau.http.post(url, json={"reason": "x"}, headers=auditor)).status_code == 403


class TestHolds:
    async def test_held_write_off_waits_until_it_is_released(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
    ) -> None:
        held, free = await used(kit, campaign, till), await used(kit, campaign, till)
        body = {"institution_id": till.institution_id, "redemption_id": held.id, "reason": "待核实"}
        placed = await desk.bureau.post("/settlement-holds", body)
        assert placed.status_code == 201
        one = await settled(desk, campaign, till, clock)
        items = (await desk.bureau.get(f"/settlements/{one['id']}/items")).json()["items"]
        assert [item["redemption_id"] for item in items] == [free.id]
        # Held is not settled: a till may still undo it; here it is released instead.
        release = f"/settlement-holds/{placed.json()['id']}/release"
        assert (await desk.bureau.post(release, {"reason": "无误"})).json()["released_at"] is not None
        again = await desk.bureau.post(release, {"reason": "无误"})
        assert (again.status_code, again.json()["code"]) == (409, "hold_released")
        clock.advance(days=1)
        assert (await desk.settle(campaign, today(clock), today(clock)))["count"] == 1

    async def test_held_institution_has_no_settlement(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
    ) -> None:
        await used(kit, campaign, till)
        body = {"institution_id": till.institution_id, "reason": "风险核查", "request_no": "hold-1"}
        placed, again = [await desk.bureau.post("/settlement-holds", body) for _ in range(2)]
        assert (placed.status_code, again.status_code) == (201, 200)
        assert placed.json() == again.json()
        assert (await desk.settle(campaign, today(clock), today(clock)))["count"] == 0
        listed = await desk.bureau.get("/settlement-holds", institution_id=till.institution_id, open="true")
        assert listed.json()["items"] == [placed.json()]

    async def test_what_cannot_be_held_is_refused(
        self, kit: Kit, clock: ManualClock, campaign: CampaignRef, desk: Books, till: TerminalClient
    ) -> None:
        done, undone = await used(kit, campaign, till), await used(kit, campaign, till)
        await till.reverse(undone.request_no, "x")
        await settled(desk, campaign, till, clock)

        async def code(institution: str, redemption: str | None) -> str:
            body = {"institution_id": institution, "redemption_id": redemption, "reason": "x"}
            return str((await desk.bureau.post("/settlement-holds", body)).json()["code"])

        assert await code(till.institution_id, done.id) == "already_settled"
        assert await code(till.institution_id, undone.id) == "already_reversed"
        assert await code(await desk.bureau.institution(campaign), done.id) == "not_found"
        assert await code("ins_nowhere", None) == "not_found"
        unknown = await desk.bureau.post(f"/settlement-holds/{'0' * 32}/release", {"reason": "x"})
        assert unknown.status_code == 404

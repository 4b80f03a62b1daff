"""People without a phone: their voucher is found by their id number, once, where the campaign allows it."""

import secrets

import httpx
import pytest
from sqlalchemy import text

from services.redemption.app import create_app
from services.redemption.wiring import build
from shared.clients.terminal import TerminalClient
from shared.clock import ManualClock
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef, TillRules
from tests.support.http import serving
from tests.support.people import resident_id
from tests.support.tills import Bureau, bureau, signed
from tests.support.vouchers import HeldVoucher, end, held_voucher, identify, published

UNKNOWN = resident_id(4_711_000)


@pytest.fixture(scope="module")
async def campaign(kit: Kit) -> CampaignRef:
    return await published(kit, "honghe-manual", tills=TillRules(manual_write_off=True))


@pytest.fixture(scope="module")
async def till(staff: Bureau, campaign: CampaignRef) -> TerminalClient:
    return await staff.till(await staff.institution(campaign, accepts=("checkup", "general_50")))


class Counter:
    """A till that asks by id number."""

    def __init__(self, kit: Kit, http: httpx.AsyncClient, till: TerminalClient) -> None:
        self.kit, self.http, self.till = kit, http, till

    async def ask(self, number: str, **more: object) -> httpx.Response:
        body = {
            "request_no": secrets.token_hex(8),
            "id_number": number,
            "voucher_type": "checkup",
            "reason": "老人没有手机",
            **more,
        }
        return await signed(self.till, self.http, "POST", "/redemptions/manual", body, kit=self.kit)


@pytest.fixture
def counter(kit: Kit, http: httpx.AsyncClient, till: TerminalClient) -> Counter:
    return Counter(kit, http, till)


async def holder(kit: Kit, campaign: CampaignRef, voucher_type: str = "checkup") -> tuple[HeldVoucher, str]:
    voucher = await held_voucher(kit, campaign, voucher_type)
    number = resident_id(voucher.id.int % 10**6)
    await identify(kit, voucher, name="王小明", id_number=number)
    return voucher, number


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_written_off_once_flagged_and_with_its_reason(
    kit: Kit, campaign: CampaignRef, counter: Counter, till: TerminalClient, staff: Bureau
) -> None:
    _, number = await holder(kit, campaign)
    no = secrets.token_hex(8)
    done = await counter.ask(number, request_no=no)
    assert done.status_code == 201, done.text
    body = done.json()
    assert (body["status"], body["voucher_type"], body["applied_fen"]) == ("redeemed", "checkup", 30_000)
    again = await counter.ask(number, request_no=no)
    assert (again.status_code, again.headers["Idempotent-Replay"], again.json()) == (200, "true", body)
    other = await counter.ask(number, request_no=no, reason="another")
    assert code(other) == (409, "request_no_reused")
    found = await till.find(no)
    assert found is not None
    assert found.id == body["id"]
    listed = (await staff.get("/redemptions/manual", campaign=campaign.slug)).json()["items"]
    (item,) = [one for one in listed if one["redemption_id"] == body["id"]]
    assert (item["reason"], item["status"], item["terminal_id"]) == (
        "老人没有手机",
        "redeemed",
        till.terminal_id,
    )
    undone = await till.reverse(no, "x")
    assert undone.status == "reversed"


async def test_general_vouchers_need_the_bill_before_anybody_is_looked_up(
    kit: Kit, campaign: CampaignRef, counter: Counter
) -> None:
    _, number = await holder(kit, campaign, "general_50")
    for who in (number, UNKNOWN):
        assert code(await counter.ask(who, voucher_type="general_50")) == (422, "invalid_request")
    done = await counter.ask(number, voucher_type="general_50", bill_fen=3_000)
    assert (done.status_code, done.json()["applied_fen"]) == (201, 3_000)


async def test_one_answer_whoever_it_is_and_whatever_became_of_the_voucher(
    kit: Kit, campaign: CampaignRef, counter: Counter, till: TerminalClient
) -> None:
    answers = [await counter.ask(UNKNOWN)]
    redeemed, number = await holder(kit, campaign)
    await till.redeem(redeemed.code)
    answers.append(await counter.ask(number))
    revoked, number = await holder(kit, campaign)
    await end(kit, revoked, "revoked")
    answers.append(await counter.ask(number))
    _, number = await holder(kit, campaign, "general_50")
    answers.append(await counter.ask(number))
    assert {code(answer) for answer in answers} == {(404, "no_voucher_of_holder")}
    assert len({answer.json()["detail"] for answer in answers}) == 1


async def test_malformed_id_number(counter: Counter) -> None:
    refused = await counter.ask("110105194912310021")
    assert code(refused) == (422, "id_number_invalid")
    assert refused.json()["errors"][0]["code"] == "check_digit"


async def test_not_offered_unless_the_campaign_says_so(
    kit: Kit, http: httpx.AsyncClient, staff: Bureau, counter: Counter
) -> None:
    plain = await published(kit, "honghe-plain")
    _, number = await holder(kit, plain)
    till = await staff.till(await staff.institution(plain))
    assert code(await Counter(kit, http, till).ask(number)) == (403, "manual_not_offered")
    # Nor for a type that the institution does not take, whoever asks.
    for who in (number, UNKNOWN):
        assert code(await counter.ask(who, voucher_type="fitness")) == (403, "manual_not_offered")


async def test_paused_tells_nothing_of_the_holder(
    kit: Kit, http: httpx.AsyncClient, staff: Bureau, campaign: CampaignRef
) -> None:
    till = await staff.till(await staff.institution(campaign))
    _, number = await holder(kit, campaign)
    await staff.post(f"/terminals/{till.terminal_id}/pause", {"reason": "x"})
    for who in (number, UNKNOWN):
        assert code(await Counter(kit, http, till).ask(who)) == (409, "terminal_paused")
    await staff.post(f"/terminals/{till.terminal_id}/resume", {"reason": "x"})
    await staff.post(f"/institutions/{till.institution_id}/pause", {"reason": "x"})
    for who in (number, UNKNOWN):
        assert code(await Counter(kit, http, till).ask(who)) == (409, "institution_paused")


async def test_number_that_was_reversed_before_it_arrived(
    kit: Kit, campaign: CampaignRef, counter: Counter, till: TerminalClient
) -> None:
    _, number = await holder(kit, campaign)
    assert (await till.reverse("manual-lost", "x")).status == "blocked"
    assert code(await counter.ask(number, request_no="manual-lost")) == (409, "reversed_before_arrival")


async def test_guessing_is_slowed_down_and_locks_the_terminal(
    settings: Settings, clock: ManualClock, kit: Kit, campaign: CampaignRef
) -> None:
    strict = settings.model_copy(update={"rate_limits": "on", "wrong_codes_max": 4})
    async with serving(redemption=create_app(strict, clock=clock)) as http:
        staff = await bureau(http, kit)
        till = await staff.till(await staff.institution(campaign))
        counter = Counter(kit, http, till)
        told = [code(await counter.ask(resident_id(5_000_000 + place))) for place in range(6)]
        assert told == [(404, "no_voucher_of_holder")] * 3 + [(429, "too_many_wrong_codes")] * 3
        other = Counter(kit, http, await staff.till(till.institution_id))
        _, number = await holder(kit, campaign)
        told = [code(await other.ask(number, voucher_type="none")) for _ in range(11)]
        assert told == [(403, "manual_not_offered")] * 10 + [(429, "too_many_requests")]


async def test_nothing_personal_is_stored_in_clear(kit: Kit, campaign: CampaignRef, counter: Counter) -> None:
    _, number = await holder(kit, campaign)
    await counter.ask(number, reason="王小明忘带手机")
    async with kit.database.snapshot() as tx:
        rows = await tx.execute(
            text(
                "SELECT row_to_json(m)::text FROM redemption.manual_write_off m"
                " UNION ALL SELECT row_to_json(q)::text FROM core.request q"
            )
        )
        told = "\n".join(rows.scalars())
    for secret in (number, "王小明"):
        assert secret not in told
        assert secret.encode().hex() not in told


async def test_reason_goes_with_a_person_who_is_forgotten(
    kit: Kit, campaign: CampaignRef, counter: Counter, staff: Bureau
) -> None:
    voucher, number = await holder(kit, campaign)
    done = (await counter.ask(number)).json()
    manual = build(kit).manual
    await manual.forget_reasons()

    async def told() -> object:
        items = (await staff.get("/redemptions/manual", campaign=campaign.slug)).json()["items"]
        return next(one["reason"] for one in items if one["redemption_id"] == done["id"])

    assert await told() == "老人没有手机"
    async with kit.database.transaction() as tx:
        statement = text("UPDATE core.person SET forgotten_at = :now WHERE id = :id")
        await tx.execute(statement, {"now": kit.clock.now(), "id": voucher.person_id})
    await manual.forget_reasons()
    assert await told() is None


async def test_operator_is_kept_and_judged_before_anything_about_the_holder(
    kit: Kit, campaign: CampaignRef, staff: Bureau, http: httpx.AsyncClient
) -> None:
    institution = await staff.institution(campaign, accepts=("checkup",))
    counter = Counter(kit, http, await staff.till(institution))
    listed = await staff.post(f"/institutions/{institution}/operators", {"code": "c01", "label": "王"})
    assert listed.status_code == 201
    _, number = await holder(kit, campaign)
    for who in (number, UNKNOWN):
        assert code(await counter.ask(who, operator="c9")) == (409, "operator_unknown")
    await staff.post(f"/institutions/{institution}/operator-rule", {"required": True, "reason": "内部管理"})
    for who in (number, UNKNOWN):
        assert code(await counter.ask(who)) == (409, "operator_required")
    done = await counter.ask(number, operator="c01", request_no="with-operator")
    assert done.status_code == 201
    found = await counter.till.find("with-operator")
    assert found is not None
    assert found.operator == "c01"
    again = await counter.ask(number, request_no="with-operator")
    assert code(again) == (409, "request_no_reused")

"""Contract prices: proposed by one, approved by another, paid from their day on, never above the voucher."""

import secrets
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.clients.terminal import OfflineItem, TerminalClient
from shared.clock import ManualClock, local_day
from shared.identity.staff import Role
from shared.integrity.catalogue import sql_checks
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.people import signed_in_staff
from tests.support.tills import Bureau, bureau
from tests.support.vouchers import held_voucher

PRICE = 30_000
CONCERNED = {check.name for check in sql_checks() if check.file.startswith(("core_", "redemption_"))}


@pytest.fixture
async def institution(staff: Bureau, campaign: CampaignRef) -> str:
    return await staff.institution(campaign)


@pytest.fixture(scope="module")
async def other(http: httpx.AsyncClient, kit: Kit) -> Bureau:
    return await bureau(http, kit)


def tomorrow(clock: ManualClock, campaign: CampaignRef, days: int = 1) -> str:
    return (local_day(clock.now(), campaign.timezone) + timedelta(days=days)).isoformat()


def wanted(campaign: CampaignRef, clock: ManualClock, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    return {
        "campaign": campaign.slug,
        "voucher_type": "checkup",
        "price_fen": 25_001,
        "effective_from": tomorrow(clock, campaign),
        "reason": "协议",
        **more,
    }


async def agreed(staff: Bureau, other: Bureau, institution: str, body: dict[str, Any]) -> httpx.Response:
    proposed = await staff.post(f"/institutions/{institution}/contract-prices", body)
    assert proposed.status_code == 202, proposed.text
    assert proposed.json()["status"] == "pending"
    return await other.post(f"/changes/{proposed.json()['change_id']}/approve", {})


async def spent(kit: Kit, till: TerminalClient, campaign: CampaignRef) -> int:
    """What a directed voucher pays there now; the till is told the same before."""
    voucher = await held_voucher(kit, campaign, "checkup")
    seen = await till.verify(voucher.code)
    done = await till.redeem(voucher.code)
    assert seen.applied_fen == done.applied_fen
    assert done.payable_fen == 0
    return done.applied_fen


async def test_holds_from_its_day_and_the_rest_goes_back(
    kit: Kit, clock: ManualClock, *, campaign: CampaignRef, staff: Bureau, other: Bureau, institution: str
) -> None:
    till, elsewhere = await staff.till(institution), await staff.till(await staff.institution(campaign))
    assert (await agreed(staff, other, institution, wanted(campaign, clock))).status_code == 200
    assert await spent(kit, till, campaign) == PRICE
    clock.advance(days=1)
    await till.check_in()
    assert await spent(kit, till, campaign) == 25_001
    assert await spent(kit, elsewhere, campaign) == PRICE
    general = await held_voucher(kit, campaign, "general_50")
    assert (await till.redeem(general.code, 900)).applied_fen == 900
    async with kit.database.snapshot() as tx:
        released = await tx.execute(
            text(
                "SELECT core.amounts_total(amounts_fen) FROM core.ledger_transfer"
                " WHERE kind = 'release' AND institution_id = :institution ORDER BY 1"
            ),
            {"institution": institution},
        )
        assert released.scalars().all() == [4_100, PRICE - 25_001]


async def test_reversed_write_off_commits_the_whole_price_again(
    kit: Kit, clock: ManualClock, *, campaign: CampaignRef, staff: Bureau, other: Bureau, institution: str
) -> None:
    till = await staff.till(institution)
    await agreed(staff, other, institution, wanted(campaign, clock))
    clock.advance(days=1)
    voucher = await held_voucher(kit, campaign, "checkup")
    done = await till.redeem(voucher.code)
    assert (await till.reverse(done.request_no, "退")).status == "reversed"
    assert (await till.redeem(voucher.code)).applied_fen == 25_001


async def test_time_of_use_decides_for_what_comes_late(
    kit: Kit, clock: ManualClock, *, campaign: CampaignRef, staff: Bureau, other: Bureau, institution: str
) -> None:
    till = await staff.till(institution)
    used = clock.now() + timedelta(minutes=1)
    voucher = await held_voucher(kit, campaign, "checkup")
    await agreed(staff, other, institution, wanted(campaign, clock))
    clock.advance(days=1)
    uploaded = await till.upload("late", [OfflineItem("late-1", voucher.code, used)])
    assert uploaded.results[0].outcome == "redeemed"
    found = await till.find("late-1")
    assert found is not None
    assert found.applied_fen == PRICE


async def test_later_version_for_one_day_holds_and_null_ends_it(
    kit: Kit, clock: ManualClock, *, campaign: CampaignRef, staff: Bureau, other: Bureau, institution: str
) -> None:
    till = await staff.till(institution)
    for price in (10_000, 20_000):
        await agreed(staff, other, institution, wanted(campaign, clock, price_fen=price))
    ended = wanted(campaign, clock, price_fen=None, effective_from=tomorrow(clock, campaign, 2))
    await agreed(staff, other, institution, ended)
    clock.advance(days=1)
    assert await spent(kit, till, campaign) == 20_000
    listed = (await staff.get(f"/institutions/{institution}/contract-prices")).json()["items"]
    assert [(one["price_fen"], one["version"], one["in_force"]) for one in listed] == [
        (None, 1, False),
        (20_000, 2, True),
        (10_000, 1, False),
    ]
    clock.advance(days=1)
    assert await spent(kit, till, campaign) == PRICE


@pytest.mark.parametrize(
    ("bend", "status", "code"),
    [
        ({"price_fen": PRICE + 1}, 409, "contract_price_too_high"),
        ({"voucher_type": "general_50"}, 409, "contract_price_not_directed"),
        ({"effective_from": "2020-01-01"}, 409, "contract_price_too_soon"),
        ({"voucher_type": "gold"}, 422, "invalid_request"),
        ({"price_fen": 0}, 422, "invalid_request"),
        ({"campaign": "nobody"}, 404, "not_found"),
    ],
    ids=str,
)
async def test_refused_when_proposed(
    clock: ManualClock,
    *,
    campaign: CampaignRef,
    staff: Bureau,
    institution: str,
    bend: dict[str, Any],
    status: int,
    code: str,
) -> None:
    answer = await staff.post(
        f"/institutions/{institution}/contract-prices", {**wanted(campaign, clock), **bend}
    )
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_today_is_too_soon_and_so_is_a_day_that_has_come_meanwhile(
    clock: ManualClock, campaign: CampaignRef, staff: Bureau, other: Bureau, institution: str
) -> None:
    path = f"/institutions/{institution}/contract-prices"
    today = wanted(campaign, clock, effective_from=tomorrow(clock, campaign, 0))
    assert (await staff.post(path, today)).json()["code"] == "contract_price_too_soon"
    proposed = (await staff.post(path, wanted(campaign, clock))).json()["change_id"]
    clock.advance(days=1)
    late = await other.post(f"/changes/{proposed}/approve", {})
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")


async def test_one_alone_sets_no_price(
    clock: ManualClock, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    answer = await agreed(staff, staff, institution, wanted(campaign, clock))
    assert (answer.status_code, answer.json()["code"]) == (403, "same_person")


async def test_same_number_proposes_once(
    clock: ManualClock, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    body = wanted(campaign, clock, request_no=secrets.token_hex(8))
    path = f"/institutions/{institution}/contract-prices"
    first, again = await staff.post(path, body), await staff.post(path, body)
    assert (first.status_code, again.status_code, again.json()) == (202, 200, first.json())


async def test_institution_sees_its_own_prices_only(
    http: httpx.AsyncClient, kit: Kit, campaign: CampaignRef, staff: Bureau, institution: str
) -> None:
    elsewhere = await staff.institution(campaign)
    headers = await signed_in_staff(kit, Role.INSTITUTION, institution_id=institution)
    for where, status in ((institution, 200), (elsewhere, 403)):
        path = f"/redemption/v1/institutions/{where}/contract-prices"
        assert (await http.get(path, headers=headers)).status_code == status
        assert (await http.post(path, json={}, headers=headers)).status_code in (403, 422)
    assert (await staff.get("/institutions/ins_nobody/contract-prices")).status_code == 404


async def test_books_balance_after_all_that(kit: Kit) -> None:
    report = await recompute(kit)
    wrong = [check.name for check in report.checks if not check.ok and check.name in CONCERNED]
    # Nobody folded the statistics here.
    assert [name for name in wrong if "statistics" not in name] == []

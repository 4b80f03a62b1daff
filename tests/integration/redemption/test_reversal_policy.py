"""Who may undo a write-off, and until when, is said by its type; staff undo what no till may, by a change."""

import secrets
from dataclasses import dataclass

import httpx
import pytest

from shared.clients.terminal import OfflineItem, Refused, TerminalClient
from shared.clock import CHINA, ManualClock
from shared.identity.staff import Role
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef, VoucherType
from tests.support.people import signed_in_staff
from tests.support.settlements import books
from tests.support.tills import Bureau
from tests.support.vouchers import held_voucher, published

TYPES = (
    VoucherType("plain", "directed", "普通券", None, 1_000, 60),
    VoucherType("window", "directed", "限时券", None, 1_000, 60, reversal_window_hours=24),
    VoucherType("staff", "directed", "须审批券", None, 1_000, 60, reversal="staff"),
    VoucherType("never", "directed", "不可冲正券", None, 1_000, 60, reversal="never"),
)


@dataclass
class Shop:
    kit: Kit
    campaign: CampaignRef
    till: TerminalClient
    staff: Bureau

    async def redeemed(self, voucher_type: str) -> tuple[str, str, str]:
        """(code, redemption, request number)."""
        voucher = await held_voucher(self.kit, self.campaign, voucher_type)
        done = await self.till.redeem(voucher.code)
        return voucher.code, done.id, done.request_no

    async def why_not(self, request_no: str) -> str:
        with pytest.raises(Refused) as refused:
            await self.till.reverse(request_no, "x")
        assert refused.value.status == 409
        return refused.value.code

    async def propose(self, redemption: str, **more: object) -> httpx.Response:
        return await self.staff.post(f"/redemptions/{redemption}/reversals", {"reason": "误核销", **more})

    async def approve(self, change_id: str) -> httpx.Response:
        headers = await signed_in_staff(self.kit, Role.OPERATOR)
        return await self.staff.http.post(
            f"/redemption/v1/changes/{change_id}/approve", json={}, headers=headers
        )


@pytest.fixture(scope="module")
async def shop(kit: Kit, staff: Bureau) -> Shop:
    campaign = await published(kit, "honghe-policy", types=TYPES)
    institution = await staff.institution(campaign, accepts=tuple(one.key for one in TYPES))
    return Shop(kit, campaign, await staff.till(institution), staff)


async def test_each_policy_answers_a_till_with_its_code(shop: Shop) -> None:
    assert await shop.why_not((await shop.redeemed("staff"))[2]) == "reversal_by_staff_only"
    assert await shop.why_not((await shop.redeemed("never"))[2]) == "not_reversible"
    assert (await shop.till.reverse((await shop.redeemed("window"))[2], "x")).status == "reversed"
    # A refused reversal leaves its number free, and undone is undone whatever the policy.
    _, _, no = await shop.redeemed("plain")
    await shop.till.reverse(no, "x")
    assert await shop.why_not(no) == "already_reversed"


async def test_what_never_arrived_is_blocked_whatever_its_type(shop: Shop) -> None:
    voucher = await held_voucher(shop.kit, shop.campaign, "never")
    assert (await shop.till.reverse("lost-never", "x")).status == "blocked"
    with pytest.raises(Refused) as refused:
        await shop.till.redeem(voucher.code, request_no="lost-never")
    assert refused.value.code == "reversed_before_arrival"


async def test_window_begins_when_a_write_off_reaches_us(shop: Shop, clock: ManualClock) -> None:
    voucher = await held_voucher(shop.kit, shop.campaign, "window")
    clock.advance(hours=48)
    no = secrets.token_hex(8)
    used_at = clock.now().replace(microsecond=0)
    clock.advance(hours=40)
    await shop.till.upload(secrets.token_hex(8), [OfflineItem(no, voucher.code, used_at)])
    _, _, other = await shop.redeemed("window")
    clock.advance(hours=23, minutes=59)
    assert (await shop.till.reverse(no, "x")).status == "reversed"
    clock.advance(minutes=1)
    assert await shop.why_not(other) == "reversal_window_over"


async def test_two_of_staff_undo_what_a_till_may_not(shop: Shop, clock: ManualClock) -> None:
    for voucher_type in ("staff", "window"):
        code, redemption, no = await shop.redeemed(voucher_type)
        clock.advance(hours=25)
        proposed = await shop.propose(redemption)
        assert proposed.status_code == 202, proposed.text
        found = await shop.till.find(no)
        assert found is not None
        assert found.status == "redeemed"
        change = proposed.json()["change_id"]
        own = await shop.staff.post(f"/changes/{change}/approve", {})
        assert (own.status_code, own.json()["code"]) == (403, "same_person")
        assert (await shop.approve(change)).status_code == 200
        found = await shop.till.find(no)
        assert found is not None
        assert found.status == "reversed"
        assert (await shop.till.verify(code)).redeemable
        again = await shop.propose(redemption)
        assert (again.status_code, again.json()["code"]) == (409, "already_reversed")


async def test_not_even_staff_undo_what_nobody_may_or_what_is_settled(shop: Shop, staff: Bureau) -> None:
    _, redemption, _ = await shop.redeemed("never")
    refused = await shop.propose(redemption)
    assert (refused.status_code, refused.json()["code"]) == (409, "not_reversible")
    unknown = await shop.propose("0-00000000000000000000000000000000")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    _, redemption, no = await shop.redeemed("staff")
    change = (await shop.propose(redemption)).json()["change_id"]
    day = shop.kit.clock.now().astimezone(CHINA).date().isoformat()
    await (await books(shop.kit, staff)).settle(shop.campaign, day, day)
    # Settled while the change waited: it no longer fits, and tills are told the same.
    late = await shop.approve(change)
    assert (late.status_code, late.json()["code"]) == (409, "no_longer_fits")
    refused = await shop.propose(redemption)
    assert (refused.status_code, refused.json()["code"]) == (409, "already_settled")
    assert await shop.why_not(no) == "already_settled"

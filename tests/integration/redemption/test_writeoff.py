"""A voucher is written off once, and every refusal has its word and its place."""

from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from tests.support.tills import Bureau
from tests.support.vouchers import held_voucher


async def test_general_voucher_pays_its_face_value_at_most(
    kit: Kit, campaign: CampaignRef, staff: Bureau
) -> None:
    till = await staff.till(await staff.institution(campaign))
    voucher = await held_voucher(kit, campaign, "general_50")
    looked = await till.verify(voucher.code, 12_000)
    assert looked.redeemable
    done = await till.redeem(voucher.code, 12_000)
    assert (done.status, done.applied_fen, done.payable_fen) == ("redeemed", 5_000, 7_000)
    undone = await till.reverse(done.request_no, "x")
    print(undone)
    print(await till.find(done.request_no))
    print(await till.reverse("never-seen", "x"))

"""A revocation that is approved while a till writes the voucher off: one of them wins, the other is told."""

from collections.abc import AsyncIterator
from uuid import UUID

import httpx
import pytest

from services.issuance.app import create_app
from services.issuance.vouchers.schemas import Revocation
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.errors import NoLongerFits
from shared.identity.staff import Role, Staff
from shared.integrity.operations import recompute
from shared.kit import Kit
from shared.settings import Settings
from tests.support.gates import race_at
from tests.support.held import Held, held_voucher, redeem, rows
from tests.support.http import serving
from tests.support.people import staff_member

LOCK_VOUCHER = "SELECT FROM core.voucher WHERE bucket = $1 AND id = $2 FOR UPDATE"
STATE = (
    "SELECT v.state, s.remaining, s.returned FROM core.voucher v"
    " JOIN issuance.phase_stock s ON s.voucher_type = v.voucher_type AND s.phase_id = :phase"
    " WHERE v.id = :id"
)
CONCERNED = (
    "stock_put_in_is_remaining_issued_and_returned",
    "every_win_is_one_award_and_every_open_award_has_stock",
    "vouchers_issued_are_outstanding_redeemed_expired_or_revoked",
    "vouchers_agree_with_their_own_transfers",
    "carried_over_value_is_what_expired_vouchers_gave_back",
)


@pytest.fixture(scope="module")
async def client(settings: Settings, clock: ManualClock) -> AsyncIterator[httpx.AsyncClient]:
    async with serving(issuance=create_app(settings, clock=clock)) as client:
        yield client


@pytest.fixture(scope="module")
async def staff(kit: Kit) -> list[Staff]:
    return [await staff_member(kit, Role.OPERATOR) for _ in range(4)]


async def pending(kit: Kit, staff: Staff, held: Held) -> UUID:
    wanted = Revocation(reason="发放有误")
    answer = await build(kit).vouchers.propose_revocation(staff, held.address, wanted, None)
    return UUID(answer.body["change_id"])


@pytest.mark.parametrize("till_first", [True, False])
async def test_a_voucher_is_either_used_or_revoked(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, staff: list[Staff], *, till_first: bool
) -> None:
    held = await held_voucher(client, kit, clock)
    change = await pending(kit, staff[0], held)
    till, desk = redeem(kit, held.address), build(kit).approvals.approve(staff[1], change)
    racers = [till, desk] if till_first else [desk, till]
    outcomes = await race_at(kit, LOCK_VOUCHER, held.address.bucket, held.address.uuid, racers=racers)
    used = True in outcomes
    [row] = await rows(kit, STATE, phase=held.campaign.phases[0], id=held.address.uuid)
    if used:
        assert [type(outcome) for outcome in outcomes if outcome is not True] == [NoLongerFits]
        assert tuple(row) == ("redeemed", 19, 0)
    else:
        assert False in outcomes
        assert tuple(row) == ("revoked", 20, 1)
    report = await recompute(kit)
    # The till of this test writes no redemption of its own: only stock, vouchers and money are judged.
    judged = {check.name: check.ok for check in report.checks if check.name in CONCERNED}
    assert judged == dict.fromkeys(CONCERNED, True)


async def test_of_many_revocations_of_one_voucher_approved_at_once_one_is_applied(
    client: httpx.AsyncClient, kit: Kit, clock: ManualClock, staff: list[Staff]
) -> None:
    held = await held_voucher(client, kit, clock)
    changes = [await pending(kit, staff[0], held) for _ in range(4)]
    approvals = [
        build(kit).approvals.approve(staff[1 + place % 3], change) for place, change in enumerate(changes)
    ]
    outcomes = await race_at(kit, LOCK_VOUCHER, held.address.bucket, held.address.uuid, racers=approvals)
    assert sum(isinstance(outcome, NoLongerFits) for outcome in outcomes) == 3
    [row] = await rows(kit, STATE, phase=held.campaign.phases[0], id=held.address.uuid)
    assert tuple(row) == ("revoked", 20, 1)

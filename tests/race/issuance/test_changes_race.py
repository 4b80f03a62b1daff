"""Two approvals at once: the budget is spent once, a change is decided once."""

import asyncio
from uuid import UUID

import pytest
from sqlalchemy import text

from services.issuance.changes.schemas import StockChange
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.errors import NoLongerFits, Refusal
from shared.identity.staff import Role, Staff
from shared.kit import Kit
from tests.support.campaigns import Published, open_campaign
from tests.support.people import staff_member


@pytest.fixture(scope="module")
async def staff(kit: Kit) -> list[Staff]:
    return [await staff_member(kit, Role.OPERATOR) for _ in range(2)]


async def pending(kit: Kit, staff: list[Staff], campaign: Published, delta: int) -> UUID:
    wanted = StockChange(voucher_type="general_50", delta=delta, reason="补充库存")
    answer = await build(kit).changes.propose_stock(staff[0], campaign.slug, 1, wanted, None)
    return UUID(answer.body["change_id"])


async def test_of_many_stock_changes_approved_at_once_only_what_the_budget_bears_is_applied(
    kit: Kit, clock: ManualClock, staff: list[Staff]
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 1}, budget_fen=20_000)
    approvals = build(kit).approvals
    # Each fits by itself (three more may come), not two of them together.
    changes = [await pending(kit, staff, campaign, 2) for _ in range(6)]
    outcomes = await asyncio.gather(
        *(approvals.approve(staff[1], change) for change in changes), return_exceptions=True
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refusal)]
    assert [type(refusal) for refusal in refused] == [NoLongerFits] * 5
    async with kit.database.snapshot() as tx:
        row = (
            await tx.execute(
                text(
                    "SELECT s.put_in, s.remaining, a.left_to_award FROM issuance.phase_stock s"
                    " JOIN issuance.award_pool a USING (phase_id) WHERE s.phase_id = :phase"
                ),
                {"phase": campaign.phases[0]},
            )
        ).one()
    assert tuple(row) == (3, 3, 3)


async def test_one_change_approved_by_many_at_once_is_applied_once(
    kit: Kit, clock: ManualClock, staff: list[Staff]
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 1})
    approvals = build(kit).approvals
    change = await pending(kit, staff, campaign, 7)
    approvers = [await staff_member(kit, Role.ADMIN) for _ in range(5)]
    outcomes = await asyncio.gather(
        *(approvals.approve(approver, change) for approver in approvers), return_exceptions=True
    )
    codes = sorted(outcome.code for outcome in outcomes if isinstance(outcome, Refusal))
    assert codes == ["already_decided"] * 4
    async with kit.database.snapshot() as tx:
        moves = await tx.execute(
            text("SELECT delta FROM issuance.stock_move WHERE change_id = :change"), {"change": change}
        )
        assert [move.delta for move in moves] == [7]

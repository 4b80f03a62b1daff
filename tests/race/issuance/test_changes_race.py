"""Two approvals at once: the budget is spent once, a change is decided once, open awards keep their stock."""

from uuid import UUID

import pytest
from sqlalchemy import text

from services.issuance.campaigns.schemas import Definition
from services.issuance.changes.schemas import OddsChange, StockChange
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.errors import NoLongerFits, Refusal
from shared.identity.staff import Role, Staff
from shared.kit import Kit
from tests.support.campaigns import Published, definition, open_campaign
from tests.support.gates import race_at
from tests.support.people import staff_member

LOCK_STOCK = "SELECT FROM issuance.phase_stock WHERE phase_id = $1 FOR UPDATE"
LOCK_CHANGE = "SELECT FROM core.change WHERE id = $1 FOR UPDATE"
LOCK_PHASE = "SELECT FROM issuance.phase WHERE id = $1 FOR UPDATE"
WIN_TWO = "UPDATE issuance.award_pool SET left_to_award = left_to_award - 2 WHERE phase_id = $1"


@pytest.fixture(scope="module")
async def staff(kit: Kit) -> list[Staff]:
    return [await staff_member(kit, Role.OPERATOR) for _ in range(2)]


async def pending(kit: Kit, staff: list[Staff], campaign: Published, delta: int) -> UUID:
    wanted = StockChange(voucher_type="general_50", delta=delta, reason="补充库存")
    answer = await build(kit).changes.propose_stock(staff[0], campaign.slug, 1, wanted, None)
    return UUID(answer.body["change_id"])


async def stock(kit: Kit, campaign: Published) -> tuple[int, int, int]:
    """Put in, remaining, left to award."""
    statement = text(
        "SELECT s.put_in, s.remaining, a.left_to_award FROM issuance.phase_stock s"
        " JOIN issuance.award_pool a USING (phase_id) WHERE s.phase_id = :phase"
    )
    async with kit.database.snapshot() as tx:
        put_in, remaining, left = (await tx.execute(statement, {"phase": campaign.phases[0]})).one()
    return put_in, remaining, left


async def test_of_many_stock_changes_approved_at_once_only_what_the_budget_bears_is_applied(
    kit: Kit, clock: ManualClock, staff: list[Staff]
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 1}, budget_fen=20_000)
    approvals = build(kit).approvals
    # Each fits by itself (three more may come), not two of them together.
    changes = [await pending(kit, staff, campaign, 2) for _ in range(5)]
    outcomes = await race_at(
        kit,
        LOCK_STOCK,
        campaign.phases[0],
        racers=[approvals.approve(staff[1], change) for change in changes],
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(refusal) for refusal in refused] == [NoLongerFits] * 4
    assert await stock(kit, campaign) == (3, 3, 3)


async def test_stock_that_is_won_while_its_removal_is_approved_stays(
    kit: Kit, clock: ManualClock, staff: list[Staff]
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 5})
    change = await pending(kit, staff, campaign, -4)
    [outcome] = await race_at(
        kit, WIN_TWO, campaign.phases[0], racers=[build(kit).approvals.approve(staff[1], change)]
    )
    assert isinstance(outcome, NoLongerFits)
    assert await stock(kit, campaign) == (5, 5, 3)


async def test_one_change_approved_by_many_at_once_is_applied_once(
    kit: Kit, clock: ManualClock, staff: list[Staff]
) -> None:
    campaign = await open_campaign(kit, clock, stock={"general_50": 1})
    approvals, change = build(kit).approvals, await pending(kit, staff, campaign, 7)
    approvers = [await staff_member(kit, Role.ADMIN) for _ in range(5)]
    outcomes = await race_at(
        kit,
        LOCK_CHANGE,
        change,
        racers=[approvals.approve(approver, change) for approver in approvers],
    )
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Refusal)]
    assert codes == ["already_decided"] * 4
    assert await stock(kit, campaign) == (8, 8, 8)


async def test_odds_approved_at_once_become_versions_one_after_the_other(
    kit: Kit, clock: ManualClock, staff: list[Staff]
) -> None:
    campaign, wiring = await open_campaign(kit, clock), build(kit)
    changes = []
    for odds in ("0.3", "0.4", "0.5", "0.6"):
        wanted = OddsChange.model_validate({"odds": odds, "reason": "提高中奖率"})
        answer = await wiring.changes.propose_odds(staff[0], campaign.slug, 1, wanted, None)
        changes.append(UUID(answer.body["change_id"]))
    outcomes = await race_at(
        kit,
        LOCK_PHASE,
        campaign.phases[0],
        racers=[wiring.approvals.approve(staff[1], change) for change in changes],
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, BaseException)] == []
    async with kit.database.snapshot() as tx:
        versions = await tx.execute(
            text("SELECT count(DISTINCT effective_from) FROM issuance.odds_version WHERE phase_id = :phase"),
            {"phase": campaign.phases[0]},
        )
        assert versions.scalar_one() == 5


async def test_of_two_campaigns_with_one_slug_approved_at_once_one_is_published(
    kit: Kit, clock: ManualClock, staff: list[Staff]
) -> None:
    wiring, body = build(kit), definition(clock.now(), slug="same-slug")
    changes = []
    for _ in range(4):
        answer = await wiring.campaigns.propose(staff[0], Definition.model_validate(body), None)
        changes.append(UUID(answer.body["change_id"]))
    # The first has its slug and waits for the audit log's end; the others wait for the slug.
    outcomes = await race_at(
        kit,
        "SELECT FROM core.audit_head FOR UPDATE",
        racers=[wiring.approvals.approve(staff[1], change) for change in changes],
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert [type(refusal) for refusal in refused] == [NoLongerFits] * 3

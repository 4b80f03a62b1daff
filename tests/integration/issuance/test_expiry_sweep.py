"""The sweep and the reminders at a size where a scan would show."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from services.issuance.notices import store as notices
from services.issuance.wallet import operations
from services.issuance.wallet import store as wallet
from services.issuance.wiring import Wiring, build
from shared.clock import ManualClock
from shared.integrity.operations import recompute
from shared.jobs.store import BEGINNING, Place
from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef
from shared.vouchers.offline import LATE_ARRIVAL
from tests.support.held import rows, run
from tests.support.many import many_vouchers
from tests.support.vouchers import published

COUNT = 6_000
STATES = "SELECT state, count(*) AS n FROM core.voucher WHERE campaign_id = :id GROUP BY state ORDER BY state"
BACK = (
    "SELECT core.amounts_sum(amounts_fen) AS fen FROM core.ledger_transfer"
    " WHERE campaign_id = :id AND kind = :kind"
)
MONEY = {
    "vouchers_agree_with_their_own_transfers",
    "vouchers_issued_are_outstanding_redeemed_expired_or_revoked",
    "vouchers_past_their_time_are_swept",
}


@pytest.fixture(scope="module")
async def campaign(kit: Kit, clock: ManualClock) -> CampaignRef:
    """Half of its vouchers are over for good an hour from now, the others later."""
    campaign = await published(kit, "sweep")
    first = clock.now() - LATE_ARRIVAL + timedelta(hours=1, seconds=-COUNT // 2)
    await many_vouchers(kit, campaign, COUNT, first)
    clock.advance(hours=1)
    return campaign


@pytest.fixture
def wiring(kit: Kit) -> Wiring:
    return build(kit)


async def states(kit: Kit, campaign: CampaignRef) -> dict[str, int]:
    return {row.state: row.n for row in await rows(kit, STATES, id=campaign.id)}


async def plan_of(kit: Kit, statement: Any, **values: object) -> str:  # noqa: ANN401 - a statement
    async with kit.database.transaction() as tx:
        lines = await tx.execute(text(f"EXPLAIN {statement.text}"), values)
        plan = "\n".join(lines.scalars())
        await tx.rollback()
    return plan


async def test_a_sweep_that_is_cut_off_goes_on_where_it_stopped(
    kit: Kit, wiring: Wiring, campaign: CampaignRef, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "EXPIRE_AT_ONCE", 100)
    ends, batches = wallet.expire_vouchers, 0

    class Killed(BaseException):
        pass

    async def dying(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - as the function that it stands for
        nonlocal batches
        batches += 1
        if batches > 3:
            raise Killed
        return await ends(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(wallet, "expire_vouchers", dying)
        with pytest.raises(Killed):
            await wiring.wallet.expire_vouchers()
    assert (await states(kit, campaign))["expired"] == 300
    [place] = await rows(kit, "SELECT position_at FROM core.walk WHERE name = 'issuance.expire_vouchers'")
    assert place.position_at > BEGINNING
    monkeypatch.undo()
    assert await wiring.wallet.expire_vouchers() == COUNT // 2 - 300
    assert await states(kit, campaign) == {"expired": COUNT // 2, "issued": COUNT // 2}
    [back] = await rows(kit, BACK, id=campaign.id, kind="expire")
    [issued] = await rows(kit, BACK, id=campaign.id, kind="issue")
    assert [2 * fen for fen in back.fen] == list(issued.fen)
    report = await recompute(kit)
    assert {check.name: check.ok for check in report.checks if check.name in MONEY} == dict.fromkeys(
        MONEY, True
    )


async def test_nothing_due_costs_no_look_at_what_has_ended(
    kit: Kit, wiring: Wiring, campaign: CampaignRef
) -> None:
    for _ in range(2):
        await wiring.wallet.expire_vouchers()
    await run(kit, "SELECT pg_stat_force_next_flush()")
    reads = "SELECT idx_tup_read FROM pg_stat_user_indexes WHERE indexrelname = 'ix_voucher_valid_until'"
    [before] = await rows(kit, reads)
    assert await wiring.wallet.expire_vouchers() == 0
    await run(kit, "SELECT pg_stat_force_next_flush()")
    [after] = await rows(kit, reads)
    assert after.idx_tup_read - before.idx_tup_read < 50
    assert sum((await states(kit, campaign)).values()) == COUNT


async def test_sweep_and_reminders_read_indexes_only(
    kit: Kit, clock: ManualClock, campaign: CampaignRef
) -> None:
    now = clock.now()
    at = {"after_at": BEGINNING, "after_id": Place(BEGINNING).id, "now": now, "limit": 500}
    plans = [
        await plan_of(kit, wallet._EXPIRE, **at, ended_before=now - LATE_ARRIVAL),
        await plan_of(
            kit,
            notices._REMIND_VOUCHERS,
            **(at | {"after_at": now}),
            until=now + timedelta(days=1),
            days=1,
            lead=timedelta(days=1),
        ),
    ]
    for plan in plans:
        assert "ix_voucher_valid_until" in plan, plan
        assert "Seq Scan on voucher" not in plan, plan
    assert sum((await states(kit, campaign)).values()) == COUNT

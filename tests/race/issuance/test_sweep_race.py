"""Two workers sweep at once, and a till writes off what they sweep: each voucher ends once."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from services.issuance.wallet import operations
from services.issuance.wiring import build
from shared.clock import ManualClock
from shared.kit import Kit, build_kit
from shared.settings import Settings
from shared.vouchers.offline import LATE_ARRIVAL
from tests.support.held import rows
from tests.support.many import many_vouchers
from tests.support.vouchers import published

COUNT = 1_000
LATE = text("""
    SELECT count(*) FROM core.vouchers_redeem(
        ARRAY(SELECT 1 FROM unnest(CAST(:ids AS uuid[]))), CAST(:buckets AS smallint[]), CAST(:ids AS uuid[]),
        ARRAY(SELECT 'clinic' FROM unnest(CAST(:ids AS uuid[]))),
        ARRAY(SELECT 'terminal:1' FROM unnest(CAST(:ids AS uuid[]))),
        ARRAY(SELECT gen_random_uuid() FROM unnest(CAST(:ids AS uuid[]))),
        ARRAY(SELECT CAST(:used_at AS timestamptz) FROM unnest(CAST(:ids AS uuid[]))),
        ARRAY(SELECT CAST(20000 AS bigint) FROM unnest(CAST(:ids AS uuid[]))), :now)
""")


async def test_two_workers_and_a_late_till_end_each_voucher_once(
    kit: Kit, settings: Settings, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operations, "EXPIRE_AT_ONCE", 50)
    campaign = await published(kit, "race")
    first = clock.now() - LATE_ARRIVAL - timedelta(seconds=COUNT)
    await many_vouchers(kit, campaign, COUNT, first)
    # Every tenth comes in late, from when it was good.
    late = await rows(
        kit,
        "SELECT bucket, id FROM core.voucher WHERE campaign_id = :id AND bucket % 10 = 0 ORDER BY bucket, id",
        id=campaign.id,
    )

    async def till() -> int:
        used = 0
        for start in range(0, len(late), 10):
            part = late[start : start + 10]
            async with kit.database.transaction() as tx:
                values = {
                    "buckets": [row.bucket for row in part],
                    "ids": [row.id for row in part],
                    "used_at": first - timedelta(days=1),
                    "now": clock.now(),
                }
                used += int((await tx.execute(LATE, values)).scalar_one())
        return used

    other = build_kit(settings, clock=clock)
    try:
        ended, also, used = await asyncio.gather(
            build(kit).wallet.expire_vouchers(), build(other).wallet.expire_vouchers(), till()
        )
    finally:
        await other.database.stop()
    ended += await build(kit).wallet.expire_vouchers()
    assert ended + also + used == COUNT
    states = await rows(
        kit, "SELECT state, count(*) AS n FROM core.voucher WHERE campaign_id = :id GROUP BY state",
        id=campaign.id,
    )  # fmt: skip
    expected = {"expired": COUNT - used, "redeemed": used}
    assert {row.state: row.n for row in states} == {state: n for state, n in expected.items() if n}
    [moves] = await rows(
        kit, "SELECT count(*) AS n FROM core.ledger_transfer WHERE campaign_id = :id AND kind = 'expire'",
        id=campaign.id,
    )  # fmt: skip
    assert moves.n == COUNT - used

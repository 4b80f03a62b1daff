"""What happens to those who come while a write-off or its reversal is under way: they wait, then know.

The one under way holds its transaction open here, so that each order is shown and not only hoped for.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from services.redemption.writeoff import store as writeoffs
from shared.clients.terminal import Redemption, Refused, Reversal, TerminalClient
from shared.db import Tx
from shared.idempotency import Caller, fingerprint
from shared.ids import bucket_from_symbols
from shared.vouchers.codes import code_hash
from tests.race.redemption.conftest import Town
from tests.support.vouchers import HeldVoucher, held_voucher

_WAITING = text("""
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND state = 'active'
""")


async def under_way(town: Town, till: TerminalClient, voucher: HeldVoucher, no: str, tx: Tx) -> str:
    """A write-off in an open transaction; returns its outcome."""
    caller = (
        await tx.execute(
            text("SELECT bucket, caller_id FROM redemption.terminal WHERE id = :id"),
            {"id": till.terminal_id},
        )
    ).one()
    hashed = code_hash(town.kit.keys.index, voucher.code)
    item = writeoffs.WriteOff(
        key_id=till.terminal_id,
        nonce="",
        again=False,
        caller=Caller(caller.bucket, caller.caller_id),
        request_no=no,
        fingerprint=fingerprint([(voucher.bucket, hashed.hex()), None]),
        bucket=bucket_from_symbols(voucher.code[:2]),
        code_hash=hashed,
        token_expired=False,
        bill_fen=None,
        used_at=None,
        word=None,
    )
    (outcome,) = await writeoffs.redeem_within(tx, [item], source="online", now=town.kit.clock.now())
    return outcome.word


async def lay_tombstone(town: Town, till: TerminalClient, no: str, tx: Tx) -> None:
    """A reversal of a number that was never seen, in an open transaction."""
    statement = text("""
        SELECT outcome FROM redemption.reverse_batch(
            ARRAY[:terminal], NULL, NULL, NULL,
            ARRAY(SELECT bucket FROM redemption.terminal WHERE id = :terminal),
            ARRAY(SELECT caller_id FROM redemption.terminal WHERE id = :terminal),
            ARRAY[:institution], ARRAY[:own_no], ARRAY[CAST('' AS bytea)], ARRAY[:no],
            ARRAY[CAST(NULL AS text)], ARRAY['x'], ARRAY[gen_random_uuid()], :now, :now)
    """)
    values = {
        "terminal": till.terminal_id,
        "institution": till.institution_id,
        "own_no": secrets.token_hex(8),
        "no": no,
        "now": town.kit.clock.now(),
    }
    assert (await tx.execute(statement, values)).scalar_one() == "created"


async def that_waits(town: Town, call: Awaitable[Any]) -> "asyncio.Task[Any]":
    """Starts a call and returns when the database makes it wait for a lock."""
    task = asyncio.ensure_future(call)
    for _ in range(200):
        await asyncio.sleep(0.01)
        assert not task.done(), "it did not wait"
        async with town.kit.database.snapshot() as tx:
            if (await tx.execute(_WAITING)).scalar_one():
                return task
    raise AssertionError("it neither ended nor waited for a lock")


def of_own(town: Town) -> TerminalClient:
    return town.tills[0][1]


def of_another(town: Town) -> TerminalClient:
    return town.tills[1][1]


@pytest.mark.parametrize("reverser", [of_own, of_another])
async def test_reversal_waits_for_its_original_and_undoes_it(
    town: Town, reverser: Callable[[Town], TerminalClient]
) -> None:
    voucher, no = await held_voucher(town.kit, town.campaign, "fitness"), secrets.token_hex(8)
    async with town.kit.database.transaction() as tx:
        assert await under_way(town, town.tills[0][0], voucher, no, tx) == "created"
        waiting = await that_waits(town, reverser(town).reverse(no, "x"))
    undone = await waiting
    assert isinstance(undone, Reversal)
    assert undone.status == "reversed"
    for tills in town.tills:
        # The number is blocked for nobody: what was laid down while waiting was taken up again.
        assert (await tills[0].verify(voucher.code)).redeemable
    found = await town.tills[0][0].find(no)
    assert found is not None
    assert found.status == "reversed"
    assert await town.tills[1][0].find(no) is None


@pytest.mark.parametrize("reverser", [of_own, of_another])
async def test_reversal_waits_for_its_original_that_fails(
    town: Town, reverser: Callable[[Town], TerminalClient]
) -> None:
    voucher, no = await held_voucher(town.kit, town.campaign, "fitness"), secrets.token_hex(8)
    async with town.kit.database.transaction() as tx:
        assert await under_way(town, town.tills[0][0], voucher, no, tx) == "created"
        waiting = await that_waits(town, reverser(town).reverse(no, "x"))
        await tx.rollback()
    assert (await waiting).status == "blocked"
    with pytest.raises(Refused) as refused:
        await town.tills[0][0].redeem(voucher.code, request_no=no)
    assert refused.value.code == "reversed_before_arrival"


async def test_original_waits_for_its_reversal_and_is_refused(town: Town) -> None:
    voucher, no = await held_voucher(town.kit, town.campaign, "fitness"), secrets.token_hex(8)
    async with town.kit.database.transaction() as tx:
        await lay_tombstone(town, town.tills[1][0], no, tx)
        waiting = await that_waits(town, town.tills[0][1].redeem(voucher.code, request_no=no))
    with pytest.raises(Refused) as refused:
        await waiting
    assert refused.value.code == "reversed_before_arrival"
    assert (await town.tills[0][0].verify(voucher.code)).redeemable


async def test_retry_waits_for_the_first_and_gets_its_answer(town: Town) -> None:
    voucher, no = await held_voucher(town.kit, town.campaign, "fitness"), secrets.token_hex(8)
    async with town.kit.database.transaction() as tx:
        assert await under_way(town, town.tills[0][0], voucher, no, tx) == "created"
        waiting = await that_waits(town, town.tills[0][1].redeem(voucher.code, request_no=no))
    done = await waiting
    assert isinstance(done, Redemption)
    found = await town.tills[0][0].find(no)
    assert found is not None
    assert found.id == done.id


async def test_retry_of_a_first_that_fails_does_it_itself(town: Town) -> None:
    voucher, no = await held_voucher(town.kit, town.campaign, "fitness"), secrets.token_hex(8)
    async with town.kit.database.transaction() as tx:
        assert await under_way(town, town.tills[0][0], voucher, no, tx) == "created"
        waiting = await that_waits(town, town.tills[0][1].redeem(voucher.code, request_no=no))
        await tx.rollback()
    assert (await waiting).status == "redeemed"


async def test_other_till_waits_for_the_voucher_and_is_told_that_it_is_used(town: Town) -> None:
    voucher = await held_voucher(town.kit, town.campaign, "fitness")
    async with town.kit.database.transaction() as tx:
        assert await under_way(town, town.tills[0][0], voucher, secrets.token_hex(8), tx) == "created"
        waiting = await that_waits(town, town.tills[1][1].redeem(voucher.code))
    with pytest.raises(Refused) as refused:
        await waiting
    assert refused.value.code == "already_redeemed"

"""The database cuts connections in the middle of write-offs: who asks again learns one truth."""

import asyncio
import random
import secrets
from collections import Counter

import asyncpg
from sqlalchemy import make_url, text

from shared.clients.terminal import Refused
from tests.race.redemption.conftest import Town
from tests.support.tills import signed
from tests.support.vouchers import HeldVoucher, held_vouchers

VOUCHERS, TRIES_EACH, CONNECTIONS = 120, 2, 24
_CUT = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND query LIKE '%redemption.redeem_batch(%' AND pid <> pg_backend_pid()
      AND random() < 0.5
"""


async def cut_now_and_then(town: Town, rng: random.Random, done: asyncio.Event) -> int:
    """Kills about half of the connections that write off, at random moments, until the tries are over."""
    url = make_url(town.kit.database.url).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    cut = 0
    try:
        while not done.is_set():
            await asyncio.sleep(rng.uniform(0.005, 0.05))
            cut += await connection.fetchval(_CUT)
    finally:
        await connection.close()
    return cut


async def test_every_unknown_outcome_converges_under_its_own_number(town: Town) -> None:
    rng, done, line = random.Random(2020), asyncio.Event(), asyncio.Semaphore(CONNECTIONS)
    vouchers = await held_vouchers(town.kit, town.campaign, "fitness", VOUCHERS)
    first_answers: Counter[int] = Counter()
    numbers: dict[tuple[HeldVoucher, int], str] = {}

    async def once(place: int, voucher: HeldVoucher, number: str) -> None:
        body = {"request_no": number, "voucher": voucher.code}
        async with line:
            answer = await signed(
                town.tills[place % 2][0],
                town.apps[place // 2 % 2],
                "POST",
                "/redemptions",
                body,
                kit=town.kit,
            )
        first_answers[answer.status_code] += 1

    cutter = asyncio.create_task(cut_now_and_then(town, rng, done))
    calls = []
    for place in range(VOUCHERS * TRIES_EACH):
        voucher, number = vouchers[place % VOUCHERS], secrets.token_hex(8)
        numbers[voucher, place // VOUCHERS] = number
        calls.append(once(place, voucher, number))
    await asyncio.gather(*calls)
    done.set()
    assert await cutter > 0
    assert set(first_answers) <= {201, 409, 503}, first_answers

    # Everybody asks again with the same number: of the two for a voucher one has it, and only once.
    for voucher in vouchers:
        told = Counter[str]()
        for turn in range(TRIES_EACH):
            place = turn * VOUCHERS + vouchers.index(voucher)
            try:
                await town.tills[place % 2][0].redeem(voucher.code, request_no=numbers[voucher, turn])
            except Refused as refused:
                told[refused.code] += 1
            else:
                told["redeemed"] += 1
        assert told == {"redeemed": 1, "already_redeemed": 1}
    async with town.kit.database.snapshot() as tx:
        count = await tx.execute(
            text("SELECT count(*) FROM redemption.redemption WHERE voucher_id = ANY (:ids)"),
            {"ids": [voucher.id for voucher in vouchers]},
        )
        assert count.scalar_one() == VOUCHERS

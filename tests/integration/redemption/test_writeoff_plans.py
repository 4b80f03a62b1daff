"""The write-off probes indexes only, however the planner would estimate a batch of its size."""

import re
import secrets
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from shared.ids import BUCKETS, new_id, short_id
from shared.kit import Kit
from shared.settings import Settings
from shared.vouchers.catalogue import CampaignRef
from shared.vouchers.codes import code_hash
from tests.support.tills import ALL_TYPES
from tests.support.vouchers import held_vouchers

INSTITUTIONS, TERMINALS, BATCH = 60, 3, 32
_AUTO_EXPLAIN = (
    "LOAD 'auto_explain'; SET auto_explain.log_min_duration = 0; SET auto_explain.log_analyze = on;"
    " SET auto_explain.log_nested_statements = on; SET client_min_messages = log"
)
_REDEEM = """
    SELECT * FROM redemption.redeem_batch(
        $1, NULL, NULL, NULL, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'online', $13, $13, $14)
"""
_VERIFY = "SELECT * FROM redemption.verify_batch($1, $2, $3, $4, $5, $6, $7, $8, $9)"


async def directory(kit: Kit, campaign: CampaignRef) -> list[tuple[str, int, UUID]]:
    """Terminals of many institutions, each with operators of its own, as the statistics know them."""
    terminals = []
    now = kit.clock.now()
    async with kit.database.transaction(slow=True) as tx:
        for _ in range(INSTITUTIONS):
            values = {"id": short_id("ins_"), "by": new_id(), "now": now, "campaign": campaign.id}
            await tx.execute(
                text(
                    "INSERT INTO redemption.institution (id, name, category, created_by, created_at)"
                    " VALUES (:id, :id, 'x', :by, :now)"
                ),
                values,
            )
            await tx.execute(
                text(
                    "INSERT INTO redemption.membership (institution_id, campaign_id, accepts, since)"
                    " VALUES (:id, :campaign, CAST(:accepts AS text[]), :now)"
                ),
                {**values, "accepts": list(ALL_TYPES)},
            )
            await tx.execute(
                text(
                    "INSERT INTO redemption.operator (institution_id, code, label, created_by, created_at)"
                    " SELECT :id, 'c' || n, 'x', :by, :now FROM generate_series(1, 10) AS n"
                ),
                values,
            )
            for _ in range(TERMINALS):
                caller = new_id()
                terminal = (short_id("trm_"), caller.int % BUCKETS, caller)
                terminals.append(terminal)
                await tx.execute(
                    text(
                        "INSERT INTO redemption.terminal (id, bucket, caller_id, institution_id, label,"
                        " status, key_sealed, created_by, created_at)"
                        " VALUES (:terminal, :bucket, :caller, :id, 'x', 'active', '', :by, :now)"
                    ),
                    {**values, "terminal": terminal[0], "bucket": terminal[1], "caller": caller},
                )
        for table in ("institution", "membership", "terminal", "operator"):
            await tx.execute(text(f"ANALYZE redemption.{table}"))
    return terminals


@pytest.fixture
async def explained(settings: Settings) -> AsyncIterator[tuple[asyncpg.Connection, list[str]]]:
    """A connection whose statements tell their plans, also those within functions."""
    connection = await asyncpg.connect(settings.database_url)
    try:
        await connection.execute(_AUTO_EXPLAIN)
    except asyncpg.PostgresError as error:
        await connection.close()
        pytest.skip(f"this Postgres comes without auto_explain: {error}")
    plans: list[str] = []
    connection.add_log_listener(lambda _, message: plans.append(str(message)))
    yield connection, plans
    await connection.close()


async def test_every_row_of_a_batch_is_found_by_an_index(
    kit: Kit, campaign: CampaignRef, explained: tuple[asyncpg.Connection, list[str]]
) -> None:
    connection, plans = explained
    terminals = await directory(kit, campaign)
    held = [one for kind in ALL_TYPES for one in await held_vouchers(kit, campaign, kind, BATCH // 4)]
    chosen = [secrets.choice(terminals) for _ in held]
    now = kit.clock.now() + timedelta(seconds=1)
    none, ids = [None] * BATCH, [terminal for terminal, _, _ in chosen]
    vouchers = (
        [one.bucket for one in held],
        [code_hash(kit.keys.index, one.code) for one in held],
        [False] * BATCH,
        [20_000] * BATCH,
    )
    # Asking for types is the driver's own affair.
    verify, redeem = await connection.prepare(_VERIFY), await connection.prepare(_REDEEM)
    plans.clear()
    nonces = [secrets.token_hex(8) for _ in held]
    seen = await verify.fetch(ids, nonces, [False] * BATCH, now + timedelta(minutes=10), *vouchers, now)
    assert {row["word"] for row in seen} == {None}
    done = await redeem.fetch(
        ids,
        [bucket for _, bucket, _ in chosen],
        [caller for _, _, caller in chosen],
        nonces,
        [secrets.token_bytes(32) for _ in held],
        *vouchers,
        none,
        none,
        [new_id() for _ in held],
        now,
        ["c1"] * BATCH,
    )
    assert {row["outcome"] for row in done} == {"created"}
    told = "\n".join(plans)
    assert "pk_operator" in told
    assert [line for line in told.splitlines() if "Seq Scan" in line] == []
    # Nothing is read more often than there are items, on whatever detour.
    loops = max(int(number) for number in re.findall(r"loops=(\d+)", told))
    assert loops <= 2 * BATCH

"""What the benchmark compares writes the same rows: the platform, one function by hand, one ORM session."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from bench.baseline.operations import NotRedeemable, Shop
from bench.baseline.schemas import Redeem
from bench.hotpath.store import Bench
from shared.clients.terminal import TerminalClient
from shared.clock import machine_now
from shared.errors import RequestNoReused
from shared.ids import new_id
from shared.kit import Kit
from shared.settings import Settings
from shared.signing import Replayed, authorization, canonical, parse_header
from shared.vouchers.catalogue import CampaignRef
from shared.vouchers.codes import code_hash
from tests.support.tills import Bureau
from tests.support.vouchers import HeldVoucher, held_voucher, published

TARGET = "/redemption/v1/redemptions"
ROWS = {
    "voucher": """
        SELECT state, redeemed_at IS NOT NULL, institution_id IS NOT NULL
        FROM core.voucher WHERE id = :voucher
    """,
    "redemption": """
        SELECT voucher_type, kind, bill_fen, applied_fen, payable_fen, split_fen, used_at, source, state,
               operator, redeemed_at = received_at
        FROM redemption.redemption WHERE voucher_id = :voucher
    """,
    "request": """
        SELECT q.operation, q.blocked, q.replays, q.answer_sealed, t.id IS NOT NULL
        FROM core.request q
        JOIN redemption.redemption r ON r.bucket = q.result_bucket AND r.id = q.result_id
        LEFT JOIN redemption.terminal t ON t.bucket = q.bucket AND t.caller_id = q.caller_id
        WHERE r.voucher_id = :voucher
    """,
    "ledger": """
        SELECT l.kind, l.debit, l.credit, l.amounts_fen, l.actor = 'terminal:' || r.terminal_id,
               l.institution_id = r.institution_id
        FROM core.ledger_transfer l JOIN redemption.redemption r ON r.id = l.source_id
        WHERE l.voucher_id = :voucher ORDER BY l.kind
    """,
    "figures": """
        SELECT measure, dim, dim2 = '', n, amounts_fen FROM core.tally_delta
        WHERE scope_id = :campaign AND measure IN ('redeem', 'release') ORDER BY measure
    """,
    "outbox": """
        SELECT o.queue, o.kind, o.state, o.attempt FROM core.outbox o
        JOIN redemption.redemption r ON r.voucher_id = :voucher
        WHERE o.payload ->> 'voucher_id' = core.hot_id_text(r.bucket, r.voucher_id)
           OR o.payload ->> 'redemption_id' = core.hot_id_text(r.bucket, r.id)
        ORDER BY o.queue
    """,
    "nonces": "SELECT count(*) FROM core.nonce WHERE key_id = :terminal AND expires_at > :now",
}

Way = Callable[["Desk", HeldVoucher, int], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Desk:
    kit: Kit
    till: TerminalClient
    shop: Shop
    bench: Bench
    campaign: CampaignRef

    async def over_http(self, voucher: HeldVoucher, bill_fen: int) -> None:
        await self.till.redeem(voucher.code, bill_fen)

    async def by_hand(self, voucher: HeldVoucher, bill_fen: int) -> None:
        done = await self.bench.connection.fetchval(
            "SELECT bench.redeem_one($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            *(self.till.terminal_id, secrets.token_hex(8), secrets.token_hex(12), secrets.token_bytes(16)),
            *(voucher.bucket, code_hash(self.kit.keys.index, voucher.code), bill_fen, new_id()),
            self.kit.clock.now(),
        )
        assert done == "created"

    async def by_session(
        self, voucher: HeldVoucher, bill_fen: int, *, request_no: str = "", nonce: str = ""
    ) -> None:
        body = Redeem(request_no=request_no or secrets.token_hex(12), voucher=voucher.code, bill_fen=bill_fen)
        timestamp, nonce = int(self.kit.clock.now().timestamp()), nonce or secrets.token_hex(8)
        content = body.model_dump_json().encode()
        header = authorization(
            key_id=self.till.terminal_id,
            key=self.till.terminal_key,
            method="POST",
            target=TARGET,
            timestamp=timestamp,
            nonce=nonce,
            body=content,
        )
        message = canonical(
            method="POST", target=TARGET.encode(), timestamp=timestamp, nonce=nonce, body=content
        )
        await self.shop.redeem(parse_header(header), message, body)


@pytest.fixture
async def desk(kit: Kit, settings: Settings, staff: Bureau) -> AsyncIterator[Desk]:
    campaign = await published(kit, f"measured-{secrets.token_hex(4)}")
    till = await staff.till(await staff.institution(campaign))
    url = make_url(settings.database_url)
    engine = create_async_engine(url.set(drivername="postgresql+asyncpg"), pool_size=1)
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(False))
    bench = Bench(connection)
    await bench.provide()
    shop = Shop(async_sessionmaker(engine, expire_on_commit=False), kit.keys, kit.clock.now() - machine_now())
    try:
        yield Desk(kit, till, shop, bench, campaign)
    finally:
        await connection.execute("DROP SCHEMA bench CASCADE")
        await connection.close()
        await engine.dispose()


async def written(desk: Desk, voucher: HeldVoucher) -> dict[str, list[tuple[Any, ...]]]:
    values = {
        "voucher": voucher.id,
        "campaign": voucher.campaign.id,
        "terminal": desk.till.terminal_id,
        "now": desk.kit.clock.now(),
    }
    async with desk.kit.database.snapshot() as tx:
        found = {}
        for name, statement in ROWS.items():
            used = {key: value for key, value in values.items() if f":{key}" in statement}
            found[name] = [tuple(row) for row in await tx.execute(text(statement), used)]
        return found


@pytest.mark.parametrize("bill_fen", [5_000, 9_900, 3_333])
@pytest.mark.parametrize("way", [Desk.by_hand, Desk.by_session], ids=["by_hand", "by_session"])
async def test_every_measured_way_writes_what_the_platform_writes(
    desk: Desk, staff: Bureau, kit: Kit, way: Way, bill_fen: int
) -> None:
    theirs = await held_voucher(kit, desk.campaign)
    await way(desk, theirs, bill_fen)
    measured = await written(desk, theirs)

    other = await published(kit, f"measured-{secrets.token_hex(4)}")
    till = await staff.till(await staff.institution(other))
    ours = await held_voucher(kit, other)
    platform = Desk(kit, till, desk.shop, desk.bench, other)
    await platform.over_http(ours, bill_fen)
    assert measured == await written(platform, ours)


async def test_the_ordinary_way_refuses_what_the_platform_refuses(desk: Desk, kit: Kit) -> None:
    voucher = await held_voucher(kit, desk.campaign)
    await desk.by_session(voucher, 5_000, request_no="one", nonce="first")
    with pytest.raises(Replayed):
        await desk.by_session(voucher, 5_000, request_no="two", nonce="first")
    with pytest.raises(RequestNoReused):
        await desk.by_session(voucher, 5_000, request_no="one", nonce="second")
    with pytest.raises(NotRedeemable):
        await desk.by_session(voucher, 5_000)

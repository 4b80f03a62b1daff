"""SQL of the scenes: fills below the platform, and what a filled table weighs."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import make_url

_SETUP = Path(__file__).with_name("population.sql").read_text(encoding="utf-8")
_SECONDS_MAX = 1800.0
_GRANT = "SELECT bench.grant_chances($1, $2, $3, $4)"
_ISSUE = "SELECT bench.issue_vouchers($1, $2, $3, $4, $5, $6, $7)"
# What a write-off reads and writes; the rest of the database is not touched by it.
_FILLED = ("core.voucher", "core.ledger_transfer", "core.tally_delta")
_BYTES = "SELECT sum(pg_total_relation_size(c)) FROM unnest($1::text[]::regclass[]) AS c"
_VOUCHERS = "SELECT count(*) FROM core.voucher"
_STOCK = """
    SELECT s.voucher_type, s.put_in, s.remaining, s.issued,
           (SELECT count(*) FROM core.voucher v JOIN core.campaign c ON c.id = v.campaign_id
            WHERE c.slug = $1 AND v.voucher_type = s.voucher_type) AS vouchers
    FROM issuance.phase_stock s
    JOIN issuance.phase p ON p.id = s.phase_id
    JOIN core.campaign c ON c.id = p.campaign_id
    WHERE c.slug = $1
"""

Known = tuple[int, UUID, UUID, bytes]


@dataclass(frozen=True, slots=True)
class Stock:
    """Pieces of one type; `vouchers` are counted in the table."""

    voucher_type: str
    put_in: int
    remaining: int
    issued: int
    vouchers: int


@dataclass(frozen=True, slots=True)
class Filler:
    """One connection beside the platform; its statements may take long."""

    connection: "asyncpg.Connection[Any]"

    async def grant(self, campaign: UUID, people: Sequence[tuple[int, UUID]], now: datetime) -> None:
        """A chance for each of these persons (bucket, id)."""
        buckets, persons = [bucket for bucket, _ in people], [person for _, person in people]
        await self.connection.execute(_GRANT, campaign, now, buckets, persons)

    async def know(self, vouchers: Iterable[Known]) -> None:
        """Names the vouchers that the next issue makes: bucket, id, person and hash of the code."""
        await self.connection.execute("TRUNCATE bench.known_voucher")
        await self.connection.copy_records_to_table(
            "known_voucher", schema_name="bench", records=list(vouchers)
        )

    async def issue(
        self,
        campaign: UUID,
        voucher_type: str,
        buckets: range,
        *,
        strangers: int,
        sealed: bytes,
        now: datetime,
    ) -> int:
        """Issues the known vouchers of these buckets and so many strangers for each; returns how many."""
        made: int = await self.connection.fetchval(
            _ISSUE, campaign, voucher_type, now, buckets[0], buckets[-1], strangers, sealed
        )
        return made

    async def settle(self) -> None:
        """What autovacuum and the disk would have done by and by."""
        for table in _FILLED:
            await self.connection.execute(f"VACUUM (ANALYZE) {table}")
        await asyncio.to_thread(os.sync)

    async def vouchers(self) -> int:
        return int(await self.connection.fetchval(_VOUCHERS))

    async def weight(self) -> int:
        """Bytes of the filled tables with their indexes."""
        return int(await self.connection.fetchval(_BYTES, list(_FILLED)))

    async def stock(self, slug: str) -> dict[str, Stock]:
        rows = await self.connection.fetch(_STOCK, slug)
        return {row["voucher_type"]: Stock(**dict(row)) for row in rows}


@asynccontextmanager
async def filling(url: str) -> AsyncIterator[Filler]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, command_timeout=_SECONDS_MAX)
    try:
        await connection.execute(_SETUP)
        yield Filler(connection)
    finally:
        await connection.close()

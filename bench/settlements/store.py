"""Uses a campaign's vouchers up below HTTP, by the platform's own function, as many tills would."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from sqlalchemy import make_url

from shared.ids import new_id

_AT_ONCE = 250
_DAYS = 10
_BILL_FEN_MAX = 12_000
_LOOK_SECONDS = 1.0
_TILLS = """
    SELECT t.id, t.bucket, t.caller_id FROM redemption.terminal t
    JOIN redemption.membership m ON m.institution_id = t.institution_id
    JOIN core.campaign c ON c.id = m.campaign_id
    WHERE c.slug = $1 ORDER BY t.id
"""
_VOUCHERS = """
    SELECT v.bucket, v.code_hash FROM core.voucher v JOIN core.campaign c ON c.id = v.campaign_id
    WHERE c.slug = $1 AND v.state = 'issued' ORDER BY v.id LIMIT $2
"""
_REDEEM = """
    WITH told AS (SELECT ARRAY[cardinality(CAST($1 AS text[]))] AS size)
    SELECT made.outcome, count(*) AS n
    FROM told CROSS JOIN LATERAL redemption.redeem_batch(
        CAST($1 AS text[]), NULL, NULL, NULL, CAST($2 AS smallint[]), CAST($3 AS uuid[]), CAST($4 AS text[]),
        CAST($5 AS bytea[]), CAST($6 AS smallint[]), CAST($7 AS bytea[]), array_fill(false, told.size),
        CAST($8 AS bigint[]), array_fill(NULL::timestamptz, told.size), array_fill(NULL::text, told.size),
        CAST($9 AS uuid[]), 'online', CAST($10 AS timestamptz), CAST($10 AS timestamptz)) AS made
    GROUP BY made.outcome
"""
_SYNC = ("fsync", "synchronous_commit", "full_page_writes")
_WAITING = "SELECT count(*) FROM core.outbox WHERE state = 'pending'"


@dataclass(frozen=True, slots=True)
class WriteOffs:
    connection: "asyncpg.Connection[Any]"
    slug: str

    async def make(self, count: int, *, first: datetime) -> int:
        """Writes so many vouchers off, spread over ten days and all tills; returns how many were."""
        tills = await self.connection.fetch(_TILLS, self.slug)
        vouchers = await self.connection.fetch(_VOUCHERS, self.slug, count)
        done = 0
        for start in range(0, len(vouchers), _AT_ONCE):
            some = vouchers[start : start + _AT_ONCE]
            at = first + timedelta(days=_DAYS) * start / len(vouchers)
            at_tills = [tills[(start + place) % len(tills)] for place in range(len(some))]
            done += await self._redeem(some, at_tills, at)
        await self.connection.execute("VACUUM ANALYZE")
        return done

    async def _redeem(self, vouchers: Sequence[Any], tills: Sequence[Any], at: datetime) -> int:
        rows = await self.connection.fetch(
            _REDEEM,
            [till["id"] for till in tills],
            [till["bucket"] for till in tills],
            [till["caller_id"] for till in tills],
            [secrets.token_hex(8) for _ in vouchers],
            [secrets.token_bytes(16) for _ in vouchers],
            [voucher["bucket"] for voucher in vouchers],
            [voucher["code_hash"] for voucher in vouchers],
            [1 + secrets.randbelow(_BILL_FEN_MAX) for _ in vouchers],
            [new_id() for _ in vouchers],
            at,
        )
        return int(sum(row["n"] for row in rows if row["outcome"] == "created"))

    async def counted(self) -> None:
        """Until the jobs have counted all of it, as they would have over the days."""
        while True:
            if not await self.connection.fetchval(_WAITING):
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def synced(self) -> list[str]:
        """What the database does before it acknowledges a commit, such as "fsync on"."""
        return [f"{name} {await self.connection.fetchval(f'SHOW {name}')}" for name in _SYNC]


@asynccontextmanager
async def writing_off(url: str, *, slug: str) -> AsyncIterator[WriteOffs]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, command_timeout=3600)
    try:
        yield WriteOffs(connection, slug)
    finally:
        await connection.close()

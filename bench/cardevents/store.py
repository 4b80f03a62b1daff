"""Fills a programme below the platform, and names the bare database's own way to keep one event."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import asyncpg
from sqlalchemy import make_url

_FILL = Path(__file__).with_name("population.sql").read_text(encoding="utf-8")
_AT_ONCE = 250_000
_SECONDS_MAX = 1_800.0
_PROGRAMME = "SELECT id FROM quota.programme WHERE slug = $1"
# The tables of the platform without what it makes of them: an event kept once, and nothing counted.
_PLAIN = """
    CREATE SCHEMA IF NOT EXISTS bench;
    DROP TABLE IF EXISTS bench.card_event_key, bench.card_event;
    CREATE TABLE bench.card_event_key (LIKE quota.card_event_key INCLUDING ALL);
    CREATE TABLE bench.card_event (LIKE quota.card_event INCLUDING ALL);
"""
_ANY_HOLDER = "SELECT bucket, programme_id, encode(holder_hash, 'hex') AS holder FROM quota.card LIMIT 1"
_LOOKUP = """
    EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF)
    SELECT state, hospital_id FROM quota.card
    WHERE bucket = {} AND programme_id = '{}' AND holder_hash = decode('{}', 'hex')
"""
_NO_PLAIN = "DROP SCHEMA IF EXISTS bench CASCADE"
# One event, one transaction: its key first, and the event only when the key is new.
SINGLE_EVENT = """
WITH one AS (
    SELECT gen_random_uuid()::text AS event_id,
           decode(replace(gen_random_uuid()::text, '-', ''), 'hex') AS holder,
           (random() * 1023)::smallint AS bucket, '00000000-0000-0000-0000-000000000001'::uuid AS programme
), keyed AS (
    INSERT INTO bench.card_event_key (bucket, programme_id, event_id, holder_bucket, holder_hash)
    SELECT bucket, programme, event_id, bucket, holder FROM one ON CONFLICT DO NOTHING RETURNING event_id
)
INSERT INTO bench.card_event (
    bucket, programme_id, holder_hash, place, event_id, kind, scene, hospital_id, at, received_at, source,
    outcome)
SELECT bucket, programme, holder, 1, event_id, 'issued', '0123456789AB', 'hos_0123456789', clock_timestamp(),
       clock_timestamp(), 'bench', 'counted'
FROM one JOIN keyed USING (event_id)
"""


@dataclass(frozen=True, slots=True)
class CardFill:
    connection: asyncpg.Connection
    slug: str

    async def holders(self, count: int, codes: Sequence[tuple[str, str]]) -> AsyncIterator[int]:
        """Makes so many holders with a card each, by (scene, hospital id); yields how many there are."""
        programme: UUID = await self.connection.fetchval(_PROGRAMME, self.slug)
        scenes, hospitals = [scene for scene, _ in codes], [hospital for _, hospital in codes]
        for first in range(1, count + 1, _AT_ONCE):
            last = min(count, first + _AT_ONCE - 1)
            await self.connection.execute(
                _FILL, programme, count, first, last, scenes, hospitals, timeout=_SECONDS_MAX
            )
            yield last

    @asynccontextmanager
    async def plain_tables(self) -> AsyncIterator[None]:
        """Tables for pgbench of the same form and with the same keys, gone afterwards."""
        await self.connection.execute(_PLAIN)
        try:
            yield
        finally:
            await self.connection.execute(_NO_PLAIN)

    async def lookup_plan(self) -> str:
        """How the database finds one holder among all of them."""
        row = await self.connection.fetchrow(_ANY_HOLDER)
        if row is None:
            return "nobody is there"
        told = await self.connection.fetch(_LOOKUP.format(row["bucket"], row["programme_id"], row["holder"]))
        return " | ".join(line[0].strip() for line in told)


@asynccontextmanager
async def filling(database_url: str, slug: str) -> AsyncIterator[CardFill]:
    url = make_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(url)
    try:
        yield CardFill(connection, slug)
    finally:
        await connection.close()

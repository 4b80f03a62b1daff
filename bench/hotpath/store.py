"""SQL beside the platform: makes people below it, reads what they have, and feeds pgbench.

Everything that counts is written by the platform's own functions; what stands here makes people and reads.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import make_url

_SETUP = Path(__file__).with_name("functions.sql").read_text(encoding="utf-8")
_SECONDS_MAX = 600.0
# Verified people with an account, an identity and its consent. Nothing personal is made up: what is sealed
# stays empty.
_PEOPLE = """
    WITH one AS MATERIALIZED (
        SELECT (n * 7919 % 1024)::smallint AS bucket, gen_random_uuid() AS id, gen_random_uuid() AS account_id
        FROM generate_series(1, $1::integer) AS n
    ), person AS (
        INSERT INTO core.person (bucket, id, verified_at, created_at) SELECT bucket, id, $2, $2 FROM one
    ), account AS (
        INSERT INTO core.account (id, provider, subject_hash, subject_sealed, bucket, person_id, created_at)
        SELECT account_id, 'demo', sha256(uuid_send(account_id)), '\\x00', bucket, id, $2 FROM one
    ), identity AS (
        INSERT INTO core.person_identity (identity_hash, bucket, person_id, account_id)
        SELECT sha256(uuid_send(id)), bucket, id, account_id FROM one
    ), consent AS (
        INSERT INTO core.consent (id, account_id, purpose, text_version, given_at)
        SELECT gen_random_uuid(), account_id, 'identity', '2020-10', $2 FROM one
    )
    SELECT account_id, bucket, id FROM one
"""
_NOW = "SELECT clock_timestamp() + coalesce((SELECT \"offset\" FROM core.demo_clock), interval '0')"
_ATTEMPTS = """
    SELECT a.bucket, a.id, a.question_ids, a.option_orders
    FROM unnest($2::smallint[], $3::uuid[]) WITH ORDINALITY AS u (bucket, person_id, ord)
    JOIN issuance.quiz_attempt a ON a.bucket = u.bucket AND a.campaign_id = $1 AND a.person_id = u.person_id
                                AND a.state = 'open'
    ORDER BY u.ord
"""
_AWARDS = """
    SELECT a.bucket, a.id
    FROM unnest($2::smallint[], $3::uuid[]) WITH ORDINALITY AS u (bucket, person_id, ord)
    JOIN issuance.award a ON a.bucket = u.bucket AND a.campaign_id = $1 AND a.person_id = u.person_id
                         AND a.state = 'open'
    ORDER BY u.ord
"""
_VOUCHERS = """
    SELECT v.bucket, v.id, v.code_hash, v.code_sealed
    FROM unnest($2::smallint[], $3::uuid[]) WITH ORDINALITY AS u (bucket, person_id, ord)
    JOIN core.voucher v ON v.bucket = u.bucket AND v.campaign_id = $1 AND v.person_id = u.person_id
                       AND v.state = 'issued'
    ORDER BY u.ord
"""
_CAMPAIGN = """
    SELECT c.id, p.id AS phase_id, p.seed_sealed
    FROM core.campaign c JOIN issuance.phase p ON p.campaign_id = c.id AND p.seq = 1
    WHERE c.slug = $1
"""
# A stock and its vouchers as the platform's tables have them, without foreign keys.
_HOT_ROW = """
    DROP TABLE IF EXISTS bench.stock, bench.voucher;
    CREATE TABLE bench.stock (LIKE issuance.phase_stock INCLUDING ALL);
    INSERT INTO bench.stock SELECT * FROM issuance.phase_stock LIMIT 1;
    UPDATE bench.stock SET put_in = 1000000000, remaining = 1000000000, issued = 0, returned = 0;
    CREATE TABLE bench.voucher (LIKE core.voucher INCLUDING ALL);
"""
START_NEXT = "SELECT bench.start_next();"
SUBMIT_NEXT = "SELECT bench.submit_next();"
DRAW_NEXT = "SELECT bench.draw_next();"
REDEEM_ONE_NEXT = "SELECT bench.redeem_one_next();"
REDEEM_BATCH_NEXT = "SELECT bench.redeem_batch_next();"
# As an ordinary client does it: the hot row first, and it stays locked until the commit.
CLAIM = """
BEGIN;
UPDATE bench.stock SET remaining = remaining - 1, issued = issued + 1 WHERE remaining > 0;
INSERT INTO bench.voucher (bucket, id, campaign_id, phase_seq, voucher_type, kind, amount_fen, split_fen, fund_version, person_id, source_id, code_hash, valid_from, valid_until, issued_at) VALUES ((random() * 1023)::smallint, gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 1, 'general_50', 'general', 5000, ARRAY[5000], 1, gen_random_uuid(), gen_random_uuid(), decode(replace(gen_random_uuid()::text, '-', ''), 'hex'), now(), now() + interval '60 days', now());
COMMIT;
"""  # noqa: E501 - a statement of pgbench ends with its semicolon, and reads better in one line
_VERSION = "SHOW server_version"


@dataclass(frozen=True, slots=True)
class Campaign:
    id: UUID
    phase_id: UUID
    seed_sealed: bytes


@dataclass(frozen=True, slots=True)
class Bench:
    """One connection beside the platform; its statements may take long."""

    connection: "asyncpg.Connection[Any]"

    async def now(self) -> datetime:
        """The platform's time, as the demonstration's clock has it."""
        moment: datetime = await self.connection.fetchval(_NOW)
        return moment

    async def campaign(self, slug: str) -> Campaign:
        row = await self.connection.fetchrow(_CAMPAIGN, slug)
        assert row is not None, "the campaign was published"  # noqa: S101 - the caller published it
        return Campaign(*row)

    async def people(self, count: int) -> list[Any]:
        """So many new people: account id, bucket, person id."""
        return await self.connection.fetch(_PEOPLE, count, await self.now())

    async def attempts(self, campaign: UUID, people: Sequence[tuple[int, UUID]]) -> list[Any]:
        """The open attempt of each: bucket, id, questions, orders of options."""
        return await self._of(_ATTEMPTS, campaign, people)

    async def awards(self, campaign: UUID, people: Sequence[tuple[int, UUID]]) -> list[Any]:
        """The open award of each: bucket, id."""
        return await self._of(_AWARDS, campaign, people)

    async def vouchers(self, campaign: UUID, people: Sequence[tuple[int, UUID]]) -> list[Any]:
        """The voucher of each: bucket, id, hash and sealed text of its code."""
        return await self._of(_VOUCHERS, campaign, people)

    async def _of(self, statement: str, campaign: UUID, people: Sequence[tuple[int, UUID]]) -> list[Any]:
        buckets, persons = [bucket for bucket, _ in people], [person for _, person in people]
        return await self.connection.fetch(statement, campaign, buckets, persons)

    async def provide(self) -> None:
        """The functions and tables that pgbench calls, in a schema of their own; empties the tables."""
        await self.connection.execute(_SETUP)

    async def provide_hot_row(self) -> None:
        """A stock with one row, and no vouchers yet."""
        await self.connection.execute(_HOT_ROW)

    async def give(self, table: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Prepared items for pgbench, numbered from 1 in their order."""
        await self.connection.copy_records_to_table(
            table,
            schema_name="bench",
            records=[(place, *row) for place, row in enumerate(rows, start=1)],
        )

    async def version(self) -> str:
        return str(await self.connection.fetchval(_VERSION))


@asynccontextmanager
async def beside(url: str) -> AsyncIterator[Bench]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, command_timeout=_SECONDS_MAX)
    try:
        yield Bench(connection)
    finally:
        await connection.close()

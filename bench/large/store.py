"""Fills a campaign below the platform. Every step is one transaction and leaves what it says."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import make_url

from services.issuance.campaigns.rules import seed_context
from services.issuance.lottery.rules import hmac_pads, message_prefix
from shared.crypto import Keys
from shared.vouchers.codes import code_context, code_hash, make_code

_SETUP = Path(__file__).with_name("population.sql").read_text(encoding="utf-8")
_ISSUED_AT_ONCE = 5_000
# A person's attempts of a day, as the hot function would allow them.
ATTEMPTS_PER_DAY = 3

_PHASE = """
    SELECT c.id AS campaign_id, c.timezone, ph.id, ph.opens_at, ph.closes_at, ph.seed_sealed, r.id AS rule_id,
           o.id AS odds_id, o.odds_ppm, o.threshold, t.award_valid_days
    FROM core.campaign c
    JOIN issuance.campaign_rules t ON t.campaign_id = c.id
    JOIN issuance.phase ph ON ph.campaign_id = c.id AND ph.seq = 1
    JOIN issuance.quiz_rule r ON r.phase_id = ph.id
    JOIN issuance.odds_version o ON o.phase_id = ph.id
    WHERE c.slug = $1
"""
# The figures that the hot functions would have appended, for what stands in the tables now.
_TALLIES = """
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
    SELECT campaign_id, day, 'attempt', CASE WHEN passed THEN 'passed' ELSE 'failed' END, '', count(*)
    FROM issuance.quiz_attempt WHERE campaign_id = $1 GROUP BY 1, 2, 4
    UNION ALL
    SELECT campaign_id, day, 'participant', '', '', count(DISTINCT person_id)
    FROM issuance.quiz_attempt WHERE campaign_id = $1 GROUP BY 1, 2
    UNION ALL
    SELECT campaign_id, (granted_at AT TIME ZONE $2)::date, 'chance', channel, '', count(*)
    FROM issuance.chance WHERE campaign_id = $1 GROUP BY 1, 2, 4
    UNION ALL
    SELECT campaign_id, day, 'draw', CASE WHEN won THEN 'won' ELSE 'lost' END, channel, count(*)
    FROM issuance.draw WHERE campaign_id = $1 GROUP BY 1, 2, 4, 5
    UNION ALL
    SELECT campaign_id, day, 'draw_at_odds', $3, channel, count(*)
    FROM issuance.draw WHERE campaign_id = $1 GROUP BY 1, 2, 5
    UNION ALL
    SELECT v.campaign_id, (v.issued_at AT TIME ZONE $2)::date, 'issue_way', d.channel, '', count(*)
    FROM core.voucher v
    JOIN issuance.award a ON a.bucket = v.bucket AND a.id = v.source_id
    JOIN issuance.draw d ON d.bucket = a.bucket AND d.id = a.draw_id
    WHERE v.campaign_id = $1 GROUP BY 1, 2, 4
"""
_STILL_ISSUED = "SELECT EXISTS (SELECT FROM core.voucher WHERE state = 'issued')"
_TYPES = """
    SELECT array_agg(voucher_type ORDER BY voucher_type) FROM issuance.phase_stock WHERE phase_id = $1
"""


@dataclass(frozen=True, slots=True)
class Counts:
    persons: int
    attempts: int
    draws: int
    vouchers: int


@dataclass(frozen=True, slots=True)
class Population:
    """`persons` people with `each` attempts in the first phase of a published campaign."""

    connection: "asyncpg.Connection[Any]"
    slug: str
    keys: Keys
    persons: int
    each: int

    async def fill(self) -> AsyncIterator[str]:
        """Yields the name of each step when it is done; the last state has every figure in it."""
        phase = await self.connection.fetchrow(_PHASE, self.slug)
        assert phase is not None, "the campaign was published"  # noqa: S101 - the caller published it
        timezone = phase["timezone"]
        first_day = await self.connection.fetchval(
            "SELECT ($1::timestamptz AT TIME ZONE $2)::date", phase["opens_at"], timezone
        )
        days = (phase["closes_at"] - phase["opens_at"]).days
        campaign, rule = phase["campaign_id"], phase["rule_id"]
        await self.connection.execute("SELECT bench.people($1, $2)", self.persons, phase["opens_at"])
        yield "persons"
        await self.connection.execute("SELECT bench.sheets($1, $2, $3)", campaign, rule, 20_000)
        await self.connection.execute(
            "SELECT bench.attempts($1, $2, $3, $4, $5, $6, $7)",
            *(campaign, phase["id"], rule, self.each, first_day, days, timezone),
        )
        yield "attempts"
        seed = self.keys.sealer.open(phase["seed_sealed"], context=seed_context(phase["id"]))
        await self.connection.execute("ANALYZE issuance.quiz_attempt")
        await self.connection.execute(
            "SELECT bench.draws($1, $2, $3, $4, $5, $6, $7)",
            *(campaign, phase["id"], phase["odds_id"], phase["threshold"]),
            *hmac_pads(seed),
            message_prefix(self.slug, 1),
        )
        yield "draws"
        await self._vouchers(phase)
        yield "vouchers"
        await self.connection.execute(_TALLIES, campaign, timezone, str(phase["odds_ppm"]))
        await self.connection.execute("VACUUM ANALYZE")
        yield "figures"

    async def _vouchers(self, phase: Any) -> None:  # noqa: ANN401 - a row of the driver
        types = await self.connection.fetchval(_TYPES, phase["id"])
        awards = await self.connection.fetch(
            "SELECT * FROM bench.awards($1, $2, $3, make_interval(days => $4))",
            *(phase["campaign_id"], phase["id"], types, phase["award_valid_days"]),
        )
        together: dict[tuple[str, datetime], list[Any]] = defaultdict(list)
        for award in awards:
            together[award["voucher_type"], award["hour"]].append(award)
        for (voucher_type, issued_at), rows in together.items():
            for some in _shares(rows):
                await self._issue(phase["campaign_id"], voucher_type, issued_at, some)

    async def _issue(
        self, campaign: UUID, voucher_type: str, issued_at: datetime, awards: Sequence[Any]
    ) -> None:
        codes = [make_code(award["bucket"]) for award in awards]
        sealed = [
            self.keys.sealer.seal_text(code, context=code_context(award["voucher_id"]))
            for code, award in zip(codes, awards, strict=True)
        ]
        await self.connection.execute(
            "SELECT core.vouchers_issue($1, 1::smallint, $2, $3, $4, $5, $6, $7, $8, $9, 'citizen')",
            *(campaign, voucher_type, issued_at),
            *(
                [award[name] for award in awards]
                for name in ("bucket", "voucher_id", "person_id", "award_id")
            ),
            [code_hash(self.keys.index, code) for code in codes],
            sealed,
        )

    async def counts(self) -> Counts:
        tables = ("core.person", "issuance.quiz_attempt", "issuance.draw", "core.voucher")
        return Counts(*[await self.connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables])

    async def issued(self) -> bool:
        """Whether any voucher is issued still."""
        return bool(await self.connection.fetchval(_STILL_ISSUED))

    async def some_person(self) -> Any:  # noqa: ANN401 - a row of the driver
        """Somebody who won: bucket, id and account."""
        return await self.connection.fetchrow("""
            SELECT p.bucket, p.id, p.account_id FROM bench.person p
            JOIN core.voucher v ON v.bucket = p.bucket AND v.person_id = p.id LIMIT 1
        """)


def _shares(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(rows), _ISSUED_AT_ONCE):
        yield rows[start : start + _ISSUED_AT_ONCE]


@asynccontextmanager
async def populating(
    url: str, *, slug: str, keys: Keys, persons: int, each: int
) -> AsyncIterator[Population]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain, command_timeout=3600)
    try:
        await connection.execute(_SETUP)
        yield Population(connection, slug, keys, persons, each)
    finally:
        await connection.close()

"""Builders of very many vouchers at once: rows and transfers as issuing them one by one would leave."""

from datetime import datetime

from sqlalchemy import text

from shared.kit import Kit
from shared.vouchers.catalogue import CampaignRef

_MANY = text("""
    WITH fund AS (SELECT shares_ppm FROM core.fund WHERE campaign_id = :campaign),
    made AS (
        INSERT INTO core.voucher (
            bucket, id, campaign_id, phase_seq, voucher_type, kind, amount_fen, split_fen, person_id,
            source_id, code_hash, code_sealed, valid_from, valid_until, issued_at)
        SELECT i % 1024, gen_random_uuid(), :campaign, 1, 'general_100', 'general', 10000,
               core.split_fen(10000, fund.shares_ppm), gen_random_uuid(), gen_random_uuid(),
               decode(md5(:salt || i), 'hex'), '', CAST(:first AS timestamptz) - interval '60 days',
               CAST(:first AS timestamptz) + i * interval '1 second',
               CAST(:first AS timestamptz) - interval '60 days'
        FROM generate_series(1, :count) AS i CROSS JOIN fund
        RETURNING bucket, id, split_fen, issued_at
    ), posted AS (
        INSERT INTO core.ledger_transfer (
            bucket, source_id, kind, campaign_id, debit, credit, amounts_fen, voucher_id, actor, at)
        SELECT bucket, id, 'issue', :campaign, 'available', 'committed', split_fen, id, 'system', issued_at
        FROM made
    )
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n, amounts_fen)
    SELECT :campaign, CAST(issued_at AT TIME ZONE 'Asia/Shanghai' AS date), 'issue', 'general_100',
           '', count(*), core.amounts_sum(split_fen)
    FROM made
    GROUP BY issued_at
""")


async def many_vouchers(kit: Kit, campaign: CampaignRef, count: int, first: datetime) -> None:
    """`count` vouchers of 100 yuan that end one second after the other from `first`."""
    async with kit.database.transaction(slow=True) as tx:
        values = {"campaign": campaign.id, "count": count, "first": first, "salt": campaign.slug}
        await tx.execute(_MANY, values)
        await tx.execute(text("ANALYZE core.voucher"))

"""SQL that reads every version of a campaign's rules; it locks nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from shared.db import Tx

_VERSIONS = text("""
    WITH found AS (
        SELECT 'budget_and_shares' AS subject, CAST(NULL AS smallint) AS phase, CAST(NULL AS text) AS key,
               v.effective_from, v.version::bigint AS place, v.reason,
               CASE WHEN v.actor LIKE 'change:%' THEN substr(v.actor, 8)::uuid END AS change_id,
               jsonb_build_object('budget_fen', v.budget_fen, 'payers', f.payer_keys,
                                  'payer_names', f.payer_names, 'shares_ppm', v.shares_ppm,
                                  'put_up_fen', v.put_up_fen) AS value
        FROM core.fund_version v JOIN core.fund f ON f.campaign_id = v.campaign_id
        WHERE v.campaign_id = :campaign_id
        UNION ALL
        SELECT 'limits', NULL, NULL, effective_from, 0, reason, change_id,
               jsonb_build_object('vouchers_per_phase', vouchers_per_phase, 'draws_per_day', draws_per_day,
                                  'draws_per_phase', draws_per_phase, 'vouchers_per_type', vouchers_per_type)
        FROM issuance.limits_version WHERE campaign_id = :campaign_id
        UNION ALL
        SELECT 'settlement_hold', NULL, NULL, effective_from, 0, reason, change_id,
               jsonb_build_object('settlement_hold_days', settlement_hold_days)
        FROM issuance.settlement_hold_version WHERE campaign_id = :campaign_id
        UNION ALL
        SELECT 'channel', NULL, key, effective_from, 0, reason, change_id,
               jsonb_build_object('chances', chances, 'per_day', per_day, 'review', review)
        FROM issuance.channel_version WHERE campaign_id = :campaign_id
        UNION ALL
        SELECT 'phase', p.seq, NULL, o.effective_from, 0, o.reason, o.change_id,
               jsonb_build_object('opens_at', p.opens_at, 'closes_at', p.closes_at,
                                  'seed_commitment', p.seed_commitment, 'release_seconds', p.release_seconds,
                                  'release_amounts', (
                                      SELECT jsonb_object_agg(s.voucher_type, s.release_amount)
                                      FROM issuance.phase_stock s
                                      WHERE s.phase_id = p.id AND s.release_amount IS NOT NULL))
        FROM issuance.phase p
        CROSS JOIN LATERAL (
            SELECT effective_from, reason, change_id FROM issuance.odds_version
            WHERE phase_id = p.id ORDER BY effective_from LIMIT 1) o
        WHERE p.campaign_id = :campaign_id
        UNION ALL
        SELECT 'odds', p.seq, NULL, o.effective_from, 0, o.reason, o.change_id,
               jsonb_build_object('odds_ppm', o.odds_ppm)
        FROM issuance.odds_version o JOIN issuance.phase p ON p.id = o.phase_id
        WHERE p.campaign_id = :campaign_id
        UNION ALL
        SELECT 'quiz_rule', p.seq, NULL, q.effective_from, 0, q.reason, q.change_id,
               to_jsonb(q) - ARRAY['id', 'phase_id', 'effective_from', 'reason', 'change_id']
        FROM issuance.quiz_rule q JOIN issuance.phase p ON p.id = q.phase_id
        WHERE p.campaign_id = :campaign_id
        UNION ALL
        SELECT 'stock', p.seq, m.voucher_type, m.at, 0, m.reason, m.change_id,
               jsonb_build_object('delta', m.delta)
        FROM issuance.stock_move m JOIN issuance.phase p ON p.id = m.phase_id
        WHERE p.campaign_id = :campaign_id
        UNION ALL
        SELECT 'stock_return', p.seq, r.voucher_type, r.at, 0, NULL, r.change_id,
               jsonb_build_object('pieces', r.pieces, 'value_fen', r.value_fen)
        FROM issuance.stock_return r JOIN issuance.phase p ON p.id = r.phase_id
        WHERE p.campaign_id = :campaign_id
    )
    SELECT found.subject, found.phase, found.key, found.effective_from, found.reason, found.value,
           c.id, c.kind, proposer.username, c.proposed_at, approver.username, c.decided_at
    FROM found
    LEFT JOIN core.change c ON c.id = found.change_id
    LEFT JOIN core.staff proposer ON proposer.id = c.proposed_by
    LEFT JOIN core.staff approver ON approver.id = c.decided_by
    ORDER BY found.effective_from, found.place, found.subject, found.phase, found.key
""")


@dataclass(frozen=True, slots=True)
class Decided:
    change_id: UUID
    kind: str
    proposed_by: str
    proposed_at: datetime
    approved_by: str | None
    approved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Version:
    """`value` is what holds from then on, rates in parts per million."""

    subject: str
    phase: int | None
    key: str | None
    effective_from: datetime
    reason: str | None
    value: dict[str, Any]
    decided: Decided | None


async def versions(tx: Tx, campaign_id: UUID) -> list[Version]:
    """Every version of everything, the first ones first; a campaign has hundreds at the most."""
    rows = await tx.execute(_VERSIONS, {"campaign_id": campaign_id})
    return [
        Version(
            subject=row.subject,
            phase=row.phase,
            key=row.key,
            effective_from=row.effective_from,
            reason=row.reason,
            value=row.value,
            decided=Decided(*row[6:]) if row.id is not None else None,
        )
        for row in rows
    ]

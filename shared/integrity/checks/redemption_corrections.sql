-- name: corrections_take_back_settled_write_offs_once
-- zh: 更正只冲减已结算的核销且只一次
-- A correction takes back what its write-off applied, to the fen of each payer, from the institution that
-- it was settled with, and in a later settlement than the write-off's own; or in its own, by a dispute about
-- that one which was right.
WITH judged AS (
    SELECT c.redemption_id AS id, c.amount_fen, r.applied_fen,
           r.state = 'redeemed' AND r.settlement_id = c.original_settlement_id
           AND r.applied_fen = c.amount_fen AND r.split_fen = c.split_fen
           AND r.campaign_id = c.campaign_id AND r.institution_id = c.institution_id
           AND r.voucher_type = c.voucher_type
           AND CASE WHEN c.dispute_id IS NULL
                    THEN c.settlement_id IS NULL
                         OR later.id <> original.id AND later.created_at >= original.created_at
                    ELSE later.id = original.id AND dispute.settlement_id = original.id
                         AND dispute.outcome = 'upheld' AND dispute.change_id = c.change_id END AS fits
    FROM redemption.correction c
    LEFT JOIN redemption.redemption r ON r.bucket = c.bucket AND r.id = c.redemption_id
    LEFT JOIN redemption.settlement original ON original.id = c.original_settlement_id
    LEFT JOIN redemption.settlement later ON later.id = c.settlement_id
    LEFT JOIN redemption.settlement_dispute dispute ON dispute.id = c.dispute_id
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, coalesce(sum(applied_fen), 0)::bigint AS expected,
       coalesce(sum(amount_fen), 0)::bigint AS actual,
       'fen; the first correction that differs: ' || min(id::text) FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

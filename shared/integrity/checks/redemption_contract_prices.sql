-- name: directed_redemptions_apply_the_price_in_force
-- zh: 定向券核销金额等于当时有效的价格
-- What a directed voucher paid is what was committed for it, or less where the institution's contract says so for
-- that moment; and the rest went back to the payers.
WITH judged AS (
    SELECT r.id, r.applied_fen, least(v.amount_fen, contract.price_fen) AS owed_fen,
           (SELECT count(*) FROM core.ledger_transfer t
            WHERE t.bucket = r.bucket AND t.source_id = r.id AND t.kind = 'release'
              AND core.amounts_total(t.amounts_fen) = v.amount_fen - r.applied_fen)
           = (r.applied_fen < v.amount_fen)::int AS rest_released
    FROM redemption.redemption r
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    LEFT JOIN LATERAL (
        SELECT p.price_fen FROM redemption.contract_price p
        WHERE p.institution_id = r.institution_id AND p.campaign_id = r.campaign_id
          AND p.voucher_type = r.voucher_type AND p.effective_from <= r.redeemed_at
        ORDER BY p.effective_from DESC, p.version DESC LIMIT 1
    ) AS contract ON true
    WHERE r.kind = 'directed'
)
SELECT coalesce(bool_and(applied_fen = owed_fen AND rest_released), true) AS ok,
       coalesce(sum(owed_fen), 0)::bigint AS expected, coalesce(sum(applied_fen), 0)::bigint AS actual,
       'fen; the first that differs: '
       || min(id::text) FILTER (WHERE applied_fen <> owed_fen OR NOT rest_released) AS detail
FROM judged

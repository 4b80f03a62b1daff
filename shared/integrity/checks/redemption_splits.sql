-- name: redemption_splits_add_up_to_the_fen
-- zh: 核销分担合计到分
-- What a voucher paid is divided over the payers without a remainder, one part for each, and the ledger
-- moved exactly these parts. Every write-off has its transfer and every such transfer its write-off.
WITH judged AS (
    SELECT coalesce(r.id, t.source_id) AS id, r.applied_fen, core.amounts_total(r.split_fen) AS split_total,
           r.id IS NOT NULL AND t.source_id IS NOT NULL
           AND core.amounts_total(r.split_fen) = r.applied_fen
           AND cardinality(r.split_fen) = cardinality(f.payer_keys)
           AND array_position(r.split_fen, NULL) IS NULL AND 0 <= ALL (r.split_fen)
           AND t.amounts_fen = r.split_fen AND t.voucher_id = r.voucher_id
           AND t.institution_id = r.institution_id AS fits
    FROM redemption.redemption r
    FULL JOIN (SELECT * FROM core.ledger_transfer WHERE kind = 'redeem') AS t
        ON t.bucket = r.bucket AND t.source_id = r.id
    LEFT JOIN core.fund f ON f.campaign_id = r.campaign_id
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, coalesce(sum(applied_fen), 0)::bigint AS expected,
       coalesce(sum(split_total), 0)::bigint AS actual,
       'fen; the first that differs: ' || min(id::text) FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

-- name: settlements_are_the_sum_of_their_lines_and_write_offs
-- zh: 结算单合计等于明细与核销之和
-- What an institution is owed for a period is the sum of the lines that it signs, per payer and in all,
-- and these are the write-offs and corrections that are in it, counted again. Each of those points to the
-- one settlement that it is in: its own institution's, and one that exists. The lines of its revision count;
-- those before it tell what it said once.
WITH item AS (
    SELECT settlement_id, 'redemption' AS kind, voucher_type, campaign_id, institution_id,
           applied_fen AS fen, split_fen AS split
    FROM redemption.redemption WHERE settlement_id IS NOT NULL
    UNION ALL
    SELECT c.settlement_id, 'correction', c.voucher_type, c.campaign_id, c.institution_id, -c.amount_fen,
           (SELECT array_agg(-part ORDER BY i) FROM unnest(c.split_fen) WITH ORDINALITY AS u (part, i))
    FROM redemption.correction c WHERE c.settlement_id IS NOT NULL
), recounted AS (
    SELECT settlement_id, kind, voucher_type, campaign_id, institution_id, count(*) AS n, sum(fen)::bigint AS fen,
           core.amounts_sum(split) AS split
    FROM item GROUP BY settlement_id, kind, voucher_type, campaign_id, institution_id
), line AS (
    SELECT l.settlement_id, l.kind, l.voucher_type, s.campaign_id, s.institution_id, l.count AS n,
           l.amount_fen AS fen, l.split_fen AS split
    FROM redemption.settlement_line l
    JOIN redemption.settlement s ON s.id = l.settlement_id AND s.revision = l.revision
), lines_judged AS (
    SELECT settlement_id, coalesce(line.fen, 0) AS expected, coalesce(recounted.fen, 0) AS actual,
           line.n = recounted.n AND line.fen = recounted.fen AND line.split = recounted.split
           AND core.amounts_total(line.split) = line.fen AS fits
    FROM line FULL JOIN recounted
        USING (settlement_id, kind, voucher_type, campaign_id, institution_id)
), totals_judged AS (
    SELECT s.id AS settlement_id, 0 AS expected, 0 AS actual,
           s.count = coalesce(sum(l.count) FILTER (WHERE l.kind = 'redemption'), 0)
           AND s.corrections = coalesce(sum(l.count) FILTER (WHERE l.kind = 'correction'), 0)
           AND s.amount_fen = coalesce(sum(l.amount_fen), 0) AND s.split_fen = core.amounts_sum(l.split_fen)
           AND core.amounts_total(s.split_fen) = s.amount_fen AS fits
    FROM redemption.settlement s
    LEFT JOIN redemption.settlement_line l ON l.settlement_id = s.id AND l.revision = s.revision
    GROUP BY s.id
), judged AS (
    SELECT * FROM lines_judged UNION ALL SELECT * FROM totals_judged
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'fen; the first settlement that differs: '
       || min(settlement_id::text) FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

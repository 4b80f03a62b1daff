-- name: tallies_equal_the_recount_of_transfers
-- zh: 汇总数等于逐笔重新计数
-- Dashboards, metrics and documents read tallies. Each figure (campaign, day, kind, voucher type,
-- institution) is the number and the money of the transfers behind it, counted again.
WITH tallied AS (
    SELECT scope_id, day, measure, dim, dim2, sum(n) AS n, core.amounts_sum(amounts_fen) AS amounts_fen
    FROM (
        SELECT scope_id, day, measure, dim, dim2, n, amounts_fen FROM core.tally
        UNION ALL
        SELECT scope_id, day, measure, dim, dim2, n, amounts_fen FROM core.tally_delta
    ) AS figure
    WHERE measure IN ('issue', 'redeem', 'release', 'reverse', 'recommit', 'expire', 'revoke', 'pay', 'recover')
    GROUP BY scope_id, day, measure, dim, dim2
), recounted AS (
    SELECT t.campaign_id AS scope_id, (t.at AT TIME ZONE c.timezone)::date AS day, t.kind AS measure,
           coalesce(v.voucher_type, '') AS dim, coalesce(t.institution_id, '') AS dim2, count(*) AS n,
           core.amounts_sum(t.amounts_fen) AS amounts_fen
    FROM core.ledger_transfer t
    JOIN core.campaign c ON c.id = t.campaign_id
    LEFT JOIN core.voucher v ON v.bucket = t.bucket AND v.id = t.voucher_id
    WHERE t.voucher_id IS NOT NULL OR t.kind IN ('pay', 'recover')
    GROUP BY 1, 2, 3, 4, 5
), judged AS (
    SELECT measure, day, coalesce(recounted.n, 0) AS expected, coalesce(tallied.n, 0) AS actual,
           coalesce(tallied.n, 0) = coalesce(recounted.n, 0)
           AND (tallied.amounts_fen IS NOT DISTINCT FROM recounted.amounts_fen
                OR core.amounts_total(tallied.amounts_fen) = 0 AND recounted.amounts_fen IS NULL) AS fits
    FROM tallied FULL JOIN recounted USING (scope_id, day, measure, dim, dim2)
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'transfers; differs for: '
       || string_agg(DISTINCT format('%s on %s', measure, day), ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

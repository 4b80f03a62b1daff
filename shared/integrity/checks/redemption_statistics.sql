-- name: institution_statistics_with_pending_jobs_equal_the_recount
-- zh: 机构统计加待处理事项等于重新计数
-- Institutions are ranked and paid by what is counted for them. What jobs have counted, and what still
-- waits to be counted, is the number and the money of the live write-offs by campaign, institution, day
-- of use and type.
WITH waiting AS (
    SELECT r.campaign_id, r.institution_id, r.redeemed_at, r.voucher_type, r.applied_fen,
           CASE o.kind WHEN 'redemption.redemption_counted' THEN 1 ELSE -1 END AS sign
    FROM core.outbox o
    JOIN redemption.redemption r ON r.bucket = o.bucket AND r.id = substr(o.payload ->> 'redemption_id', 3)::uuid
    WHERE o.kind IN ('redemption.redemption_counted', 'redemption.reversal_counted')
), counted AS (
    SELECT campaign_id, institution_id, day, voucher_type, sum(n) AS n, sum(fen) AS fen
    FROM (
        SELECT campaign_id, institution_id, day, voucher_type, count AS n, applied_fen AS fen
        FROM redemption.institution_statistics
        UNION ALL
        SELECT w.campaign_id, w.institution_id, (w.redeemed_at AT TIME ZONE c.timezone)::date, w.voucher_type,
               w.sign, w.sign * w.applied_fen
        FROM waiting w JOIN core.campaign c ON c.id = w.campaign_id
    ) AS part
    GROUP BY campaign_id, institution_id, day, voucher_type
), recounted AS (
    SELECT r.campaign_id, r.institution_id, (r.redeemed_at AT TIME ZONE c.timezone)::date AS day, r.voucher_type,
           count(*) AS n, sum(r.applied_fen) AS fen
    FROM redemption.redemption r
    JOIN core.campaign c ON c.id = r.campaign_id
    WHERE r.state = 'redeemed'
    GROUP BY 1, 2, 3, 4
), judged AS (
    SELECT institution_id, day, coalesce(recounted.n, 0) AS expected, coalesce(counted.n, 0) AS actual,
           coalesce(recounted.n, 0) = coalesce(counted.n, 0)
           AND coalesce(recounted.fen, 0) = coalesce(counted.fen, 0) AS fits
    FROM counted FULL JOIN recounted USING (campaign_id, institution_id, day, voucher_type)
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'write-offs; differs for: '
       || string_agg(DISTINCT format('%s on %s', institution_id, day), ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

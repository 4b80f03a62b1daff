-- name: redeemed_vouchers_have_exactly_one_live_redemption
-- zh: 已核销的消费券恰有一笔有效核销
-- A voucher is redeemed exactly when it has one write-off that was not reversed, never two, and both say
-- where and when. Otherwise a voucher was used without a trace, or somebody is paid for nothing.
WITH live AS (
    SELECT bucket, voucher_id, count(*) AS n, min(institution_id) AS institution_id,
           min(redeemed_at) AS redeemed_at
    FROM redemption.redemption WHERE state = 'redeemed'
    GROUP BY bucket, voucher_id
), used AS (
    SELECT bucket, id, institution_id, redeemed_at FROM core.voucher WHERE state = 'redeemed'
), judged AS (
    SELECT coalesce(used.id, live.voucher_id) AS voucher_id, used.id IS NOT NULL AS is_used,
           coalesce(live.n, 0) AS n,
           coalesce(live.n, 0) = 1 AND used.id IS NOT NULL
           AND used.institution_id = live.institution_id AND used.redeemed_at = live.redeemed_at AS fits
    FROM used FULL JOIN live ON live.bucket = used.bucket AND live.voucher_id = used.id
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, count(*) FILTER (WHERE is_used) AS expected,
       coalesce(sum(n), 0)::bigint AS actual,
       'vouchers and live redemptions; the first that differs: '
       || min(voucher_id::text) FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

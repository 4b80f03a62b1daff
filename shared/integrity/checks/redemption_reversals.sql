-- name: reversed_redemptions_have_their_reversal
-- zh: 已冲正的核销都有冲正记录
-- A write-off is undone by somebody, at some time, for some reason: exactly one history row each, and none
-- for a write-off that still stands.
WITH undone AS (
    SELECT bucket, redemption_id, count(*) AS n FROM redemption.reversal
    WHERE redemption_id IS NOT NULL
    GROUP BY bucket, redemption_id
), judged AS (
    SELECT coalesce(r.id, undone.redemption_id) AS id, r.state, coalesce(undone.n, 0) AS n,
           r.id IS NOT NULL AND coalesce(undone.n, 0) = CASE r.state WHEN 'reversed' THEN 1 ELSE 0 END AS fits
    FROM redemption.redemption r
    FULL JOIN undone ON undone.bucket = r.bucket AND undone.redemption_id = r.id
)
SELECT coalesce(bool_and(fits), true) AS ok, count(*) FILTER (WHERE state = 'reversed') AS expected,
       coalesce(sum(n), 0)::bigint AS actual,
       'reversals; the first that differs: ' || min(id::text) FILTER (WHERE NOT fits) AS detail
FROM judged

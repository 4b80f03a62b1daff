-- name: offline_uploads_keep_to_their_daily_limits
-- zh: 离线上传未超过每日上限
-- What stands of a terminal's uploads of one day of use is no more than its campaign allows.
WITH days AS (
    SELECT r.terminal_id, (r.redeemed_at AT TIME ZONE c.timezone)::date AS day, c.slug,
           count(*) AS n, sum(r.applied_fen) AS fen, c.offline_count_per_day, c.offline_fen_per_day
    FROM redemption.redemption r
    JOIN core.campaign c ON c.id = r.campaign_id
    WHERE r.source = 'batch' AND r.state = 'redeemed'
      AND (c.offline_count_per_day IS NOT NULL OR c.offline_fen_per_day IS NOT NULL)
    GROUP BY r.terminal_id, day, c.slug, c.offline_count_per_day, c.offline_fen_per_day
), judged AS (
    SELECT *, (n <= offline_count_per_day) IS NOT FALSE AND (fen <= offline_fen_per_day) IS NOT FALSE AS fits
    FROM days
)
SELECT coalesce(bool_and(fits), true) AS ok, count(*) AS expected, count(*) FILTER (WHERE fits) AS actual,
       'days of terminals; the first above its limit: '
       || min(format('%s %s %s', slug, terminal_id, day)) FILTER (WHERE NOT fits) AS detail
FROM judged

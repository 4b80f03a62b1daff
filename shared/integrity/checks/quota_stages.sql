-- name: funnel_equals_the_recount_of_stages
-- zh: 访问和申请数等于逐条重新计数
-- Landings and applications by day, hospital and code are the events behind them, each with its key.
WITH tallied AS (
    SELECT scope_id, day, measure, dim, dim2, sum(n) AS n
    FROM (
        SELECT scope_id, day, measure, dim, dim2, n FROM core.tally
        UNION ALL
        SELECT scope_id, day, measure, dim, dim2, n FROM core.tally_delta
    ) AS figure
    WHERE measure IN ('card_landed', 'card_applied')
    GROUP BY scope_id, day, measure, dim, dim2
), recounted AS (
    SELECT s.programme_id AS scope_id, s.day, 'card_' || s.kind AS measure, coalesce(s.hospital_id, '') AS dim,
           CASE WHEN s.hospital_id IS NULL THEN '' ELSE quota.plain_scene(s.scene) END AS dim2, count(*) AS n
    FROM quota.card_stage s
    JOIN quota.card_event_key k
      ON k.bucket = s.bucket AND k.programme_id = s.programme_id AND k.event_id = s.event_id
     AND k.holder_hash = s.holder_hash
    JOIN quota.programme p ON p.id = s.programme_id AND (s.at AT TIME ZONE p.timezone)::date = s.day
    GROUP BY 1, 2, 3, 4, 5
), judged AS (
    SELECT measure, day, coalesce(recounted.n, 0) AS expected, coalesce(tallied.n, 0) AS actual
    FROM tallied FULL JOIN recounted USING (scope_id, day, measure, dim, dim2)
)
SELECT coalesce(bool_and(expected = actual), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'events; differs for: '
       || string_agg(DISTINCT format('%s on %s', measure, day), ', ') FILTER (WHERE expected <> actual) AS detail
FROM judged

-- name: tallies_equal_the_recount_of_card_credits
-- zh: 发卡汇总数等于逐笔重新计数
-- Each figure of the daily series (programme, day, cards or uses, hospital) is the sum of the credits behind it.
WITH tallied AS (
    SELECT scope_id, day, measure, dim, sum(n) AS n
    FROM (
        SELECT scope_id, day, measure, dim, n FROM core.tally
        UNION ALL
        SELECT scope_id, day, measure, dim, n FROM core.tally_delta
    ) AS figure
    WHERE measure IN ('card', 'card_used', 'card_void')
    GROUP BY scope_id, day, measure, dim
), recounted AS (
    SELECT programme_id AS scope_id, day, measure, hospital_id AS dim, sum(n) AS n
    FROM quota.card_credit GROUP BY programme_id, day, measure, hospital_id
), judged AS (
    SELECT measure, day, coalesce(recounted.n, 0) AS expected, coalesce(tallied.n, 0) AS actual
    FROM tallied FULL JOIN recounted USING (scope_id, day, measure, dim)
)
SELECT coalesce(bool_and(expected = actual), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'credits; differs for: '
       || string_agg(DISTINCT format('%s on %s', measure, day), ', ') FILTER (WHERE expected <> actual) AS detail
FROM judged

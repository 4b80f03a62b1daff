-- name: tallies_equal_the_recount_of_activities
-- zh: 各参与方式的汇总数等于逐条重新计数
-- Each way has its own line in every figure: activities by campaign, day, channel and what became of them,
-- counted again, and what kind of shares and leads was accepted.
WITH tallied AS (
    SELECT scope_id, day, measure, dim, dim2, sum(n) AS n
    FROM (
        SELECT scope_id, day, measure, dim, dim2, n FROM core.tally
        UNION ALL
        SELECT scope_id, day, measure, dim, dim2, n FROM core.tally_delta
    ) AS figure
    WHERE measure IN ('activity', 'kind')
    GROUP BY scope_id, day, measure, dim, dim2
), recounted AS (
    SELECT campaign_id AS scope_id, day, 'activity' AS measure, channel AS dim, state AS dim2, count(*) AS n
    FROM issuance.activity GROUP BY campaign_id, day, channel, state
    UNION ALL
    SELECT campaign_id, day, 'kind', channel, category, count(*)
    FROM issuance.activity WHERE category IS NOT NULL GROUP BY campaign_id, day, channel, category
), judged AS (
    SELECT dim, dim2, day, coalesce(recounted.n, 0) AS expected, coalesce(tallied.n, 0) AS actual
    FROM tallied FULL JOIN recounted USING (scope_id, day, measure, dim, dim2)
)
SELECT coalesce(bool_and(expected = actual), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'activities; differs for: '
       || string_agg(DISTINCT format('%s %s on %s', dim2, dim, day), ', ') FILTER (WHERE expected <> actual) AS detail
FROM judged

-- name: tallies_equal_the_recount_of_attempts_chances_and_draws
-- zh: 答题、机会与抽奖的汇总数等于逐笔重新计数
-- Dashboards, metrics and the report read tallies. Each figure (campaign, day, measure) is what it counts,
-- counted again: answered attempts, the persons behind them, chances granted by channel, draws, and vouchers
-- by the channel that their chance came from.
WITH tallied AS (
    SELECT scope_id, day, measure, dim, dim2, sum(n) AS n
    FROM (
        SELECT scope_id, day, measure, dim, dim2, n FROM core.tally
        UNION ALL
        SELECT scope_id, day, measure, dim, dim2, n FROM core.tally_delta
    ) AS figure
    WHERE measure IN ('attempt', 'participant', 'chance', 'draw', 'issue_way')
    GROUP BY scope_id, day, measure, dim, dim2
), answered AS (
    SELECT a.campaign_id, (a.answered_at AT TIME ZONE c.timezone)::date AS day, a.person_id, a.passed
    FROM issuance.quiz_attempt a JOIN core.campaign c ON c.id = a.campaign_id
    WHERE a.state = 'answered'
), recounted AS (
    SELECT campaign_id AS scope_id, day, 'attempt' AS measure,
           CASE WHEN passed THEN 'passed' ELSE 'failed' END AS dim, '' AS dim2, count(*) AS n
    FROM answered GROUP BY campaign_id, day, passed
    UNION ALL
    SELECT campaign_id, day, 'participant', '', '', count(DISTINCT person_id) FROM answered GROUP BY campaign_id, day
    UNION ALL
    SELECT ch.campaign_id, (ch.granted_at AT TIME ZONE c.timezone)::date, 'chance', ch.channel, '', count(*)
    FROM issuance.chance ch JOIN core.campaign c ON c.id = ch.campaign_id
    GROUP BY 1, 2, ch.channel
    UNION ALL
    SELECT d.campaign_id, (d.drawn_at AT TIME ZONE c.timezone)::date, 'draw',
           CASE WHEN d.won THEN 'won' ELSE 'lost' END, d.channel, count(*)
    FROM issuance.draw d JOIN core.campaign c ON c.id = d.campaign_id
    GROUP BY 1, 2, d.won, d.channel
    UNION ALL
    SELECT v.campaign_id, (v.issued_at AT TIME ZONE c.timezone)::date, 'issue_way', d.channel, '', count(*)
    FROM core.voucher v
    JOIN core.campaign c ON c.id = v.campaign_id
    JOIN issuance.award a ON a.bucket = v.bucket AND a.id = v.source_id
    JOIN issuance.draw d ON d.bucket = a.bucket AND d.id = a.draw_id
    GROUP BY 1, 2, d.channel
), judged AS (
    SELECT measure, day, coalesce(recounted.n, 0) AS expected, coalesce(tallied.n, 0) AS actual
    FROM tallied FULL JOIN recounted USING (scope_id, day, measure, dim, dim2)
)
SELECT coalesce(bool_and(expected = actual), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'events; differs for: '
       || string_agg(DISTINCT format('%s on %s', measure, day), ', ') FILTER (WHERE expected <> actual) AS detail
FROM judged

-- name: kept_counts_of_answers_equal_the_recount
-- zh: 保留的答题计数等于逐次答题重新计数
-- Statistics of questions are computed from kept counts. Those of days that are over are never counted
-- again, so they must be the answers of all attempts before the position that counting has reached.
WITH kept AS (
    SELECT campaign_id, sum(n) AS answers, sum(n) FILTER (WHERE correct) AS right_answers
    FROM issuance.response_count
    WHERE settled
    GROUP BY campaign_id
), recounted AS (
    SELECT a.campaign_id, sum(cardinality(a.question_ids)) AS answers,
           sum(cardinality(array_positions(a.correct, true))) AS right_answers
    FROM issuance.calibration c
    JOIN issuance.quiz_attempt a ON a.campaign_id = c.campaign_id AND a.state = 'answered'
     AND (a.day < c.next_day OR a.day = c.next_day AND a.bucket < c.next_bucket)
    GROUP BY a.campaign_id
), judged AS (
    SELECT campaign_id, coalesce(recounted.answers, 0) AS expected, coalesce(kept.answers, 0) AS actual,
           coalesce(kept.answers, 0) = coalesce(recounted.answers, 0)
           AND coalesce(kept.right_answers, 0) = coalesce(recounted.right_answers, 0) AS fits
    FROM kept FULL JOIN recounted USING (campaign_id)
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'answers; differs for campaigns: ' || string_agg(campaign_id::text, ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

-- name: effective_cards_equal_the_recount_of_cases
-- zh: 有效发卡数等于按已确认案件重新计数
-- A card is taken out of the effective figures exactly while it stands, was never used, and the event that
-- opened it is evidence of a confirmed case. Recounted per hospital from the cases, and compared with the
-- figures that everybody reads; each confirmed case has the change that two people decided.
WITH evidence AS (
    SELECT DISTINCT i.bucket, i.programme_id, i.holder_hash, i.event_id
    FROM quota.stuffing_item i JOIN quota.stuffing_case s ON s.id = i.case_id
    WHERE s.status = 'confirmed'
), recounted AS (
    SELECT e.programme_id AS scope_id, coalesce(c.hospital_id, '') AS dim, count(*) AS n
    FROM evidence e
    JOIN quota.card c ON c.bucket = e.bucket AND c.programme_id = e.programme_id
     AND c.holder_hash = e.holder_hash AND c.event_id = e.event_id
    WHERE c.state = 'active' AND NOT c.used
    GROUP BY e.programme_id, c.hospital_id
), tallied AS (
    SELECT scope_id, dim, sum(n) AS n
    FROM (
        SELECT scope_id, measure, dim, n FROM core.tally
        UNION ALL
        SELECT scope_id, measure, dim, n FROM core.tally_delta
    ) AS figure
    WHERE measure = 'card_void'
    GROUP BY scope_id, dim
), odd AS (
    SELECT count(*) AS n
    FROM evidence FULL JOIN quota.card_void v USING (bucket, programme_id, holder_hash, event_id)
    WHERE evidence.event_id IS NULL OR v.event_id IS NULL
), unapproved AS (
    SELECT count(*) AS n
    FROM quota.stuffing_case s
    LEFT JOIN core.change c ON c.id = s.change_id AND c.status = 'applied'
    WHERE s.status = 'confirmed' AND c.id IS NULL
), judged AS (
    SELECT dim, coalesce(r.n, 0) AS expected, coalesce(t.n, 0) AS actual
    FROM recounted r FULL JOIN tallied t USING (scope_id, dim)
)
SELECT coalesce(bool_and(expected = actual), true) AND odd.n = 0 AND unapproved.n = 0 AS ok,
       coalesce(sum(expected), 0)::bigint AS expected, coalesce(sum(actual), 0)::bigint AS actual,
       format('cards taken out; void without a case or the reverse: %s, confirmed without a change: %s,'
              ' differs for: %s', odd.n, unapproved.n,
              string_agg(CASE dim WHEN '' THEN 'unattributed' ELSE dim END, ', ')
                  FILTER (WHERE expected <> actual)) AS detail
FROM odd CROSS JOIN unapproved LEFT JOIN judged ON true
GROUP BY odd.n, unapproved.n

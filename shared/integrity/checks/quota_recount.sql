-- name: card_figures_equal_the_recount_of_events
-- zh: 发卡数等于按事件重新计数
-- Progress is what the events come to, taken one by one in the order of their time: a person's card counts for
-- the hospital whose code (or assignment) came first, until it is cancelled. Recounted per hospital and for
-- what is unattributed, and compared with the figures that everybody reads.
WITH event AS (
    SELECT e.programme_id, e.bucket, e.holder_hash, e.place, e.kind, e.at,
           coalesce(a.hospital_id, e.hospital_id, '') AS hospital_id,
           lag(e.kind) OVER (
               PARTITION BY e.programme_id, e.bucket, e.holder_hash, e.kind = 'used' ORDER BY e.at, e.place
           ) AS before
    FROM quota.card_event e
    LEFT JOIN quota.card_assignment a
      ON a.bucket = e.bucket AND a.programme_id = e.programme_id AND a.event_id = e.event_id
), opened AS (
    SELECT *, kind = 'issued' AND before IS DISTINCT FROM 'issued' AS opens,
           kind = 'cancelled' AND before = 'issued' AS closes
    FROM event
), numbered AS (
    SELECT *,
           count(*) FILTER (WHERE opens) OVER in_time AS card,
           count(*) FILTER (WHERE opens) OVER in_time > count(*) FILTER (WHERE closes) OVER in_time AS live
    FROM opened
    WINDOW in_time AS (PARTITION BY programme_id, bucket, holder_hash ORDER BY at, place)
), card AS (
    SELECT programme_id, max(hospital_id) FILTER (WHERE opens) AS hospital_id,
           bool_or(closes) AS closed, bool_or(kind = 'used' AND live) AS used
    FROM numbered WHERE card > 0
    GROUP BY programme_id, bucket, holder_hash, card
), recounted AS (
    SELECT programme_id AS scope_id, hospital_id AS dim, count(*) AS issued, count(*) FILTER (WHERE used) AS used
    FROM card WHERE NOT closed GROUP BY programme_id, hospital_id
), tallied AS (
    SELECT scope_id, dim, coalesce(sum(n) FILTER (WHERE measure = 'card'), 0) AS issued,
           coalesce(sum(n) FILTER (WHERE measure = 'card_used'), 0) AS used
    FROM (
        SELECT scope_id, measure, dim, n FROM core.tally
        UNION ALL
        SELECT scope_id, measure, dim, n FROM core.tally_delta
    ) AS figure
    WHERE measure IN ('card', 'card_used')
    GROUP BY scope_id, dim
), judged AS (
    SELECT dim, coalesce(r.issued, 0) AS expected, coalesce(t.issued, 0) AS actual,
           coalesce(r.issued, 0) = coalesce(t.issued, 0) AND coalesce(r.used, 0) = coalesce(t.used, 0) AS fits
    FROM recounted r FULL JOIN tallied t USING (scope_id, dim)
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'cards; differs for: '
       || string_agg(CASE dim WHEN '' THEN 'unattributed' ELSE dim END, ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

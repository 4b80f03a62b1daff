-- name: cases_stand_on_write_offs_and_days_are_what_was_rolled_up
-- zh: 案件证据均存在，按日汇总等于重新计数
-- A signal's case has evidence, and each piece of it is a write-off of the case's institution and campaign,
-- in the case's window; a hold that it names is of that write-off. A day that nothing waits for has as many
-- live and reversed write-offs, by hand, with a bill, in each hour, as are there.
WITH evidence AS (
    SELECT k.id::text AS subject, 1 AS expected, (r.id IS NOT NULL)::integer AS actual,
           r.institution_id = k.institution_id AND r.campaign_id = k.campaign_id
           AND (r.redeemed_at AT TIME ZONE c.timezone)::date BETWEEN k.first_day AND k.last_day
           AND (i.hold_id IS NULL OR (h.bucket = i.bucket AND h.redemption_id = i.redemption_id)) AS fits
    FROM redemption.risk_case k
    JOIN redemption.risk_case_item i ON i.case_id = k.id
    JOIN core.campaign c ON c.id = k.campaign_id
    LEFT JOIN redemption.redemption r ON r.bucket = i.bucket AND r.id = i.redemption_id
    LEFT JOIN redemption.settlement_hold h ON h.id = i.hold_id
), without AS (
    SELECT k.id::text AS subject, 1 AS expected, 0 AS actual, false AS fits
    FROM redemption.risk_case k
    WHERE k.score IS NOT NULL
      AND NOT EXISTS (SELECT FROM redemption.risk_case_item i WHERE i.case_id = k.id)
), waiting AS (
    SELECT DISTINCT r.campaign_id, r.institution_id, (r.redeemed_at AT TIME ZONE c.timezone)::date AS day
    FROM core.outbox o
    JOIN redemption.redemption r ON r.bucket = o.bucket AND r.id = substr(o.payload ->> 'redemption_id', 3)::uuid
    JOIN core.campaign c ON c.id = r.campaign_id
    WHERE o.kind IN ('redemption.redemption_counted', 'redemption.reversal_counted')
), recounted AS (
    SELECT r.campaign_id, r.institution_id, (r.redeemed_at AT TIME ZONE c.timezone)::date AS day,
           count(*) FILTER (WHERE r.state = 'redeemed') AS live,
           count(*) FILTER (WHERE r.state = 'reversed') AS reversed,
           count(*) FILTER (WHERE r.state = 'redeemed' AND r.source = 'manual') AS manual,
           count(*) FILTER (WHERE r.state = 'redeemed' AND r.bill_fen IS NOT NULL) AS billed
    FROM redemption.redemption r JOIN core.campaign c ON c.id = r.campaign_id
    GROUP BY 1, 2, 3
), days AS (
    SELECT d.institution_id || ' on ' || d.day AS subject, coalesce(n.live, 0) AS expected, d.live AS actual,
           (coalesce(n.live, 0), coalesce(n.reversed, 0), coalesce(n.manual, 0), coalesce(n.billed, 0))
           = (d.live, d.reversed, d.manual, d.billed)
           AND d.live = (SELECT sum(h) FROM unnest(d.hours) AS h) AND d.live = cardinality(d.holders) AS fits
    FROM redemption.risk_day d
    LEFT JOIN recounted n USING (campaign_id, institution_id, day)
    LEFT JOIN waiting w USING (campaign_id, institution_id, day)
    WHERE NOT d.stale AND w.day IS NULL
), judged AS (
    SELECT * FROM evidence UNION ALL SELECT * FROM without UNION ALL SELECT * FROM days
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'evidence and write-offs; differs for: '
       || string_agg(DISTINCT subject, ', ') FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

-- name: cases_stand_on_write_offs_and_days_are_what_was_rolled_up
-- zh: 案件证据均存在，按日汇总等于重新计数
-- A signal's case has evidence, and each piece of it is a write-off of the case's institution and campaign,
-- in the case's window; a hold that it names is of that write-off. A day that nothing waits for has as many
-- live and reversed write-offs, by hand, within ten minutes of issue, with a bill, at the face value, of one
-- other amount, reversed and done again, in each hour, and of as many holders, as are there.
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
), used AS (
    SELECT r.campaign_id, r.institution_id, (r.redeemed_at AT TIME ZONE c.timezone)::date AS day,
           extract(hour FROM r.redeemed_at AT TIME ZONE c.timezone)::integer AS hour,
           r.state = 'redeemed' AS live, r.source, r.bill_fen, r.voucher_id, v.person_id, v.amount_fen,
           r.redeemed_at - v.issued_at AS waited
    FROM redemption.redemption r
    JOIN core.campaign c ON c.id = r.campaign_id
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
), recounted AS (
    SELECT campaign_id, institution_id, day,
           count(*) FILTER (WHERE live) AS live, count(*) FILTER (WHERE NOT live) AS reversed,
           count(*) FILTER (WHERE live AND source = 'manual') AS manual,
           count(*) FILTER (WHERE live AND waited <= interval '10 minutes') AS prompt,
           count(*) FILTER (WHERE live AND bill_fen IS NOT NULL) AS billed,
           count(*) FILTER (WHERE live AND bill_fen = amount_fen) AS face_bills,
           count(*) FILTER (WHERE live AND undone) AS redone,
           count(DISTINCT person_id) FILTER (WHERE live) AS holders
    FROM (SELECT *, bool_or(NOT live) OVER (PARTITION BY campaign_id, institution_id, day, voucher_id) AS undone
          FROM used) AS one
    GROUP BY campaign_id, institution_id, day
), in_hour AS (
    SELECT campaign_id, institution_id, day, jsonb_object_agg(hour, n) AS hours
    FROM (SELECT campaign_id, institution_id, day, hour, count(*) AS n FROM used WHERE live
          GROUP BY campaign_id, institution_id, day, hour) AS counted
    GROUP BY campaign_id, institution_id, day
), of_amount AS (
    SELECT campaign_id, institution_id, day, max(n) AS same_bills
    FROM (SELECT campaign_id, institution_id, day, count(*) AS n FROM used
          WHERE live AND bill_fen <> amount_fen
          GROUP BY campaign_id, institution_id, day, bill_fen) AS counted
    GROUP BY campaign_id, institution_id, day
), days AS (
    SELECT d.institution_id || ' on ' || d.day AS subject, coalesce(n.live, 0) AS expected, d.live AS actual,
           (coalesce(n.live, 0), coalesce(n.reversed, 0), coalesce(n.manual, 0), coalesce(n.prompt, 0),
            coalesce(n.billed, 0), coalesce(n.face_bills, 0), coalesce(n.redone, 0), coalesce(a.same_bills, 0))
           = (d.live, d.reversed, d.manual, d.prompt, d.billed, d.face_bills, d.redone, d.same_bills)
           AND d.live = (SELECT sum(h) FROM unnest(d.hours) AS h)
           AND coalesce((SELECT bool_and(d.hours[key::integer + 1] = value::bigint) FROM jsonb_each_text(i.hours)), true)
           AND d.live = cardinality(d.holders)
           AND coalesce(n.holders, 0) = (SELECT count(DISTINCT h) FROM unnest(d.holders) AS h) AS fits
    FROM redemption.risk_day d
    LEFT JOIN recounted n USING (campaign_id, institution_id, day)
    LEFT JOIN in_hour i USING (campaign_id, institution_id, day)
    LEFT JOIN of_amount a USING (campaign_id, institution_id, day)
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

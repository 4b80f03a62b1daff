-- name: frozen_institution_rankings_are_what_was_counted
-- zh: 已冻结的核销排名与冻结时的计数一致
-- A published month does not change: what had reached the platform by the moment that the edition names,
-- and was not undone by then, comes to what its lines say. Ranks are competition ranks of these figures.
WITH edition AS (
    SELECT e.id, e.campaign_id, e.as_of, c.slug, e.month, e.edition,
           e.month::timestamp AT TIME ZONE c.timezone AS first,
           (e.month + interval '1 month') AT TIME ZONE c.timezone AS following
    FROM redemption.ranking_edition e JOIN core.campaign c ON c.id = e.campaign_id
), recounted AS (
    SELECT e.id, r.institution_id, count(*) AS n, sum(r.applied_fen)::bigint AS fen,
           count(DISTINCT v.person_id) AS holders,
           count(*) FILTER (WHERE EXISTS (
               SELECT FROM redemption.risk_case_item i
               WHERE i.bucket = r.bucket AND i.redemption_id = r.id AND i.at <= e.as_of
                 AND (SELECT a.decision FROM redemption.risk_case_action a
                      WHERE a.case_id = i.case_id AND a.action IN ('decide', 'reopen') AND a.at <= e.as_of
                      ORDER BY a.seq DESC LIMIT 1) IS DISTINCT FROM 'dismiss')) AS flagged
    FROM edition e
    JOIN redemption.redemption r ON r.campaign_id = e.campaign_id AND r.redeemed_at >= e.first
     AND r.redeemed_at < e.following AND r.received_at <= e.as_of
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    LEFT JOIN redemption.reversal x ON x.bucket = r.bucket AND x.redemption_id = r.id
    WHERE r.state = 'redeemed' OR x.at > e.as_of
    GROUP BY e.id, r.institution_id
), line AS (
    SELECT i.*, i.edition_id AS id,
           rank() OVER (PARTITION BY i.edition_id ORDER BY i.count DESC) AS by_count,
           rank() OVER (PARTITION BY i.edition_id, i.category ORDER BY i.count DESC) AS by_category,
           rank() OVER (PARTITION BY i.edition_id ORDER BY i.distinct_holders DESC) AS by_holders,
           CASE WHEN i.hourly_capacity IS NOT NULL THEN rank() OVER (
               PARTITION BY i.edition_id, i.hourly_capacity IS NULL
               ORDER BY div(i.count * power(10::numeric, 30), i.hourly_capacity) DESC) END AS by_capacity,
           (SELECT coalesce(sum(n::bigint), 0) FROM jsonb_each_text(i.by_voucher_type) AS t (key, n)) AS by_type
    FROM redemption.ranking_item i
), judged AS (
    SELECT id, coalesce(recounted.n, 0) AS expected, coalesce(line.count, 0) AS actual,
           line.count = coalesce(recounted.n, 0) AND line.amount_fen = coalesce(recounted.fen, 0)
           AND line.distinct_holders = coalesce(recounted.holders, 0)
           AND line.flagged = coalesce(recounted.flagged, 0) AND line.by_type = line.count
           AND line.rank = line.by_count AND line.rank_in_category = line.by_category
           AND line.rank_by_holders = line.by_holders
           AND line.rank_per_capacity IS NOT DISTINCT FROM line.by_capacity AS fits
    FROM line FULL JOIN recounted USING (id, institution_id)
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'write-offs in frozen months; differs in: '
       || string_agg(DISTINCT format('%s %s edition %s', slug, month, edition), ', ')
          FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged JOIN edition USING (id)

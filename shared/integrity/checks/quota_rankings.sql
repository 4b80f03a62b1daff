-- name: frozen_rankings_are_what_was_counted
-- zh: 已冻结的排名与当时的计数一致
-- A published month does not change: to its end the credits come to what its lines say, also today; nothing
-- was credited on or before the last frozen day after it was frozen, and no hospital merged before it later on.
-- Cards and quotas of a merged hospital are the other's. Quotas are those of the allocation that it names, ranks are competition ranks of the exact rates, and the flagged are the last three that missed.
WITH standing AS MATERIALIZED (
    SELECT e.id, h.hospital_id, h.unit_id
    FROM quota.ranking_edition e
    CROSS JOIN LATERAL quota.hospital_at(e.programme_id, (e.month + interval '1 month - 1 day')::date) h
), given AS (
    SELECT s.id, s.unit_id, sum(q.quota) AS quota
    FROM standing s
    JOIN quota.ranking_edition e ON e.id = s.id
    JOIN quota.allocation_item q ON q.allocation_id = e.allocation_id AND q.hospital_id = s.hospital_id
    GROUP BY s.id, s.unit_id
), line AS (
    SELECT e.id, p.slug, e.month, e.edition, i.hospital_id, i.issued, i.month_issued, i.quota, i.rank, i.flagged,
           coalesce(q.quota, 0) AS allocated,
           CASE WHEN i.quota > 0 THEN rank() OVER (
               PARTITION BY e.id, i.quota > 0
               ORDER BY div(i.issued * power(10::numeric, 30), greatest(i.quota, 1)) DESC
           ) END AS ranked
    FROM quota.ranking_edition e
    JOIN quota.programme p ON p.id = e.programme_id
    JOIN quota.ranking_item i ON i.edition_id = e.id
    LEFT JOIN given q ON q.id = e.id AND q.unit_id = i.hospital_id
), below AS (
    SELECT *, count(rank) OVER (PARTITION BY id)
              - count(rank) OVER (PARTITION BY id ORDER BY rank NULLS LAST) AS below
    FROM line
), counted AS (
    SELECT e.id, coalesce(s.unit_id, c.hospital_id) AS hospital_id, sum(c.n) AS issued,
           coalesce(sum(c.n) FILTER (WHERE c.day >= e.month), 0) AS month_issued
    FROM quota.ranking_edition e
    JOIN quota.card_credit c ON c.programme_id = e.programme_id AND c.measure = 'card'
     AND c.day < e.month + interval '1 month'
    LEFT JOIN standing s ON s.id = e.id AND s.hospital_id = c.hospital_id
    GROUP BY e.id, 2
), judged AS (
    SELECT b.slug, b.month, b.edition, coalesce(c.issued, 0) AS expected, b.issued AS actual,
           b.issued = coalesce(c.issued, 0) AND b.month_issued = coalesce(c.month_issued, 0)
           AND b.quota = b.allocated AND b.rank IS NOT DISTINCT FROM b.ranked
           AND b.flagged = (b.rank IS NOT NULL AND b.issued < b.quota AND b.below < 3) AS fits
    FROM below b LEFT JOIN counted c ON c.id = b.id AND c.hospital_id = b.hospital_id
    UNION ALL
    SELECT p.slug, e.month, e.edition, coalesce(c.issued, 0), e.unattributed, e.unattributed = coalesce(c.issued, 0)
    FROM quota.ranking_edition e
    JOIN quota.programme p ON p.id = e.programme_id
    LEFT JOIN counted c ON c.id = e.id AND c.hospital_id = ''
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'cards in frozen months; differs in: '
       || string_agg(DISTINCT format('%s %s edition %s', slug, month, edition), ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

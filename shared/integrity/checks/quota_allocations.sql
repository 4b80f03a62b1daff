-- name: allocations_add_up
-- zh: 任务数分配加总一致
-- Every version of the quotas: its items add up to its sum, a largest-remainder one to its total, alliances to
-- what the approver saw; adjustments add up to zero and are what the reasons say; each quota lies within one
-- card of its exact share (rounded alone: within half a card).
WITH item AS (
    -- The exact quota is part ÷ whole: both are whole numbers up to the decimals of the points.
    SELECT a.id, a.method, i.hospital_id, i.alliance, i.quota, i.adjustment_points, i.adjustment_cards,
           a.total * (i.visits * 100 + i.adjustment_points * sum(i.visits) OVER version)
           + 100 * i.adjustment_cards * sum(i.visits) OVER version AS part,
           100 * sum(i.visits) OVER version AS whole
    FROM quota.allocation a
    JOIN quota.allocation_item i ON i.allocation_id = a.id
    WINDOW version AS (PARTITION BY a.id)
), added AS (
    SELECT id, sum(quota) AS quota,
           sum(adjustment_points) = 0 AND sum(adjustment_cards) = 0 AS zero_sum,
           bool_and(CASE method WHEN 'round_each' THEN 2 * abs(quota * whole - part) <= whole
                                ELSE abs(quota * whole - part) < whole END) AS near
    FROM item GROUP BY id
), moved AS (
    SELECT allocation_id AS id, hospital_id, sum(moved_points) AS points, sum(moved_cards) AS cards
    FROM quota.allocation_adjustment
    CROSS JOIN LATERAL (VALUES
        (from_hospital_id, -coalesce(share_points, 0), -coalesce(cards, 0)),
        (to_hospital_id, coalesce(share_points, 0), coalesce(cards, 0))
    ) AS side (hospital_id, moved_points, moved_cards)
    GROUP BY allocation_id, hospital_id
), unexplained AS (
    SELECT DISTINCT id FROM item FULL JOIN moved USING (id, hospital_id)
    WHERE coalesce(adjustment_points, 0) <> coalesce(points, 0)
       OR coalesce(adjustment_cards, 0) <> coalesce(cards, 0)
), alliances AS (
    SELECT id, jsonb_object_agg(alliance, quota) AS quotas
    FROM (SELECT id, alliance, sum(quota) AS quota FROM item WHERE alliance <> '' GROUP BY id, alliance) AS summed
    GROUP BY id
), judged AS (
    SELECT p.slug, a.version, a.quota_sum, coalesce(s.quota, 0) AS added,
           coalesce(s.quota = a.quota_sum AND (a.method <> 'largest_remainder' OR s.quota = a.total)
                    AND s.zero_sum AND s.near, false)
           AND u.id IS NULL AND coalesce(g.quotas, '{}') = c.body -> 'alliances' AS fits
    FROM quota.allocation a
    JOIN quota.programme p ON p.id = a.programme_id
    JOIN core.change c ON c.id = a.change_id
    LEFT JOIN added s ON s.id = a.id
    LEFT JOIN unexplained u ON u.id = a.id
    LEFT JOIN alliances g ON g.id = a.id
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(quota_sum), 0)::bigint AS expected,
       coalesce(sum(added), 0)::bigint AS actual,
       'quotas of all versions; does not add up: '
       || string_agg(format('%s version %s', slug, version), ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

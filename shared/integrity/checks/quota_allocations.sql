-- name: allocations_add_up
-- zh: 任务数分配加总一致
-- Every version of the quotas: its items add up to its sum, a largest-remainder one to its total, alliances to
-- what the approver saw; adjustments add up to zero and are what the reasons say; each quota lies between its
-- bounds and within one card of its exact one (rounded alone: within half a card), and so does each alliance's
-- when cards went to alliances first. Exact quotas are share and adjustments times the factor of the bounds.
WITH figure AS (
    -- The exact quota before bounds is part ÷ whole: both are whole numbers up to the decimals of the figures.
    SELECT a.id, a.method, a.total, a.nested, i.hospital_id, i.alliance, i.quota,
           i.adjustment_points, i.adjustment_cards, b.minimum, b.maximum,
           coalesce(a.scale_numerator, 1) * (
               a.total * (coalesce(i.basis_value, i.visits) * 100
                          + i.adjustment_points * sum(coalesce(i.basis_value, i.visits)) OVER version)
               + 100 * i.adjustment_cards * sum(coalesce(i.basis_value, i.visits)) OVER version
           ) AS part,
           coalesce(a.scale_denominator, 1) * 100 * sum(coalesce(i.basis_value, i.visits)) OVER version AS whole
    FROM quota.allocation a
    JOIN quota.allocation_item i ON i.allocation_id = a.id
    LEFT JOIN quota.allocation_bound b ON b.allocation_id = a.id AND b.hospital_id = i.hospital_id
    WINDOW version AS (PARTITION BY a.id)
), item AS (
    SELECT id, method, total, nested, hospital_id, alliance, quota, adjustment_points, adjustment_cards,
           minimum, maximum, least(greatest(part, minimum * whole), maximum * whole) AS part, whole
    FROM figure
), added AS (
    SELECT id, sum(quota) AS quota,
           sum(adjustment_points) = 0 AND sum(adjustment_cards) = 0 AS zero_sum,
           bool_and(CASE method WHEN 'round_each' THEN 2 * abs(quota * whole - part) <= whole
                                ELSE abs(quota * whole - part) < whole END)
           AND sum(part) = min(total * whole)
           AND bool_and(coalesce(quota >= minimum, true) AND coalesce(quota <= maximum, true)) AS near
    FROM item GROUP BY id
), distant AS (
    SELECT DISTINCT id FROM (
        SELECT id FROM item WHERE nested AND alliance <> '' GROUP BY id, alliance
        HAVING abs(sum(quota) * min(whole) - sum(part)) >= min(whole)
    ) AS alliance
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
           AND u.id IS NULL AND d.id IS NULL AND coalesce(g.quotas, '{}') = c.body -> 'alliances' AS fits
    FROM quota.allocation a
    JOIN quota.programme p ON p.id = a.programme_id
    JOIN core.change c ON c.id = a.change_id
    LEFT JOIN added s ON s.id = a.id
    LEFT JOIN unexplained u ON u.id = a.id
    LEFT JOIN distant d ON d.id = a.id
    LEFT JOIN alliances g ON g.id = a.id
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(quota_sum), 0)::bigint AS expected,
       coalesce(sum(added), 0)::bigint AS actual,
       'quotas of all versions; does not add up: '
       || string_agg(format('%s version %s', slug, version), ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

-- name: hospitals_lead_to_one_line
-- zh: 医院的名称、并入和变动前后一致
-- Every card counts in one line of its programme: each hospital leads to one that has not merged, so that lines add
-- up to the programme's total whatever merged or moved. A hospital opens and ends once at most; whom it merged into
-- (or left its codes to) is of the same programme and ended later, if at all; nothing was approved for a month that
-- was frozen by then. Its name is its own: nobody else is found by it.
WITH event AS (
    SELECT e.* FROM quota.programme p CROSS JOIN LATERAL quota.hospital_events_in_force(p.id) e
), standing AS MATERIALIZED (
    SELECT p.id AS programme_id, h.*
    FROM quota.programme p CROSS JOIN LATERAL quota.hospital_at(p.id, 'infinity') h
), counted AS (
    SELECT scope_id, dim, sum(n) AS n
    FROM (
        SELECT scope_id, measure, dim, n FROM core.tally
        UNION ALL
        SELECT scope_id, measure, dim, n FROM core.tally_delta
    ) AS figure
    WHERE measure = 'card' AND dim <> '' GROUP BY scope_id, dim
), in_lines AS (
    SELECT s.programme_id, sum(c.n) AS n
    FROM standing line
    JOIN standing s ON s.unit_id = line.hospital_id
    JOIN counted c ON c.scope_id = s.programme_id AND c.dim = s.hospital_id
    WHERE line.state <> 'merged' GROUP BY s.programme_id
), totals AS (
    SELECT t.scope_id, t.n AS expected, coalesce(l.n, 0) AS actual
    FROM (SELECT scope_id, sum(n) AS n FROM counted GROUP BY scope_id) t
    LEFT JOIN in_lines l ON l.programme_id = t.scope_id
), name_in_use AS (
    SELECT programme_id, hospital_id, key FROM quota.hospital_name WHERE withdrawn_at IS NULL
), wrong AS (
    SELECT p.slug || ': lines do not add up' AS what
    FROM totals t JOIN quota.programme p ON p.id = t.scope_id WHERE t.expected <> t.actual
    UNION
    SELECT hospital_id || ': no line' FROM standing s
    WHERE NOT EXISTS (SELECT FROM standing l
                      WHERE l.hospital_id = s.unit_id AND l.programme_id = s.programme_id AND l.state <> 'merged')
    UNION
    SELECT hospital_id || ': opens or ends twice' FROM event WHERE kind <> 'move'
    GROUP BY hospital_id, kind = 'open' HAVING count(*) > 1
    UNION
    SELECT e.hospital_id || ': successor' FROM event e
    JOIN quota.hospital h ON h.id = e.successor_id
    LEFT JOIN event later ON later.hospital_id = e.successor_id AND later.kind IN ('close', 'merge')
    WHERE h.programme_id <> e.programme_id OR later.recorded_at < e.recorded_at
    UNION
    SELECT e.hospital_id || ': in a frozen month' FROM quota.hospital_event e
    JOIN quota.ranking_edition r ON r.programme_id = e.programme_id
     AND e.day < r.month + interval '1 month' AND r.frozen_at < e.recorded_at
    UNION
    SELECT h.id || ': name' FROM quota.hospital h
    WHERE EXISTS (SELECT FROM quota.hospital_name n
                  WHERE n.hospital_id = h.id AND n.withdrawn_at IS NULL AND n.kind = 'current' AND n.name <> h.name)
       OR EXISTS (SELECT FROM name_in_use n
                  WHERE n.programme_id = h.programme_id AND n.key = h.name_key AND n.hospital_id <> h.id)
)
SELECT NOT EXISTS (SELECT FROM wrong) AS ok,
       (SELECT coalesce(sum(expected), 0)::bigint FROM totals) AS expected,
       (SELECT coalesce(sum(actual), 0)::bigint FROM totals) AS actual,
       'cards in lines; wrong: ' || (SELECT string_agg(what, ', ' ORDER BY what) FROM wrong) AS detail

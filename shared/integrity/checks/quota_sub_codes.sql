-- name: codes_add_up_to_their_hospital
-- zh: 各二维码计数加总等于医院计数
-- Cards and uses by code (the hospital's own, its sub-codes', replaced ones, none) add up to the hospital's
-- figure of the day; each code's is the sum of its credits; every counted code is one of that hospital's, or of
-- one that closed and handed its codes on; a
-- sub-code belongs to its codes' hospital and has one code in use, or none once it is retired.
WITH RECURSIVE heir AS (
    SELECT hospital_id, successor_id FROM quota.hospital_event WHERE successor_id IS NOT NULL
    UNION
    SELECT h.hospital_id, e.successor_id
    FROM heir h JOIN quota.hospital_event e ON e.hospital_id = h.successor_id AND e.successor_id IS NOT NULL
), figure AS (
    SELECT scope_id, day, measure, dim, dim2, n FROM core.tally
    UNION ALL
    SELECT scope_id, day, measure, dim, dim2, n FROM core.tally_delta
), by_code AS (
    SELECT scope_id, day, measure, dim, dim2, sum(n) AS n FROM figure
    WHERE measure IN ('card_code', 'card_used_code', 'card_void_code') GROUP BY scope_id, day, measure, dim, dim2
), by_hospital AS (
    SELECT scope_id, day, measure || '_code' AS measure, dim, sum(n) AS n FROM figure
    WHERE measure IN ('card', 'card_used', 'card_void') GROUP BY scope_id, day, measure, dim
), added AS (
    SELECT scope_id, day, measure, dim, sum(n) AS n FROM by_code GROUP BY scope_id, day, measure, dim
), judged AS (
    SELECT dim, coalesce(h.n, 0) AS expected, coalesce(a.n, 0) AS actual
    FROM by_hospital h FULL JOIN added a USING (scope_id, day, measure, dim)
), recounted AS (
    SELECT programme_id AS scope_id, day, measure || '_code' AS measure, hospital_id AS dim, code AS dim2, sum(n) AS n
    FROM quota.card_credit WHERE code <> '' GROUP BY programme_id, day, measure, hospital_id, code
), odd AS (
    SELECT coalesce(r.dim, t.dim) AS dim
    FROM recounted r FULL JOIN (SELECT * FROM by_code WHERE dim2 <> '') t USING (scope_id, day, measure, dim, dim2)
    WHERE coalesce(r.n, 0) <> coalesce(t.n, 0)
    UNION
    SELECT t.dim FROM by_code t
    WHERE t.dim2 <> '' AND t.n <> 0
      AND NOT EXISTS (
          SELECT FROM quota.hospital_code c
          WHERE c.scene = t.dim2
            AND (c.hospital_id = t.dim OR (c.hospital_id, t.dim) IN (SELECT hospital_id, successor_id FROM heir)))
    UNION
    SELECT s.hospital_id FROM quota.sub_code s
    LEFT JOIN quota.hospital_code c ON c.sub_code_id = s.id
    GROUP BY s.id, s.hospital_id, s.retired_at
    HAVING count(*) FILTER (WHERE c.replaced_at IS NULL) <> CASE WHEN s.retired_at IS NULL THEN 1 ELSE 0 END
        OR bool_or(c.hospital_id IS DISTINCT FROM s.hospital_id)
), wrong AS (
    SELECT dim FROM judged WHERE expected <> actual UNION SELECT dim FROM odd
)
SELECT (SELECT count(*) FROM wrong) = 0 AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'cards and uses; differs for: '
       || (SELECT string_agg(CASE dim WHEN '' THEN 'unattributed' ELSE dim END, ', ') FROM wrong) AS detail
FROM judged

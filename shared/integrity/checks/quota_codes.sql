-- name: hospitals_have_one_code_in_use
-- zh: 每家医院只有一个在用二维码
-- A hospital without a code cannot be counted for, and one with two would hang up the wrong poster.
WITH judged AS (
    SELECT h.id, h.name, count(c.scene) AS codes
    FROM quota.hospital h
    LEFT JOIN quota.hospital_code c
      ON c.hospital_id = h.id AND c.programme_id = h.programme_id AND c.replaced_at IS NULL
     AND c.sub_code_id IS NULL
    GROUP BY h.id, h.name
)
SELECT coalesce(bool_and(codes = 1), true) AS ok, count(*) AS expected, coalesce(sum(codes), 0)::bigint AS actual,
       'codes; wrong for: ' || string_agg(name, ', ') FILTER (WHERE codes <> 1) AS detail
FROM judged

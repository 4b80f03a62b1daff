-- name: every_win_is_one_award_and_every_open_award_has_stock
-- zh: 每次中奖对应一个待领资格，待领资格均有库存
-- A win is one award of the same person in the same phase, open, expired, or claimed as one voucher of the
-- type that it names. What a phase can still award is its stock less its open awards, and never below zero.
WITH broken AS (
    SELECT 'a win without its award: draw ' || d.id AS fault
    FROM issuance.draw d
    LEFT JOIN issuance.award a ON a.bucket = d.bucket AND a.draw_id = d.id
    WHERE d.won AND (a.id IS NULL OR (a.person_id, a.phase_id) IS DISTINCT FROM (d.person_id, d.phase_id))
    UNION ALL
    SELECT 'an award without a win: ' || a.id
    FROM issuance.award a
    LEFT JOIN issuance.draw d ON d.bucket = a.bucket AND d.id = a.draw_id
    WHERE d.won IS NOT TRUE
    UNION ALL
    SELECT 'a claimed award without its voucher: ' || a.id
    FROM issuance.award a
    LEFT JOIN core.voucher v ON v.bucket = a.bucket AND v.source_id = a.id
    WHERE a.state = 'claimed'
      AND (v.id, v.person_id, v.voucher_type) IS DISTINCT FROM (a.voucher_id, a.person_id, a.voucher_type)
    UNION ALL
    SELECT 'a voucher from an award that was not claimed: ' || v.id
    FROM core.voucher v
    JOIN issuance.award a ON a.bucket = v.bucket AND a.id = v.source_id
    WHERE a.state <> 'claimed'
    UNION ALL
    SELECT format('phase %s can award %s, its stock less its open awards is %s', p.id, pool.left_to_award, rest.n)
    FROM issuance.phase p
    LEFT JOIN issuance.award_pool pool ON pool.phase_id = p.id
    CROSS JOIN LATERAL (
        SELECT (SELECT coalesce(sum(remaining), 0) FROM issuance.phase_stock WHERE phase_id = p.id)
               - (SELECT count(*) FROM issuance.award WHERE phase_id = p.id AND state = 'open') AS n
    ) rest
    WHERE pool.left_to_award IS DISTINCT FROM rest.n OR rest.n < 0
)
SELECT NOT EXISTS (SELECT FROM broken) AS ok,
       (SELECT count(*) FROM issuance.draw WHERE won) AS expected,
       (SELECT count(*) FROM issuance.award) AS actual,
       'wins and awards; ' || (SELECT min(fault) || format(' (%s faults)', count(*)) FROM broken) AS detail

-- name: held_awards_wait_for_one_decision
-- zh: 待核实奖项与处理结果一致
-- A held award is open and has an open case. A case that was released or rejected holds nothing; a rejected
-- award has gone back to its pool, and no voucher came of it.
WITH broken AS (
    SELECT 'a held award without an open case: ' || a.id AS fault
    FROM issuance.award a
    LEFT JOIN issuance.award_hold h ON h.bucket = a.bucket AND h.award_id = a.id
    WHERE a.held_at IS NOT NULL AND (h.state IS DISTINCT FROM 'open' OR a.state <> 'open')
    UNION ALL
    SELECT 'an open case whose award was claimed, or can be: ' || a.id
    FROM issuance.award_hold h
    LEFT JOIN issuance.award a ON a.bucket = h.bucket AND a.id = h.award_id
    WHERE h.state = 'open' AND a.held_at IS NULL AND a.state IS DISTINCT FROM 'expired'
    UNION ALL
    SELECT 'a rejected award that is not over: ' || h.award_id
    FROM issuance.award_hold h
    LEFT JOIN issuance.award a ON a.bucket = h.bucket AND a.id = h.award_id
    WHERE h.state = 'rejected' AND a.state IS DISTINCT FROM 'expired'
)
SELECT NOT EXISTS (SELECT FROM broken) AS ok,
       (SELECT count(*) FROM issuance.award_hold WHERE state = 'open') AS expected,
       (SELECT count(*) FROM issuance.award WHERE held_at IS NOT NULL) AS actual,
       'held awards; ' || (SELECT min(fault) || format(' (%s faults)', count(*)) FROM broken) AS detail

-- name: vouchers_past_their_time_are_swept
-- zh: 过期消费券均已按时清理
-- A voucher may be written off late for 72 hours after its end; then the walk ends it. So none is left behind
-- where the walk has been twice. What it has not reached yet is tolerated while it is at work: only when its
-- turn has been due for ten minutes and nobody took it is what waits a fault.
WITH swept AS (
    SELECT max(floor_at) AS floor_at FROM core.walk WHERE name = 'issuance.expire_vouchers'
), late AS (
    SELECT max(next_at) < :machine_now - interval '10 minutes' AS stalled
    FROM core.schedule WHERE name = 'issuance.expire_vouchers'
), overdue AS (
    SELECT v.id, v.valid_until <= swept.floor_at AS left_behind
    FROM core.voucher v CROSS JOIN swept
    WHERE v.state = 'issued' AND v.valid_until <= :now - interval '72 hours'
      -- Given back after its end: the job that tells of it ends it.
      AND NOT EXISTS (
          SELECT FROM core.outbox o
          WHERE o.bucket = v.bucket AND o.kind = 'issuance.voucher_restored'
            AND o.payload ->> 'voucher_id' = core.hot_id_text(v.bucket, v.id))
), broken AS (
    SELECT overdue.id FROM overdue CROSS JOIN late WHERE overdue.left_behind OR late.stalled
)
SELECT (SELECT count(*) FROM broken) = 0 AS ok, 0 AS expected, (SELECT count(*) FROM broken) AS actual,
       CASE WHEN EXISTS (SELECT FROM overdue) THEN
           concat_ws('; ', 'vouchers past their time: ' || (SELECT count(*) FROM overdue) || ' wait for the walk',
                     'the first left behind: ' || (SELECT min(id::text) FROM broken)) END AS detail

-- name: every_notice_is_told_once_for_its_cause
-- zh: 每件事只通知一次，且通知送达途径均可查
-- A person is told once of what can happen once: an issue, a revocation, each reminder, a win, a decision. Of a
-- use or its reversal no more often than the ledger knows. The person told is the one it belongs to. What is
-- on its way has a row in the outbox that carries it.
WITH doubled AS (
    SELECT 'told twice: ' || kind || ' of ' || coalesce(voucher_id, award_id, activity_id) AS fault
    FROM issuance.notice
    WHERE kind NOT IN ('redeemed', 'restored')
    GROUP BY bucket, kind, days, coalesce(voucher_id, award_id, activity_id)
    HAVING count(*) > 1
), moved AS (
    SELECT bucket, voucher_id, CASE kind WHEN 'redeem' THEN 'redeemed' ELSE 'restored' END AS told,
           count(*) AS times
    FROM core.ledger_transfer
    WHERE kind IN ('redeem', 'reverse')
    GROUP BY bucket, voucher_id, kind
), too_often AS (
    SELECT format('told %s times that it was %s: voucher %s', count(*), n.kind, n.voucher_id) AS fault
    FROM issuance.notice n
    LEFT JOIN moved ON moved.bucket = n.bucket AND moved.voucher_id = n.voucher_id AND moved.told = n.kind
    WHERE n.kind IN ('redeemed', 'restored')
    GROUP BY n.bucket, n.voucher_id, n.kind, moved.times
    HAVING count(*) > coalesce(moved.times, 0)
), astray AS (
    SELECT 'told to somebody else: notice ' || n.id AS fault
    FROM issuance.notice n
    LEFT JOIN core.voucher v ON v.bucket = n.bucket AND v.id = n.voucher_id
    LEFT JOIN issuance.award a ON a.bucket = n.bucket AND a.id = n.award_id
    LEFT JOIN issuance.activity act ON act.bucket = n.bucket AND act.id = n.activity_id
    WHERE n.person_id <> coalesce(v.person_id, a.person_id, act.person_id)
), stranded AS (
    SELECT 'on its way, and nobody carries it: delivery ' || d.id AS fault
    FROM issuance.notice_delivery d
    WHERE d.state IN ('waiting', 'trying')
      AND NOT EXISTS (
          SELECT FROM core.outbox o
          WHERE o.bucket = d.bucket AND o.kind = 'issuance.notice_due'
            AND o.payload ->> 'delivery_id' = core.hot_id_text(d.bucket, d.id))
), broken AS (
    SELECT fault FROM doubled UNION ALL SELECT fault FROM too_often
    UNION ALL SELECT fault FROM astray UNION ALL SELECT fault FROM stranded
)
SELECT count(*) = 0 AS ok, 0 AS expected, count(*) AS actual, 'notices; ' || min(fault) AS detail FROM broken

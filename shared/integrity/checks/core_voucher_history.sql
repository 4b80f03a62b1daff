-- name: vouchers_agree_with_their_own_transfers
-- zh: 每张消费券与其资金划转一致
-- Each voucher by itself: what its transfers left committed is its value while it can be used and nothing
-- afterwards, something is owed or paid for it exactly when it is redeemed, and its value is split as the
-- campaign's shares say: those with which it was issued.
WITH left_over AS (
    SELECT t.bucket, t.voucher_id,
           core.amounts_sum(CASE 'committed' WHEN t.credit THEN t.amounts_fen
                            WHEN t.debit THEN (SELECT array_agg(-fen ORDER BY i)
                                               FROM unnest(t.amounts_fen) WITH ORDINALITY AS a (fen, i)) END)
               AS committed,
           sum(CASE 'payable' WHEN t.credit THEN 1 WHEN t.debit THEN -1 ELSE 0 END) AS redeemed
    FROM core.ledger_transfer t
    WHERE t.voucher_id IS NOT NULL
    GROUP BY t.bucket, t.voucher_id
), broken AS (
    SELECT coalesce(v.id, l.voucher_id) AS id
    FROM core.voucher v
    FULL JOIN left_over l ON l.bucket = v.bucket AND l.voucher_id = v.id
    LEFT JOIN core.fund_version f ON f.campaign_id = v.campaign_id AND f.version = v.fund_version
    WHERE v.id IS NULL
       OR l.voucher_id IS NULL
       OR v.split_fen IS DISTINCT FROM core.split_fen(v.amount_fen, f.shares_ppm)
       OR l.redeemed <> CASE v.state WHEN 'redeemed' THEN 1 ELSE 0 END
       OR (v.state = 'issued' AND l.committed IS DISTINCT FROM v.split_fen)
       OR (v.state <> 'issued' AND core.amounts_total(l.committed) <> 0)
       OR (v.state <> 'issued' AND 0 <> ANY (l.committed))
)
SELECT count(*) = 0 AS ok, 0 AS expected, count(*) AS actual,
       'vouchers differ from their transfers; the first: ' || min(id::text) AS detail
FROM broken

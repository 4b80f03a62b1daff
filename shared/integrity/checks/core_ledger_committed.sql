-- name: ledger_commits_exactly_the_outstanding_vouchers
-- zh: 已发未核资金等于未使用消费券的价值
-- Per campaign and payer: the balance of `committed` is the value of the vouchers that can still be used.
WITH balance AS (
    SELECT t.campaign_id, payer.i, sum(side.sign * payer.fen) AS fen
    FROM core.ledger_transfer t
    CROSS JOIN LATERAL (VALUES (t.debit, -1), (t.credit, 1)) AS side (account, sign)
    CROSS JOIN LATERAL unnest(t.amounts_fen) WITH ORDINALITY AS payer (fen, i)
    WHERE side.account = 'committed'
    GROUP BY t.campaign_id, payer.i
), outstanding AS (
    SELECT v.campaign_id, payer.i, sum(payer.fen) AS fen
    FROM core.voucher v
    CROSS JOIN LATERAL unnest(v.split_fen) WITH ORDINALITY AS payer (fen, i)
    WHERE v.state = 'issued'
    GROUP BY v.campaign_id, payer.i
), judged AS (
    SELECT campaign_id, i, coalesce(outstanding.fen, 0) AS fen, coalesce(balance.fen, 0) AS committed
    FROM outstanding FULL JOIN balance USING (campaign_id, i)
)
SELECT coalesce(bool_and(fen = committed), true) AS ok,
       coalesce(sum(fen), 0)::bigint AS expected, coalesce(sum(committed), 0)::bigint AS actual,
       'fen; differs for: ' || string_agg(format('payer %s of campaign %s', i, campaign_id), ', ')
           FILTER (WHERE fen <> committed) AS detail
FROM judged

-- name: settlements_are_paid_as_the_ledger_says
-- zh: 结算支付与资金账一致
-- A settlement that is paid moved exactly the splits of its write-offs from payable to paid, and those of
-- its corrections back, once. None that is not paid moved anything, and nothing else was paid. So what is
-- owed to an institution is, per payer, its live write-offs that are not in a paid settlement.
WITH wanted AS (
    SELECT s.id, l.kind, s.campaign_id, s.institution_id,
           CASE l.kind WHEN 'redemption' THEN core.amounts_sum(l.split_fen)
                ELSE (SELECT array_agg(-part ORDER BY i)
                      FROM unnest(core.amounts_sum(l.split_fen)) WITH ORDINALITY AS u (part, i)) END AS amounts
    FROM redemption.settlement s
    JOIN redemption.settlement_line l ON l.settlement_id = s.id AND l.revision = s.revision
    WHERE s.status = 'paid'
    GROUP BY s.id, l.kind, s.campaign_id, s.institution_id
), moved AS (
    SELECT source_id AS id, CASE kind WHEN 'pay' THEN 'redemption' ELSE 'correction' END AS kind,
           campaign_id, institution_id, amounts_fen AS amounts
    FROM core.ledger_transfer WHERE kind IN ('pay', 'recover')
), payments_judged AS (
    SELECT 'settlement ' || id AS what, core.amounts_total(wanted.amounts) AS expected,
           core.amounts_total(moved.amounts) AS actual, wanted.amounts = moved.amounts AS fits
    FROM wanted FULL JOIN moved USING (id, kind, campaign_id, institution_id)
), owed AS (
    SELECT r.campaign_id, r.institution_id, payer.i, sum(payer.fen) AS fen
    FROM redemption.redemption r
    LEFT JOIN redemption.settlement s ON s.id = r.settlement_id
    CROSS JOIN LATERAL unnest(r.split_fen) WITH ORDINALITY AS payer (fen, i)
    WHERE r.state = 'redeemed' AND s.status IS DISTINCT FROM 'paid'
    GROUP BY 1, 2, 3
), payable AS (
    SELECT t.campaign_id, t.institution_id, payer.i, sum(side.sign * payer.fen) AS fen
    FROM core.ledger_transfer t
    CROSS JOIN LATERAL (VALUES (t.debit, -1), (t.credit, 1)) AS side (account, sign)
    CROSS JOIN LATERAL unnest(t.amounts_fen) WITH ORDINALITY AS payer (fen, i)
    WHERE side.account = 'payable'
    GROUP BY 1, 2, 3
), balances_judged AS (
    SELECT format('payer %s of %s', i, institution_id) AS what, 0::bigint AS expected, 0::bigint AS actual,
           coalesce(owed.fen, 0) = coalesce(payable.fen, 0) AS fits
    FROM owed FULL JOIN payable USING (campaign_id, institution_id, i)
), judged AS (
    SELECT * FROM payments_judged UNION ALL SELECT * FROM balances_judged
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'fen paid; the first that differs: ' || min(what) FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

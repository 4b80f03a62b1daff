-- name: ledger_accounts_are_never_below_zero
-- zh: 资金账户余额从不为负
-- Money that is not there cannot be promised, owed or paid: per campaign and payer, and what is owed and
-- paid per institution. `budget` stands outside: it is what the payers put up.
WITH part AS (
    SELECT t.campaign_id, side.account, coalesce(t.institution_id, '') AS institution_id, payer.i, side.sign * payer.fen AS fen
    FROM core.ledger_transfer t
    CROSS JOIN LATERAL (VALUES (t.debit, -1), (t.credit, 1)) AS side (account, sign)
    CROSS JOIN LATERAL unnest(t.amounts_fen) WITH ORDINALITY AS payer (fen, i)
    WHERE side.account <> 'budget'
), balance AS (
    SELECT campaign_id, account, '' AS institution_id, i, sum(fen) AS fen
    FROM part GROUP BY campaign_id, account, i
    UNION ALL
    SELECT campaign_id, account, institution_id, i, sum(fen)
    FROM part WHERE account IN ('payable', 'paid') GROUP BY campaign_id, account, institution_id, i
), below AS (
    SELECT * FROM balance WHERE fen < 0
)
SELECT count(*) = 0 AS ok, 0 AS expected, count(*) AS actual,
       'accounts below zero; the first: '
       || min(format('%s of payer %s in campaign %s %s: %s fen', account, i, campaign_id, institution_id, fen))
           AS detail
FROM below

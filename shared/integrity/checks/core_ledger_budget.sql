-- name: ledger_budget_is_available_committed_payable_or_paid
-- zh: 预算等于可用、已发未核、应付与已付之和
-- Per payer: what it put up is its share of the campaign's budget, and all of it is still somewhere.
WITH balance AS (
    SELECT t.campaign_id, payer.i,
           sum(side.sign * payer.fen) FILTER (WHERE side.account = 'budget') AS put_up,
           sum(side.sign * payer.fen) FILTER (WHERE side.account <> 'budget') AS held
    FROM core.ledger_transfer t
    CROSS JOIN LATERAL (VALUES (t.debit, -1), (t.credit, 1)) AS side (account, sign)
    CROSS JOIN LATERAL unnest(t.amounts_fen) WITH ORDINALITY AS payer (fen, i)
    GROUP BY t.campaign_id, payer.i
), budget AS (
    SELECT f.campaign_id, payer.i, payer.fen
    FROM core.fund f
    CROSS JOIN LATERAL unnest(core.split_fen(f.budget_fen, f.shares_ppm)) WITH ORDINALITY AS payer (fen, i)
), judged AS (
    SELECT campaign_id, i, coalesce(budget.fen, 0) AS fen, coalesce(balance.held, 0) AS held,
           coalesce(-balance.put_up, 0) AS put_up
    FROM budget FULL JOIN balance USING (campaign_id, i)
)
SELECT coalesce(bool_and(held = fen AND put_up = fen), true) AS ok,
       coalesce(sum(fen), 0)::bigint AS expected, coalesce(sum(held), 0)::bigint AS actual,
       'fen; differs for: ' || string_agg(format('payer %s of campaign %s', i, campaign_id), ', ')
           FILTER (WHERE held <> fen OR put_up <> fen) AS detail
FROM judged

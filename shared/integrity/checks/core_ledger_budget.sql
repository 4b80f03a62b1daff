-- name: ledger_budget_is_available_committed_payable_or_paid
-- zh: 预算等于可用、已发未核、应付与已付之和
-- Per payer: what it put up is what the fund's latest version says, and all of it is still somewhere. The
-- fund's budget and shares are those of its latest version, the payers put it up between them, and versions
-- are numbered without a gap.
WITH balance AS (
    SELECT t.campaign_id, payer.i,
           sum(side.sign * payer.fen) FILTER (WHERE side.account = 'budget') AS put_up,
           sum(side.sign * payer.fen) FILTER (WHERE side.account <> 'budget') AS held
    FROM core.ledger_transfer t
    CROSS JOIN LATERAL (VALUES (t.debit, -1), (t.credit, 1)) AS side (account, sign)
    CROSS JOIN LATERAL unnest(t.amounts_fen) WITH ORDINALITY AS payer (fen, i)
    GROUP BY t.campaign_id, payer.i
), latest AS (
    SELECT DISTINCT ON (campaign_id) campaign_id, version, shares_ppm, budget_fen, put_up_fen,
           count(*) OVER (PARTITION BY campaign_id) AS versions
    FROM core.fund_version ORDER BY campaign_id, version DESC
), budget AS (
    SELECT f.campaign_id, payer.i, payer.fen,
           (f.version, f.shares_ppm, f.budget_fen) = (latest.version, latest.shares_ppm, latest.budget_fen)
           AND latest.versions = latest.version
           AND core.amounts_total(latest.put_up_fen) = f.budget_fen AS sound
    FROM core.fund f
    LEFT JOIN latest USING (campaign_id)
    CROSS JOIN LATERAL unnest(coalesce(latest.put_up_fen, core.split_fen(f.budget_fen, f.shares_ppm)))
        WITH ORDINALITY AS payer (fen, i)
), judged AS (
    SELECT campaign_id, i, coalesce(budget.fen, 0) AS fen, coalesce(balance.held, 0) AS held,
           coalesce(-balance.put_up, 0) AS put_up, budget.sound IS NOT FALSE AS sound
    FROM budget FULL JOIN balance USING (campaign_id, i)
)
SELECT coalesce(bool_and(held = fen AND put_up = fen AND sound), true) AS ok,
       coalesce(sum(fen), 0)::bigint AS expected, coalesce(sum(held), 0)::bigint AS actual,
       'fen; differs for: ' || string_agg(format('payer %s of campaign %s', i, campaign_id), ', ')
           FILTER (WHERE held <> fen OR put_up <> fen OR NOT sound) AS detail
FROM judged

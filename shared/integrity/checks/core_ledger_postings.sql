-- name: ledger_postings_are_balanced
-- zh: 每笔资金划转都完整平衡
-- A transfer takes from one account what it gives to another, so it is balanced when it is whole: one
-- amount for every payer of its campaign, none missing, none negative, and the accounts of its kind.
WITH way (kind, debit, credit) AS (
    VALUES ('fund', 'budget', 'available'), ('refund', 'available', 'budget'),
           ('issue', 'available', 'committed'),
           ('redeem', 'committed', 'payable'), ('release', 'committed', 'available'),
           ('reverse', 'payable', 'committed'), ('recommit', 'available', 'committed'),
           ('expire', 'committed', 'available'), ('revoke', 'committed', 'available'),
           ('pay', 'payable', 'paid'), ('recover', 'paid', 'available')
), broken AS (
    SELECT t.kind, t.source_id
    FROM core.ledger_transfer t
    LEFT JOIN core.fund f ON f.campaign_id = t.campaign_id
    LEFT JOIN way ON way.kind = t.kind
    WHERE f.campaign_id IS NULL
       OR cardinality(t.amounts_fen) <> cardinality(f.payer_keys)
       OR array_position(t.amounts_fen, NULL) IS NOT NULL
       OR 0 > ANY (t.amounts_fen)
       OR 0 > core.amounts_total(t.amounts_fen)
       OR (way.kind IS NOT NULL AND (t.debit <> way.debit OR t.credit <> way.credit))
)
SELECT count(*) = 0 AS ok, 0 AS expected, count(*) AS actual,
       'transfers that are not whole; the first: ' || min(kind || ' ' || source_id) AS detail
FROM broken

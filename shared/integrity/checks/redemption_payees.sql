-- name: settlements_were_paid_to_the_account_in_force
-- zh: 结算支付至当时有效的收款账户
-- A settlement that is paid names the account of its own institution that was in force at that moment, by an
-- approved change; or none, and then there was none. No other settlement names an account.
WITH judged AS (
    SELECT s.id,
           CASE WHEN s.status = 'paid'
                THEN s.payee_account_id IS NOT DISTINCT FROM (
                         SELECT p.id FROM redemption.payee_account p
                         WHERE p.institution_id = s.institution_id AND p.effective_from <= s.paid_at
                         ORDER BY p.version DESC LIMIT 1)
                     AND (s.payee_account_id IS NULL
                          OR EXISTS (SELECT FROM redemption.payee_account p JOIN core.change c ON c.id = p.change_id
                                     WHERE p.id = s.payee_account_id AND c.status = 'applied'
                                       AND c.kind = 'institution.payee_account'
                                       AND c.body ->> 'account_id' = p.id::text))
                ELSE s.payee_account_id IS NULL END AS fits
    FROM redemption.settlement s
)
SELECT coalesce(bool_and(fits), true) AS ok, count(*) AS expected, count(*) FILTER (WHERE fits) AS actual,
       'settlements; the first that differs: ' || min(id::text) FILTER (WHERE NOT fits) AS detail
FROM judged

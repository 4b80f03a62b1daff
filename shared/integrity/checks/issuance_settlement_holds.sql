-- name: settlement_holds_are_what_was_approved_last
-- zh: 结算留存期与最近批准的一致
-- How long a campaign's write-offs wait for their settlement is what its last approved version says.
WITH judged AS (
    SELECT c.slug, c.settlement_hold_days IS NOT DISTINCT FROM v.settlement_hold_days AS fits
    FROM core.campaign c
    JOIN LATERAL (SELECT settlement_hold_days FROM issuance.settlement_hold_version
                  WHERE campaign_id = c.id ORDER BY effective_from DESC LIMIT 1) AS v ON true
)
SELECT coalesce(bool_and(fits), true) AS ok, count(*) AS expected, count(*) FILTER (WHERE fits) AS actual,
       'campaigns; the first that differs: ' || min(slug) FILTER (WHERE NOT fits) AS detail
FROM judged

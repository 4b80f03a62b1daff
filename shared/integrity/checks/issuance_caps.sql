-- name: stock_keeps_to_caps_and_release_plans
-- zh: 券种总量上限与投放计划得到遵守
-- All phases together put in no more of a type than its total cap. With a release plan the n-th voucher of a
-- type was claimed when n pieces had been released: so many at the opening, as many more at each step, all of
-- them from the closing on.
WITH placed AS (
    SELECT a.phase_id, a.voucher_type, a.claimed_at, s.release_amount, s.returned, p.release_seconds, p.opens_at, p.closes_at,
           row_number() OVER (PARTITION BY a.phase_id, a.voucher_type ORDER BY a.claimed_at) AS place
    FROM issuance.phase p
    JOIN issuance.phase_stock s ON s.phase_id = p.id
    JOIN issuance.award a ON a.phase_id = p.id AND a.voucher_type = s.voucher_type AND a.state = 'claimed'
    WHERE p.release_seconds IS NOT NULL AND s.release_amount IS NOT NULL
), broken AS (
    SELECT format('%s of %s are put in, its cap is %s', sum(s.put_in), t.key, t.total_cap) AS fault
    FROM core.voucher_type t
    JOIN issuance.phase p ON p.campaign_id = t.campaign_id
    JOIN issuance.phase_stock s ON s.phase_id = p.id AND s.voucher_type = t.key
    WHERE t.total_cap IS NOT NULL
    GROUP BY t.campaign_id, t.key HAVING sum(s.put_in) > t.total_cap
    UNION ALL
    SELECT format('%s of phase %s: voucher %s was claimed before it was released', voucher_type, phase_id, place)
    FROM placed
    WHERE claimed_at < closes_at
      -- A voucher that was revoked may have made room for a later one.
      AND place - returned > release_amount * (floor(extract(epoch FROM claimed_at - opens_at) / release_seconds) + 1)
)
SELECT NOT EXISTS (SELECT FROM broken) AS ok, 0 AS expected, (SELECT count(*) FROM broken) AS actual,
       'beyond a cap or before a release; the first: ' || (SELECT min(fault) FROM broken) AS detail

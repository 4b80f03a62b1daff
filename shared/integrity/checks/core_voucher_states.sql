-- name: vouchers_issued_are_outstanding_redeemed_expired_or_revoked
-- zh: 已发消费券等于待使用、已核销、过期与作废之和
-- Every voucher that the ledger issued is there in exactly one state, and the ledger agrees with the state:
-- redeemed as often as written off and not reversed, expired and revoked as often as ended.
WITH state AS (
    SELECT campaign_id, count(*) AS issued, count(*) FILTER (WHERE state = 'redeemed') AS redeemed,
           count(*) FILTER (WHERE state = 'expired') AS expired,
           count(*) FILTER (WHERE state = 'revoked') AS revoked
    FROM core.voucher GROUP BY campaign_id
), moved AS (
    SELECT campaign_id, count(*) FILTER (WHERE kind = 'issue') AS issued,
           count(*) FILTER (WHERE kind = 'redeem') - count(*) FILTER (WHERE kind = 'reverse') AS redeemed,
           count(*) FILTER (WHERE kind = 'expire') AS expired,
           count(*) FILTER (WHERE kind = 'revoke') AS revoked
    FROM core.ledger_transfer WHERE voucher_id IS NOT NULL GROUP BY campaign_id
), judged AS (
    SELECT campaign_id, coalesce(moved.issued, 0) AS expected, coalesce(state.issued, 0) AS actual,
           (state.issued, state.redeemed, state.expired, state.revoked)
               IS NOT DISTINCT FROM (moved.issued, moved.redeemed, moved.expired, moved.revoked) AS fits
    FROM state FULL JOIN moved USING (campaign_id)
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(expected), 0)::bigint AS expected,
       coalesce(sum(actual), 0)::bigint AS actual,
       'vouchers; differs in campaign ' || string_agg(campaign_id::text, ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

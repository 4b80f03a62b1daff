-- name: carried_over_value_is_what_expired_vouchers_gave_back
-- zh: 结转金额不超过过期消费券退回的金额
-- Per phase and type: the pieces that returned are those that changes carried over and those of vouchers that
-- were revoked; no more are carried over than vouchers expired, and no payer bears more than it got back.
WITH returned AS (
    SELECT phase_id, voucher_type, sum(pieces) AS pieces, core.amounts_sum(value_fen) AS value_fen
    FROM issuance.stock_return GROUP BY phase_id, voucher_type
), expired AS (
    SELECT p.id AS phase_id, v.voucher_type, count(*) AS pieces, core.amounts_sum(v.split_fen) AS back_fen
    FROM core.voucher v
    JOIN issuance.phase p ON p.campaign_id = v.campaign_id AND p.seq = v.phase_seq
    WHERE v.state = 'expired'
    GROUP BY p.id, v.voucher_type
), revoked AS (
    SELECT p.id AS phase_id, v.voucher_type, count(*) AS pieces
    FROM core.voucher v
    JOIN issuance.phase p ON p.campaign_id = v.campaign_id AND p.seq = v.phase_seq
    WHERE v.state = 'revoked'
    GROUP BY p.id, v.voucher_type
), judged AS (
    SELECT s.phase_id, s.voucher_type, s.returned,
           coalesce(returned.pieces, 0) + coalesce(revoked.pieces, 0) AS pieces,
           s.returned = coalesce(returned.pieces, 0) + coalesce(revoked.pieces, 0)
           AND coalesce(returned.pieces, 0) <= coalesce(expired.pieces, 0)
           AND NOT EXISTS (
               SELECT FROM unnest(returned.value_fen, expired.back_fen) AS payer (fen, back)
               WHERE payer.fen > coalesce(payer.back, 0)) AS fits
    FROM issuance.phase_stock s
    LEFT JOIN returned USING (phase_id, voucher_type)
    LEFT JOIN expired USING (phase_id, voucher_type)
    LEFT JOIN revoked USING (phase_id, voucher_type)
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(pieces), 0)::bigint AS expected,
       coalesce(sum(returned), 0)::bigint AS actual,
       'pieces returned; differs for: '
       || string_agg(format('%s in phase %s', voucher_type, phase_id), ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

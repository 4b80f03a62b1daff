-- name: stock_put_in_is_remaining_issued_and_returned
-- zh: 库存投放等于剩余加已发减退回
-- Per phase and voucher type: what was put in by changes is what the stock row says, and it is still there
-- or became vouchers. A type without a stock row can have neither moves nor vouchers.
WITH moved AS (
    SELECT phase_id, voucher_type, sum(delta) AS put_in FROM issuance.stock_move GROUP BY phase_id, voucher_type
), issued AS (
    SELECT p.id AS phase_id, v.voucher_type, count(*) AS issued
    FROM core.voucher v
    JOIN issuance.phase p ON p.campaign_id = v.campaign_id AND p.seq = v.phase_seq
    JOIN issuance.award a ON a.bucket = v.bucket AND a.id = v.source_id
    GROUP BY p.id, v.voucher_type
), judged AS (
    SELECT phase_id, voucher_type, coalesce(moved.put_in, 0) AS put_in,
           coalesce(s.remaining + s.issued - s.returned, 0) AS accounted,
           coalesce(s.put_in, 0) = coalesce(moved.put_in, 0)
           AND coalesce(s.remaining + s.issued - s.returned, 0) = coalesce(moved.put_in, 0)
           AND coalesce(s.issued, 0) = coalesce(issued.issued, 0)
           AND coalesce(s.remaining, 0) >= 0 AS fits
    FROM issuance.phase_stock s
    FULL JOIN moved USING (phase_id, voucher_type)
    FULL JOIN issued USING (phase_id, voucher_type)
)
SELECT coalesce(bool_and(fits), true) AS ok, coalesce(sum(put_in), 0)::bigint AS expected,
       coalesce(sum(accounted), 0)::bigint AS actual,
       'pieces; differs for: '
       || string_agg(format('%s in phase %s', voucher_type, phase_id), ', ') FILTER (WHERE NOT fits) AS detail
FROM judged

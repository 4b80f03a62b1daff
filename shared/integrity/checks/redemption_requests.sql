-- name: redemptions_answer_to_their_request_numbers
-- zh: 核销记录与请求号一一对应
-- A till that sends a write-off again gets the first answer, because the request row of its number points
-- to the write-off. One without would be done a second time.
WITH judged AS (
    SELECT r.id, q.result_id IS NOT NULL AND NOT q.blocked
           AND q.result_bucket = r.bucket AND q.result_id = r.id AS fits
    FROM redemption.redemption r
    JOIN redemption.terminal t ON t.id = r.terminal_id
    LEFT JOIN core.request q ON q.bucket = t.bucket AND q.caller_id = t.caller_id
                            AND q.operation = 'redemption' AND q.request_no = r.request_no
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, count(*) AS expected,
       count(*) FILTER (WHERE fits) AS actual,
       'redemptions; the first that differs: ' || min(id::text) FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

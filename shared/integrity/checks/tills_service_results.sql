-- name: service_results_are_delivered_or_visibly_waiting
-- zh: 服务结果均已送达或可见地等待
-- A result that was taken from a till is stored with its write-off, and one that is due has its job: in the queue,
-- or dead for staff to see. What was delivered is no longer kept.
WITH jobs AS (
    SELECT payload ->> 'redemption_id' AS redemption_id, count(*) AS n FROM core.outbox
    WHERE kind = 'redemption.service_result_due'
    GROUP BY 1
), judged AS (
    SELECT coalesce(r.id, s.redemption_id) AS id, s.redemption_id,
           r.result_reported_at IS NOT NULL AND s.redemption_id IS NOT NULL AND t.reports_result_to_health_code
           AND (s.status <> 'due' OR coalesce(jobs.n, 0) = 1)
           AND (s.content_sealed IS NOT NULL) = (s.status IN ('waiting', 'due')) AS fits
    FROM (SELECT * FROM redemption.redemption WHERE result_reported_at IS NOT NULL) AS r
    FULL JOIN redemption.service_result s ON s.bucket = r.bucket AND s.redemption_id = r.id
    LEFT JOIN core.voucher_type t ON t.campaign_id = r.campaign_id AND t.key = r.voucher_type
    LEFT JOIN jobs ON jobs.redemption_id = core.hot_id_text(s.bucket, s.redemption_id)
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, count(*) AS expected,
       count(*) FILTER (WHERE fits) AS actual,
       'results; the first that differs: ' || min(id::text) FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

-- name: manual_write_offs_are_flagged_with_their_reason
-- zh: 人工核销均已标记并留有原因
-- A voucher that was written off without being shown says so and why, and only where its campaign allows that.
WITH judged AS (
    SELECT coalesce(r.id, m.redemption_id) AS id, r.id AS redemption_id,
           r.id IS NOT NULL AND m.redemption_id IS NOT NULL AND c.manual_write_off
           AND m.campaign_id = r.campaign_id AND m.institution_id = r.institution_id
           AND m.terminal_id = r.terminal_id AS fits
    FROM (SELECT * FROM redemption.redemption WHERE source = 'manual') AS r
    FULL JOIN redemption.manual_write_off m ON m.bucket = r.bucket AND m.redemption_id = r.id
    LEFT JOIN core.campaign c ON c.id = r.campaign_id
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, count(redemption_id) AS expected,
       count(*) FILTER (WHERE fits) AS actual,
       'manual write-offs; the first that differs: ' || min(id::text) FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

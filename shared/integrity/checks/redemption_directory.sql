-- name: directory_says_what_its_history_says_last
-- zh: 机构名录与变更记录一致
-- What stands in the directory is what somebody wrote there last; of what was taken back nothing is left. A type
-- is accepted or waits for approval, never both, and is one of its campaign's.
WITH last AS (
    SELECT DISTINCT ON (institution_id) institution_id, entry
    FROM redemption.institution_version
    WHERE cause IN ('create', 'edit', 'import', 'undo')
    ORDER BY institution_id, version DESC
), written AS (
    SELECT last.institution_id AS id,
           CASE WHEN last.entry IS NULL THEN i.id IS NULL
                ELSE i.id IS NOT NULL AND (i.name, i.category) = (last.entry ->> 'name', last.entry ->> 'category')
                     AND i.county IS NOT DISTINCT FROM last.entry ->> 'county'
                     AND i.public IS NOT DISTINCT FROM (last.entry ->> 'public')::boolean
                     AND i.address IS NOT DISTINCT FROM last.entry ->> 'address'
                     AND i.credit_code IS NOT DISTINCT FROM last.entry ->> 'credit_code'
                     AND i.hours IS NOT DISTINCT FROM nullif(last.entry -> 'hours', 'null')
           END AS fits
    FROM last LEFT JOIN redemption.institution i ON i.id = last.institution_id
), accepted AS (
    SELECT m.institution_id AS id,
           NOT m.accepts && m.awaiting AND NOT EXISTS (
               SELECT FROM unnest(m.accepts || m.awaiting) AS told (key)
               LEFT JOIN core.voucher_type t ON t.campaign_id = m.campaign_id AND t.key = told.key
               WHERE t.key IS NULL) AS fits
    FROM redemption.membership m
), judged AS (
    SELECT id, fits FROM written UNION ALL SELECT id, fits FROM accepted
)
SELECT coalesce(bool_and(fits IS TRUE), true) AS ok, count(*) AS expected,
       count(*) FILTER (WHERE fits) AS actual,
       'entries and memberships; the first that differs: ' || min(id) FILTER (WHERE fits IS NOT TRUE) AS detail
FROM judged

-- name: nobody_draws_while_excluded
-- zh: 名单内人员在生效期间没有抽奖
-- A draw by somebody whom a list of its campaign kept out at that moment. (An entry that is less than
-- 10 seconds older may have waited for the draw.)
WITH listed AS (
    SELECT e.campaign_id, coalesce(e.bucket, i.bucket) AS bucket, coalesce(e.person_id, i.person_id) AS person_id,
           e.added_at + interval '10 seconds' AS since,
           least(e.lifted_at, e.expires_at) AS until
    FROM issuance.exclusion e
    LEFT JOIN core.person_identity i ON i.identity_hash = e.identity_hash
), broken AS (
    SELECT d.id FROM listed
    JOIN issuance.draw d ON d.bucket = listed.bucket AND d.person_id = listed.person_id
                        AND d.campaign_id = listed.campaign_id
    WHERE d.drawn_at > listed.since AND (listed.until IS NULL OR d.drawn_at < listed.until)
)
SELECT NOT EXISTS (SELECT FROM broken) AS ok, 0 AS expected, (SELECT count(*) FROM broken) AS actual,
       'draws by excluded persons; the first: ' || (SELECT min(id::text) FROM broken) AS detail

-- name: persons_have_one_account_each
-- zh: 一人一号
-- Limits hold for persons, not accounts. So an identity belongs to one person, is held by at most one
-- account, that account acts for that person, and nobody is verified without an identity.
WITH broken AS (
    SELECT 'an account holds several identities' AS fault, account_id::text AS who
    FROM core.person_identity WHERE account_id IS NOT NULL GROUP BY account_id HAVING count(*) > 1
    UNION ALL
    SELECT 'a person has several identities', person_id::text
    FROM core.person_identity GROUP BY bucket, person_id HAVING count(*) > 1
    UNION ALL
    SELECT 'an identity is held by an account of another person', i.account_id::text
    FROM core.person_identity i
    LEFT JOIN core.account a ON a.id = i.account_id
    WHERE i.account_id IS NOT NULL
      AND (a.id IS NULL OR (a.bucket, a.person_id) IS DISTINCT FROM (i.bucket, i.person_id))
    UNION ALL
    SELECT 'an identified person has several live accounts', a.person_id::text
    FROM core.account a
    JOIN core.person_identity i ON i.bucket = a.bucket AND i.person_id = a.person_id
    WHERE a.erased_at IS NULL
    GROUP BY a.bucket, a.person_id HAVING count(*) > 1
    UNION ALL
    SELECT 'a verified person has no identity', p.id::text
    FROM core.person p
    LEFT JOIN core.person_identity i ON i.bucket = p.bucket AND i.person_id = p.id
    WHERE p.verified_at IS NOT NULL AND i.person_id IS NULL
)
SELECT count(*) = 0 AS ok, 0 AS expected, count(*) AS actual, min(fault || ': ' || who) AS detail FROM broken

-- The places of those persons (from 1) who may not take part in a campaign now. Locks nothing: the caller
-- holds the persons' turns, and whoever adds an entry for a known person takes its turn first, so an entry
-- is either seen here or came after. VOLATILE, so that what committed while the caller waited is seen.
--
-- A campaign without a list costs one look at an index for all persons together. Only index look-ups and nested
-- loops, here and below: plans are kept per connection, and made when the lists may still be empty.
CREATE OR REPLACE FUNCTION issuance.excluded_places(
    p_campaign uuid, p_now timestamptz, p_bucket smallint[], p_person uuid[]
) RETURNS bigint[]
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    IF NOT EXISTS (SELECT FROM issuance.exclusion WHERE campaign_id = p_campaign AND lifted_at IS NULL) THEN
        RETURN '{}';
    END IF;
    RETURN (
        SELECT coalesce(array_agg(item.ord), '{}')
        FROM unnest(p_bucket, p_person) WITH ORDINALITY AS item (bucket, person_id, ord)
        WHERE EXISTS (SELECT FROM issuance.exclusion e
                      WHERE e.campaign_id = p_campaign AND e.bucket = item.bucket AND e.person_id = item.person_id
                        AND e.lifted_at IS NULL AND (e.expires_at IS NULL OR e.expires_at > p_now))
           OR EXISTS (SELECT FROM core.person_identity i
                      JOIN issuance.exclusion e ON e.campaign_id = p_campaign AND e.identity_hash = i.identity_hash
                      WHERE i.bucket = item.bucket AND i.person_id = item.person_id
                        AND e.lifted_at IS NULL AND (e.expires_at IS NULL OR e.expires_at > p_now))
    );
END
$$;

-- What these persons are told: the note of the entry that keeps each of them out, NULL for those who may take
-- part. The same answer as issuance.excluded_places, for the few who are refused.
CREATE OR REPLACE FUNCTION issuance.appeal_notes(
    p_campaign uuid, p_now timestamptz, p_bucket smallint[], p_person uuid[]
) RETURNS TABLE (appeal_note text)
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT (
        SELECT found.appeal_note FROM (
            SELECT e.appeal_note, e.added_at, e.expires_at FROM issuance.exclusion e
            WHERE e.campaign_id = p_campaign AND e.bucket = item.bucket AND e.person_id = item.person_id
              AND e.lifted_at IS NULL
            UNION ALL
            SELECT e.appeal_note, e.added_at, e.expires_at FROM core.person_identity i
            JOIN issuance.exclusion e ON e.campaign_id = p_campaign AND e.identity_hash = i.identity_hash
            WHERE i.bucket = item.bucket AND i.person_id = item.person_id AND e.lifted_at IS NULL
        ) found
        WHERE found.expires_at IS NULL OR found.expires_at > p_now
        ORDER BY found.added_at DESC LIMIT 1)
    FROM unnest(p_bucket, p_person) WITH ORDINALITY AS item (bucket, person_id, ord)
    ORDER BY item.ord;
END
$$;

-- The entries of a campaign that nobody lifted, of these id numbers.
CREATE OR REPLACE FUNCTION issuance.listed_identities(p_campaign uuid, p_hashes bytea[]) RETURNS TABLE (
    id uuid, identity_hash bytea, list text, reason text, appeal_note text, expires_at timestamptz,
    added_at timestamptz, added_by uuid
)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT e.id, e.identity_hash, e.list, e.reason, e.appeal_note, e.expires_at, e.added_at, e.added_by
    FROM unnest(p_hashes) AS u (identity_hash)
    JOIN issuance.exclusion e ON e.campaign_id = p_campaign AND e.identity_hash = u.identity_hash
    WHERE e.lifted_at IS NULL;
END
$$;

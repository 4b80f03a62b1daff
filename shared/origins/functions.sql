-- The only writers of core.voucher_origin.

-- Notes where awards are being claimed; the first try stays. The caller knows whose awards they are.
CREATE OR REPLACE FUNCTION core.note_origins(
    p_bucket smallint[], p_source uuid[], p_campaign uuid[], p_person uuid[], p_device bytea[], p_address bytea[],
    p_on date[]
) RETURNS void
LANGUAGE sql AS $$
    INSERT INTO core.voucher_origin (
        bucket, source_id, campaign_id, person_id, device_hash, address_hash, claimed_on)
    SELECT bucket, source_id, campaign_id, person_id, device_hash, address_hash, claimed_on
    FROM unnest(p_bucket, p_source, p_campaign, p_person, p_device, p_address, p_on)
         AS u (bucket, source_id, campaign_id, person_id, device_hash, address_hash, claimed_on)
    ORDER BY bucket, source_id
    ON CONFLICT DO NOTHING;
$$;

-- Forgets where these persons claimed.
CREATE OR REPLACE FUNCTION core.forget_origins_of(p_bucket smallint[], p_person uuid[]) RETURNS void
LANGUAGE sql AS $$
    DELETE FROM core.voucher_origin o USING unnest(p_bucket, p_person) AS u (bucket, person_id)
    WHERE o.bucket = u.bucket AND o.person_id = u.person_id;
$$;

-- Forgets at most so many of what was claimed before a day; returns how many.
CREATE OR REPLACE FUNCTION core.forget_origins(p_before date, p_limit integer) RETURNS bigint
LANGUAGE sql AS $$
    WITH old AS (
        SELECT bucket, source_id FROM core.voucher_origin WHERE claimed_on < p_before
        ORDER BY bucket, source_id LIMIT p_limit FOR UPDATE SKIP LOCKED
    ), forgotten AS (
        DELETE FROM core.voucher_origin o USING old WHERE o.bucket = old.bucket AND o.source_id = old.source_id
        RETURNING 1
    )
    SELECT count(*) FROM forgotten;
$$;

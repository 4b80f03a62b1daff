-- The text of a hot row's address: two base32 symbols for the bucket and the id's hex digits. The SQL
-- twin of shared.ids.HotId.__str__; a test holds the two together.
CREATE OR REPLACE FUNCTION core.hot_id_text(p_bucket smallint, p_id uuid) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (p_bucket >> 5) + 1, 1)
        || substr('0123456789ABCDEFGHJKMNPQRSTVWXYZ', (p_bucket & 31) + 1, 1)
        || replace(p_id::text, '-', '')
$$;

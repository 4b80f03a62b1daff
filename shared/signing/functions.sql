-- Uses nonces up. Returns the positions (from 1) of those that were used before, or twice in this call.
CREATE OR REPLACE FUNCTION core.nonces_use(
    p_key_id text[], p_nonce text[], p_expires_at timestamptz
) RETURNS SETOF integer
LANGUAGE sql AS $$
    WITH given AS (
        SELECT key_id, nonce, ord::integer AS ord,
               row_number() OVER (PARTITION BY key_id, nonce ORDER BY ord) AS place
        FROM unnest(p_key_id, p_nonce) WITH ORDINALITY AS u (key_id, nonce, ord)
    ), fresh AS (
        INSERT INTO core.nonce (key_id, nonce, expires_at)
        SELECT key_id, nonce, p_expires_at FROM given WHERE place = 1 ORDER BY key_id, nonce
        ON CONFLICT DO NOTHING
        RETURNING key_id, nonce
    )
    SELECT given.ord FROM given
    LEFT JOIN fresh ON fresh.key_id = given.key_id AND fresh.nonce = given.nonce AND given.place = 1
    WHERE fresh.nonce IS NULL
$$;

-- Uses the nonces of signed requests up and returns the positions (from 1) of those that were used
-- before. An item that this process tried before without getting an answer (`p_again`) may find its own.
-- Callers that used their nonce up themselves pass none.
CREATE OR REPLACE FUNCTION redemption.stale_nonces(
    p_key_id text[], p_nonce text[], p_again boolean[], p_expires_at timestamptz
) RETURNS integer[]
LANGUAGE plpgsql AS $$
BEGIN
    IF p_nonce IS NULL THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(
        SELECT place FROM core.nonces_use(p_key_id, p_nonce, p_expires_at) AS place
        WHERE NOT p_again[place]
    );
END
$$;

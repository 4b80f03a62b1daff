-- A number that tells persons, devices or places apart within one institution, and means nothing anywhere else.
CREATE OR REPLACE FUNCTION redemption.number_within(p_institution text, p_what text) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ('x' || substr(md5(p_institution || p_what), 1, 15))::bit(60)::bigint;
$$;

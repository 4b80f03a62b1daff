-- What other services may ask of the directory, which is read by this function only.

-- The name of an institution; NULL for one that the directory does not know.
CREATE OR REPLACE FUNCTION redemption.institution_name(p_institution text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT name FROM redemption.institution WHERE id = p_institution
$$;

-- What other services may ask of the directory, which is read by this function only.

-- The name of an institution; NULL for one that the directory does not know.
CREATE OR REPLACE FUNCTION redemption.institution_name(p_institution text) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT name FROM redemption.institution WHERE id = p_institution
$$;

-- The institutions that take part in a campaign: accepted for some voucher type, and not closed.
CREATE OR REPLACE FUNCTION redemption.institutions_of(p_campaign uuid)
RETURNS TABLE (institution_id text, name text)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT i.id, i.name
    FROM redemption.membership m JOIN redemption.institution i ON i.id = m.institution_id
    WHERE m.campaign_id = p_campaign AND cardinality(m.accepts) > 0 AND i.status <> 'closed'
    ORDER BY i.name, i.id
$$;

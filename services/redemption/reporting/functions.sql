-- What other services may ask of what is not settled yet, which is read by this function only.

-- Open risk cases and settlements in dispute of a campaign.
CREATE OR REPLACE FUNCTION redemption.open_matters(p_campaign uuid)
RETURNS TABLE (risk_cases bigint, disputes bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (SELECT count(*) FROM redemption.risk_case c WHERE c.campaign_id = p_campaign AND c.status = 'open'),
           (SELECT count(*) FROM redemption.settlement s
            WHERE s.campaign_id = p_campaign AND s.disputed_at IS NOT NULL AND s.status = 'draft')
$$;

-- The public log of draws and its chain of hashes. What a line is, is said here only: the roots, the file
-- that is published, and the integrity check are made from the same text.

-- A draw's line in the public log, without the line's end.
CREATE OR REPLACE FUNCTION issuance.draw_log_line(
    p_bucket smallint, p_chance uuid, p_client_seed text, p_odds_ppm bigint, p_value bytea, p_won boolean
) RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT '{"chance_id":"' || core.hot_id_text(p_bucket, p_chance)
        || '","client_seed":' || to_json(p_client_seed)
        || ',"odds":"' || trim_scale(p_odds_ppm / 1000000::numeric)
        || '","value":"' || encode(p_value, 'hex')
        || '","won":' || CASE WHEN p_won THEN 'true}' ELSE 'false}' END
$$;

-- Carries the chain of a phase on from `p_head`, over its draws behind the position (p_from, p_after) and
-- before `p_until`, at most `p_limit` of them. Returns the head behind the last one, how many there were, and
-- the position of the last one (NULL: none). Locks nothing.
CREATE OR REPLACE FUNCTION issuance.draw_log_chain(
    p_phase uuid, p_from timestamptz, p_after uuid, p_until timestamptz, p_limit bigint, p_head bytea
) RETURNS TABLE (head bytea, draws bigint, last_at timestamptz, last_id uuid)
LANGUAGE plpgsql STABLE
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    v_draw record;
BEGIN
    head := p_head;
    draws := 0;
    FOR v_draw IN
        SELECT d.drawn_at, d.id,
               issuance.draw_log_line(d.bucket, d.chance_id, d.client_seed, o.odds_ppm, d.value, d.won) AS line
        FROM issuance.draw d JOIN issuance.odds_version o ON o.id = d.odds_version_id
        WHERE d.phase_id = p_phase AND (d.drawn_at, d.id) > (p_from, p_after) AND d.drawn_at < p_until
        ORDER BY d.drawn_at, d.id LIMIT p_limit
    LOOP
        head := sha256(head || convert_to(v_draw.line, 'UTF8'));
        draws := draws + 1;
        last_at := v_draw.drawn_at;
        last_id := v_draw.id;
    END LOOP;
    RETURN NEXT;
END
$$;

-- Revoking vouchers, by a change or with their person's erasure: one rule for both. The value returns to the
-- payers and the piece to the stock and the pool of its phase, also when the phase is over.

-- Locks what vouchers of these phases return to: the funds of their campaigns, all of their stock (a payer may
-- then lack its part of any piece, which is covered under these locks), and the pools of the phases.
CREATE OR REPLACE FUNCTION issuance.lock_pieces(p_phase uuid[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_campaign uuid[] := ARRAY(SELECT DISTINCT campaign_id FROM issuance.phase WHERE id = ANY (p_phase));
BEGIN
    PERFORM FROM core.fund WHERE campaign_id = ANY (v_campaign) ORDER BY campaign_id FOR NO KEY UPDATE;
    PERFORM FROM issuance.phase_stock s
    JOIN issuance.phase p ON p.id = s.phase_id
    WHERE p.campaign_id = ANY (v_campaign)
    ORDER BY s.phase_id, s.voucher_type FOR UPDATE OF s;
    PERFORM FROM issuance.award_pool WHERE phase_id = ANY (p_phase) ORDER BY phase_id FOR UPDATE;
END
$$;

-- Issued → revoked, value and piece returned; a voucher that was used or ended meanwhile is left alone. Returns
-- those that were revoked. The caller has locked their pieces, and passes vouchers in the order of their key.
CREATE OR REPLACE FUNCTION issuance.revoke_vouchers(
    p_bucket smallint[], p_voucher uuid[], p_actor text, p_now timestamptz
) RETURNS TABLE (bucket smallint, voucher_id uuid)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH ended AS MATERIALIZED (
        SELECT v.bucket, v.voucher_id, v.voucher_type, ph.id AS phase_id
        FROM core.vouchers_end(p_bucket, p_voucher, 'revoked', p_actor, p_now) AS v
        JOIN issuance.phase ph ON ph.campaign_id = v.campaign_id AND ph.seq = v.phase_seq
    ), stocked AS (
        UPDATE issuance.phase_stock s SET remaining = s.remaining + back.n, returned = s.returned + back.n
        FROM (SELECT phase_id, voucher_type, count(*) AS n FROM ended GROUP BY phase_id, voucher_type) back
        WHERE s.phase_id = back.phase_id AND s.voucher_type = back.voucher_type
    ), pooled AS (
        UPDATE issuance.award_pool pool SET left_to_award = pool.left_to_award + back.n
        FROM (SELECT phase_id, count(*) AS n FROM ended GROUP BY phase_id) back
        WHERE pool.phase_id = back.phase_id
    )
    SELECT ended.bucket, ended.voucher_id FROM ended;
END
$$;

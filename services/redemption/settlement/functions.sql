-- Settles a run's period for one institution: everything that is due and in no settlement yet becomes
-- part of a new one, together with the corrections that wait. False when there was nothing, or when the
-- run did this institution before.
--
-- Due is what was written off on a day that this or an earlier run covers, not after this run's end:
-- what comes late (offline, released from a hold) is settled with the next period. What reached us after
-- `p_received_until` (NULL: no such limit) is still within the hold period; that, and what somebody holds,
-- is left out and written down with its cause. Of an institution that is held nothing is settled.
--
-- Locks: the membership (of two runs for an institution one waits), the write-offs in the order of their
-- key, the corrections. A reversal that comes second finds its write-off settled; one that comes first
-- has taken it away.
CREATE OR REPLACE FUNCTION redemption.settle_institution(
    p_settlement uuid, p_run uuid, p_institution text, p_received_until timestamptz, p_now timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    v_run redemption.settlement_run;
    v_timezone text;
    v_covered datemultirange;
    v_end timestamptz;
    v_held boolean;
    v_lines bigint;
BEGIN
    SELECT * INTO STRICT v_run FROM redemption.settlement_run WHERE id = p_run;
    SELECT timezone INTO STRICT v_timezone FROM core.campaign WHERE id = v_run.campaign_id;
    PERFORM FROM redemption.membership
    WHERE institution_id = p_institution AND campaign_id = v_run.campaign_id
    FOR NO KEY UPDATE;
    IF EXISTS (SELECT FROM redemption.settlement WHERE run_id = p_run AND institution_id = p_institution) THEN
        RETURN false;
    END IF;
    v_held := EXISTS (SELECT FROM redemption.settlement_hold
                      WHERE institution_id = p_institution AND released_at IS NULL AND redemption_id IS NULL);
    SELECT range_agg(daterange(period_from, period_to, '[]')) INTO v_covered
    FROM redemption.settlement_run WHERE campaign_id = v_run.campaign_id;
    v_end := (v_run.period_to + 1)::timestamp AT TIME ZONE v_timezone;

    WITH due AS MATERIALIZED (
        SELECT r.bucket, r.id,
               CASE WHEN v_held THEN 'institution_hold'
                    WHEN EXISTS (SELECT FROM redemption.settlement_hold h
                                 WHERE h.institution_id = p_institution AND h.released_at IS NULL
                                   AND h.bucket = r.bucket AND h.redemption_id = r.id) THEN 'write_off_hold'
                    WHEN r.received_at > p_received_until THEN 'hold_period'
               END AS held_by
        FROM redemption.redemption r
        WHERE r.institution_id = p_institution AND r.redeemed_at < v_end
          AND r.campaign_id = v_run.campaign_id AND r.state = 'redeemed' AND r.settlement_id IS NULL
          AND v_covered @> (r.redeemed_at AT TIME ZONE v_timezone)::date
        ORDER BY r.bucket, r.id
        FOR UPDATE
    ), settled AS (
        UPDATE redemption.redemption r SET settlement_id = p_settlement
        FROM due
        WHERE r.bucket = due.bucket AND r.id = due.id AND due.held_by IS NULL
        RETURNING r.voucher_type, r.applied_fen, r.split_fen
    ), held_back AS (
        INSERT INTO redemption.held_back (run_id, bucket, redemption_id, institution_id, cause)
        SELECT p_run, bucket, id, p_institution, held_by FROM due WHERE held_by IS NOT NULL
        ON CONFLICT DO NOTHING
    ), taken_back AS (
        UPDATE redemption.correction SET settlement_id = p_settlement
        WHERE campaign_id = v_run.campaign_id AND institution_id = p_institution AND settlement_id IS NULL
          AND NOT v_held
        RETURNING voucher_type, amount_fen, split_fen
    ), line AS (
        SELECT 'redemption' AS kind, voucher_type, count(*) AS n, sum(applied_fen)::bigint AS fen,
               core.amounts_sum(split_fen) AS split
        FROM settled GROUP BY voucher_type
        UNION ALL
        SELECT 'correction', voucher_type, count(*), -sum(amount_fen)::bigint,
               (SELECT array_agg(-part ORDER BY i)
                FROM unnest(core.amounts_sum(split_fen)) WITH ORDINALITY AS u (part, i))
        FROM taken_back GROUP BY voucher_type
    ), made AS (
        INSERT INTO redemption.settlement (
            id, run_id, campaign_id, institution_id, period_from, period_to, count, corrections, amount_fen,
            split_fen, created_at)
        SELECT p_settlement, p_run, v_run.campaign_id, p_institution, v_run.period_from, v_run.period_to,
               coalesce(sum(n) FILTER (WHERE kind = 'redemption'), 0),
               coalesce(sum(n) FILTER (WHERE kind = 'correction'), 0),
               sum(fen), core.amounts_sum(split), p_now
        FROM line
        HAVING count(*) > 0
    ), written AS (
        INSERT INTO redemption.settlement_line (settlement_id, kind, voucher_type, count, amount_fen, split_fen)
        SELECT p_settlement, kind, voucher_type, n, fen, split FROM line
    )
    SELECT count(*) INTO v_lines FROM line;
    RETURN v_lines > 0;
END
$$;

-- Holds those of these awards that look made by a machine, in the transaction of their draws. The caller holds
-- the pool of the phase, so that of two wins on one device the later one sees the earlier one. A campaign
-- without a risk rule costs one look at an index. What is counted is counted no further than `c_enough` beyond
-- its limit: thousands of phones share the address of a carrier. Only index look-ups, as in the draw itself.
CREATE OR REPLACE FUNCTION issuance.hold_wins(
    p_campaign uuid, p_now timestamptz, p_bucket smallint[], p_award uuid[]
) RETURNS void
LANGUAGE plpgsql
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    c_enough constant integer := 1000;
    v_rule issuance.risk_rule;
BEGIN
    SELECT * INTO v_rule FROM issuance.risk_rule WHERE campaign_id = p_campaign;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    WITH win AS MATERIALIZED (
        SELECT a.bucket, a.id, a.person_id, a.draw_id, (p_now AT TIME ZONE c.timezone)::date AS day
        FROM unnest(p_bucket, p_award) AS u (bucket, award_id)
        JOIN issuance.award a ON a.bucket = u.bucket AND a.id = u.award_id AND a.state = 'open'
        JOIN core.campaign c ON c.id = a.campaign_id
    ), place AS MATERIALIZED (
        -- The latest few devices: whoever sends another name with every request is no slower for it.
        SELECT win.bucket, win.id, s.kind, s.key_hash
        FROM win
        CROSS JOIN LATERAL (
            SELECT kind, key_hash FROM issuance.sighting
            WHERE bucket = win.bucket AND person_id = win.person_id AND campaign_id = p_campaign
              AND (kind = 'device' OR seen_on = win.day)
            ORDER BY seen_on DESC LIMIT 20
        ) s
    ), signal AS (
        SELECT place.bucket, place.id, crowd.signal, persons.n, crowd.most
        FROM place
        JOIN (VALUES ('device', 'persons_per_device', v_rule.persons_per_device),
                     ('address', 'persons_per_address_per_day', v_rule.persons_per_address_per_day)
             ) AS crowd (kind, signal, most) ON crowd.kind = place.kind
        CROSS JOIN LATERAL (
            SELECT count(*) AS n FROM (
                SELECT FROM issuance.sighting o
                WHERE o.campaign_id = p_campaign AND o.kind = place.kind AND o.key_hash = place.key_hash
                LIMIT crowd.most + c_enough) seen
        ) persons
        WHERE persons.n > crowd.most
        UNION ALL
        SELECT place.bucket, place.id, 'wins_per_device', wins.n, v_rule.wins_per_device
        FROM place
        CROSS JOIN LATERAL (
            SELECT count(*) AS n FROM (
                SELECT FROM issuance.sighting o
                JOIN issuance.award a ON a.bucket = o.bucket AND a.person_id = o.person_id
                                     AND a.campaign_id = p_campaign
                WHERE o.campaign_id = p_campaign AND o.kind = 'device' AND o.key_hash = place.key_hash
                LIMIT v_rule.wins_per_device + c_enough) won
        ) wins
        WHERE place.kind = 'device' AND wins.n > v_rule.wins_per_device
        UNION ALL
        SELECT win.bucket, win.id, 'seconds_per_question', speed.n, v_rule.seconds_per_question_below
        FROM win
        JOIN issuance.draw d ON d.bucket = win.bucket AND d.id = win.draw_id
        JOIN issuance.chance ch ON ch.bucket = d.bucket AND ch.id = d.chance_id AND ch.channel = 'quiz'
        JOIN issuance.quiz_attempt t ON t.bucket = ch.bucket AND t.id = ch.source_id
        CROSS JOIN LATERAL (
            SELECT floor(extract(epoch FROM t.answered_at - t.started_at) / cardinality(t.question_ids))::bigint AS n
        ) speed
        WHERE speed.n < v_rule.seconds_per_question_below
    ), worst AS (
        SELECT DISTINCT ON (bucket, id, signal) * FROM signal ORDER BY bucket, id, signal, n DESC
    ), held AS (
        INSERT INTO issuance.award_hold (bucket, award_id, campaign_id, evidence, held_at)
        SELECT bucket, id, p_campaign,
               jsonb_agg(jsonb_build_object('signal', signal, 'observed', n, 'limit', most) ORDER BY signal), p_now
        FROM worst GROUP BY bucket, id
        RETURNING bucket, award_id
    )
    UPDATE issuance.award a SET held_at = p_now
    FROM held WHERE a.bucket = held.bucket AND a.id = held.award_id;
END
$$;

-- Decides about a held award, once: 'released' gives its winner the time back for which it was held,
-- 'rejected' gives it back to its phase's pool, as one that expired. Answers 'done'; 'decided' when somebody
-- else did before, or its winner was forgotten; 'not_found'. Locks the pool (of a rejection), then the award.
CREATE OR REPLACE FUNCTION issuance.decide_hold(
    p_now timestamptz, p_bucket smallint, p_award uuid, p_state text, p_by uuid, p_note text
) RETURNS text
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_phase uuid;
BEGIN
    SELECT a.phase_id INTO v_phase
    FROM issuance.award_hold h JOIN issuance.award a ON a.bucket = h.bucket AND a.id = h.award_id
    WHERE h.bucket = p_bucket AND h.award_id = p_award;
    IF v_phase IS NULL THEN
        RETURN 'not_found';
    END IF;
    IF p_state = 'rejected' THEN
        PERFORM FROM issuance.award_pool WHERE phase_id = v_phase FOR UPDATE;
    END IF;
    UPDATE issuance.award
    SET state = CASE p_state WHEN 'rejected' THEN 'expired' ELSE 'open' END, held_at = NULL,
        expires_at = CASE p_state WHEN 'rejected' THEN expires_at
                                  ELSE expires_at + greatest(p_now - held_at, interval '0') END
    WHERE bucket = p_bucket AND id = p_award AND state = 'open' AND held_at IS NOT NULL;
    IF NOT FOUND THEN
        RETURN 'decided';
    END IF;
    UPDATE issuance.award_hold SET state = p_state, decided_at = p_now, decided_by = p_by, note = p_note
    WHERE bucket = p_bucket AND award_id = p_award;
    UPDATE issuance.award_pool SET left_to_award = left_to_award + 1
    WHERE phase_id = v_phase AND p_state = 'rejected';
    RETURN 'done';
END
$$;

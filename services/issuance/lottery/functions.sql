-- Draws and the end of awards. The hot function takes many items and returns one row for each, in their
-- order: what was made, what an earlier request with the number had made, or the refusal by name. Refusals
-- never raise and leave nothing behind. A person is at most once in a batch (the batcher keeps its items
-- apart).
--
-- Locks: participants in the order of their key, the award pool of the phase, then request rows, then rows
-- that only the holder of these locks writes. Whoever voids a chance takes the participant's lock first.
--
-- Plans are kept per connection and made when the tables may still be empty: only index look-ups and nested
-- loops are allowed, so that an opening rush never runs on scans that were cheap a minute ago.

-- Draws in the open phase of a campaign. `p_inner` and `p_outer` are the keyed blocks of HMAC for the
-- phase's seed (as secret as the seed), `p_prefix` is "{slug}/{seq}/".
--
-- Items are taken in their order. As soon as nothing is left to award, every later one is refused, whether
-- it would have won or not: so a refusal tells nothing about the value, and chances keep their worth. With a
-- release plan, what it will not have released before an award of this moment expires is not there to be won.
-- Refusals, the first that applies:
--   request_no_reused, phase_not_open, campaign_paused, participation_excluded, identity_required, no_chance,
--   limit_reached (draws
--   today or, if limited, in this phase; vouchers and open awards of this phase), awards_exhausted.
CREATE OR REPLACE FUNCTION issuance.draw_batch(
    p_campaign uuid, p_phase uuid, p_inner bytea, p_outer bytea, p_prefix text, p_now timestamptz,
    p_bucket smallint[], p_person uuid[], p_request_no text[], p_fingerprint bytea[],
    p_draw uuid[], p_award uuid[], p_client_seed text[]
) RETURNS TABLE (
    outcome text, bucket smallint, draw_id uuid, won boolean, award_id uuid, award_expires_at timestamptz,
    chance_id uuid, client_seed text, odds_ppm bigint, seed_commitment text, value bytea
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_left bigint;
    v_day date;
    v_phase_refusal text;
    v_odds uuid;
    v_odds_ppm bigint;
    v_threshold bytea;
    v_draws_per_day bigint;
    v_vouchers_per_phase bigint;
    v_award_days bigint;
    v_draws_per_phase bigint;
    v_release_seconds bigint;
    v_opens_at timestamptz;
    v_closes_at timestamptz;
    v_refusal text[];
    v_excluded bigint[];
    v_chance uuid[];
    v_channel text[];
    v_drawn_day date[];
    v_drawn_no bigint[];
    v_made bigint[];
BEGIN
    PERFORM issuance.lock_participants(array_fill(p_campaign, ARRAY[cardinality(p_person)]), p_bucket, p_person);
    SELECT left_to_award INTO v_left FROM issuance.award_pool WHERE phase_id = p_phase FOR UPDATE;
    -- After the pool's lock: the log before the cut is sealed, or about to be, so no draw enters it any more,
    -- however late its clock.
    p_now := greatest(p_now, (SELECT at FROM issuance.draw_log_cut WHERE phase_id = p_phase));
    v_excluded := issuance.excluded_places(p_campaign, p_now, p_bucket, p_person);

    -- After the pool's lock: a phase whose seed is public draws no more.
    SELECT (p_now AT TIME ZONE c.timezone)::date, o.id, o.odds_ppm, o.threshold, t.draws_per_day, t.vouchers_per_phase,
           t.award_valid_days, t.draws_per_phase, ph.release_seconds, ph.opens_at, ph.closes_at,
           CASE WHEN c.status = 'ended' OR ph.id IS NULL THEN 'phase_not_open'
                WHEN c.status = 'paused' THEN 'campaign_paused'
           END
    INTO v_day, v_odds, v_odds_ppm, v_threshold, v_draws_per_day, v_vouchers_per_phase, v_award_days,
         v_draws_per_phase, v_release_seconds, v_opens_at, v_closes_at, v_phase_refusal
    FROM core.campaign c
    JOIN issuance.campaign_rules t ON t.campaign_id = c.id
    LEFT JOIN issuance.phase ph ON ph.id = p_phase AND ph.campaign_id = c.id AND ph.seed_revealed IS NULL
                               AND ph.opens_at <= p_now AND ph.closes_at > p_now
    LEFT JOIN LATERAL (
        SELECT id, odds_ppm, threshold FROM issuance.odds_version
        WHERE phase_id = ph.id AND effective_from <= p_now
        ORDER BY effective_from DESC LIMIT 1
    ) o ON true
    WHERE c.id = p_campaign;

    -- Claims move pieces from remaining to issued, so what a plan holds back stays the same under them.
    IF v_release_seconds IS NOT NULL THEN
        SELECT v_left - coalesce(sum(s.remaining - issuance.claimable(
                   s.remaining, s.issued - s.returned, s.release_amount, v_release_seconds, v_opens_at, v_closes_at,
                   p_now + make_interval(days => v_award_days::integer) - interval '1 microsecond')), 0)
        INTO v_left
        FROM issuance.phase_stock s
        WHERE s.phase_id = p_phase AND s.release_amount IS NOT NULL;
    END IF;

    -- Decide. Every row that counts here is written under the participant's lock, which is ours.
    SELECT array_agg(
               CASE WHEN EXISTS (SELECT FROM core.request r
                                 WHERE r.bucket = item.bucket AND r.caller_id = item.person_id
                                   AND r.operation = 'draw' AND r.request_no = item.request_no)
                    THEN 'known'
                    WHEN v_phase_refusal IS NOT NULL THEN v_phase_refusal
                    WHEN item.ord = ANY (v_excluded) THEN 'participation_excluded'
                    WHEN NOT EXISTS (SELECT FROM core.person p
                                     WHERE p.bucket = item.bucket AND p.id = item.person_id
                                       AND p.verified_at IS NOT NULL AND p.erased_at IS NULL)
                    THEN 'identity_required'
                    WHEN chance.id IS NULL THEN 'no_chance'
                    WHEN q.draws_day >= v_day AND q.draws_today >= v_draws_per_day
                      OR v_draws_per_phase IS NOT NULL
                         AND (SELECT count(*) FROM issuance.draw d
                              WHERE d.bucket = item.bucket AND d.campaign_id = p_campaign
                                AND d.person_id = item.person_id AND d.phase_id = p_phase)
                             >= v_draws_per_phase
                      OR (SELECT count(*) FROM issuance.award a
                          WHERE a.bucket = item.bucket AND a.person_id = item.person_id AND a.phase_id = p_phase
                            AND (a.state = 'claimed' OR a.state = 'open' AND (a.expires_at > p_now OR a.held_at IS NOT NULL)))
                         >= v_vouchers_per_phase
                    THEN 'limit_reached'
               END ORDER BY item.ord),
           array_agg(chance.id ORDER BY item.ord), array_agg(chance.channel ORDER BY item.ord),
           -- A day never goes back, also when the clocks of two processes disagree about midnight.
           array_agg(greatest(q.draws_day, v_day) ORDER BY item.ord),
           array_agg(CASE WHEN q.draws_day >= v_day THEN q.draws_today ELSE 0 END + 1 ORDER BY item.ord)
    INTO v_refusal, v_chance, v_channel, v_drawn_day, v_drawn_no
    FROM unnest(p_bucket, p_person, p_request_no) WITH ORDINALITY AS item (bucket, person_id, request_no, ord)
    LEFT JOIN issuance.participant q ON q.bucket = item.bucket AND q.campaign_id = p_campaign
                                    AND q.person_id = item.person_id
    LEFT JOIN LATERAL (
        SELECT c.id, c.channel FROM issuance.chance c
        WHERE c.bucket = item.bucket AND c.person_id = item.person_id AND c.campaign_id = p_campaign
          AND c.state = 'available'
        ORDER BY c.granted_at, c.id LIMIT 1
    ) chance ON true;

    WITH able AS MATERIALIZED (
        SELECT u.*, sha256(p_outer || sha256(p_inner || convert_to(
                   p_prefix || core.hot_id_text(u.bucket, u.chance_id) || '/' || u.client_seed, 'UTF8'))) AS value
        FROM unnest(p_bucket, p_person, p_request_no, p_fingerprint, p_draw, p_award, p_client_seed,
                    v_refusal, v_chance, v_channel, v_drawn_day, v_drawn_no) WITH ORDINALITY
             AS u (bucket, person_id, request_no, fingerprint, draw_id, award_id, client_seed,
                   refusal, chance_id, channel, day, day_no, ord)
        WHERE u.refusal IS NULL
    ), judged AS (
        SELECT able.*, v_threshold IS NULL OR substring(value FROM 1 FOR 8) < v_threshold AS won FROM able
    ), placed AS (
        SELECT judged.*, count(*) FILTER (WHERE won) OVER before AS wins_before FROM judged
        WINDOW before AS (ORDER BY ord ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
    ), fresh AS (
        INSERT INTO core.request (
            bucket, caller_id, operation, request_no, fingerprint, result_bucket, result_id, created_at)
        SELECT bucket, person_id, 'draw', request_no, fingerprint, bucket, draw_id, p_now
        FROM placed
        WHERE wins_before < v_left
        ORDER BY bucket, person_id
        ON CONFLICT DO NOTHING
        RETURNING result_id
    ), made AS (
        SELECT placed.* FROM placed WHERE placed.draw_id = ANY (ARRAY(SELECT result_id FROM fresh))
    ), drawn AS (
        INSERT INTO issuance.draw (
            bucket, id, campaign_id, phase_id, person_id, chance_id, channel, client_seed,
            odds_version_id, value, won, drawn_at, day, day_no)
        SELECT bucket, draw_id, p_campaign, p_phase, person_id, chance_id, channel, client_seed, v_odds, value,
               won, p_now, day, day_no
        FROM made
    ), spent AS (
        UPDATE issuance.chance c SET state = 'drawn', draw_id = made.draw_id
        FROM made WHERE c.bucket = made.bucket AND c.id = made.chance_id
    ), counted AS (
        UPDATE issuance.participant q SET draws_day = made.day, draws_today = made.day_no
        FROM made
        WHERE q.bucket = made.bucket AND q.campaign_id = p_campaign AND q.person_id = made.person_id
    ), awarded AS (
        INSERT INTO issuance.award (
            bucket, id, campaign_id, phase_id, person_id, draw_id, won_at, expires_at)
        SELECT bucket, award_id, p_campaign, p_phase, person_id, draw_id, p_now,
               p_now + make_interval(days => v_award_days::integer)
        FROM made WHERE won
    ), taken AS (
        UPDATE issuance.award_pool SET left_to_award = left_to_award - win.n
        FROM (SELECT count(*) AS n FROM made WHERE won) win
        WHERE phase_id = p_phase AND win.n > 0
    ), tallied AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
        SELECT p_campaign, v_day, 'draw', CASE WHEN won THEN 'won' ELSE 'lost' END, channel, count(*)
        FROM made GROUP BY won, channel
        UNION ALL
        -- How many draws each of the odds had, by way: what the announced odds led to expect.
        SELECT p_campaign, v_day, 'draw_at_odds', v_odds_ppm::text, channel, count(*)
        FROM made GROUP BY channel
    )
    SELECT coalesce(array_agg(ord), '{}') INTO v_made FROM made;
    PERFORM issuance.hold_wins(p_campaign, p_now, p_bucket, p_award);

    RETURN QUERY
    WITH item AS MATERIALIZED (
        SELECT * FROM unnest(p_bucket, p_person, p_request_no, p_fingerprint, p_draw, v_refusal) WITH ORDINALITY
            AS u (bucket, person_id, request_no, fingerprint, draw_id, refusal, ord)
        ORDER BY bucket, person_id
    ), replay AS (
        UPDATE core.request r SET replays = replays + 1
        FROM item
        WHERE item.ord <> ALL (v_made) AND r.bucket = item.bucket AND r.caller_id = item.person_id
          AND r.operation = 'draw' AND r.request_no = item.request_no
        RETURNING item.ord, r.result_id, r.fingerprint = item.fingerprint AS same
    ), ended AS MATERIALIZED (
        SELECT item.ord, item.bucket,
               CASE WHEN item.ord = ANY (v_made) THEN 'created'
                    WHEN replay.same THEN 'replayed'
                    WHEN replay.ord IS NOT NULL THEN 'request_no_reused'
                    ELSE coalesce(item.refusal, 'awards_exhausted')
               END AS outcome,
               CASE WHEN replay.ord IS NULL THEN item.draw_id WHEN replay.same THEN replay.result_id END AS id
        FROM item LEFT JOIN replay ON replay.ord = item.ord
    )
    SELECT ended.outcome, d.bucket, d.id, d.won, a.id, a.expires_at, d.chance_id, d.client_seed, o.odds_ppm,
           ph.seed_commitment, d.value
    FROM ended
    LEFT JOIN issuance.draw d ON d.bucket = ended.bucket AND d.id = ended.id
    LEFT JOIN issuance.odds_version o ON o.id = d.odds_version_id
    LEFT JOIN issuance.phase ph ON ph.id = d.phase_id
    LEFT JOIN issuance.award a ON a.bucket = d.bucket AND a.draw_id = d.id
    ORDER BY ended.ord;
END
$$;

-- Ends open awards whose time is over, at most `p_limit` of one phase, and gives them back to its pool.
-- Awards that a claim holds at this moment are left for the next call, held ones until somebody has decided.
-- Returns how many ended.
CREATE OR REPLACE FUNCTION issuance.expire_awards(p_now timestamptz, p_limit integer) RETURNS integer
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_phase uuid;
    v_ended integer;
BEGIN
    SELECT phase_id INTO v_phase FROM issuance.award
    WHERE state = 'open' AND held_at IS NULL AND expires_at <= p_now
    ORDER BY expires_at LIMIT 1;
    IF v_phase IS NULL THEN
        RETURN 0;
    END IF;
    PERFORM FROM issuance.award_pool WHERE phase_id = v_phase FOR UPDATE;
    WITH due AS (
        SELECT bucket, id FROM issuance.award
        WHERE phase_id = v_phase AND state = 'open' AND held_at IS NULL AND expires_at <= p_now
        ORDER BY expires_at LIMIT p_limit
        FOR UPDATE SKIP LOCKED
    ), ended AS (
        UPDATE issuance.award a SET state = 'expired'
        FROM due WHERE a.bucket = due.bucket AND a.id = due.id AND a.state = 'open'
        RETURNING a.id
    )
    SELECT count(*) INTO v_ended FROM ended;
    UPDATE issuance.award_pool SET left_to_award = left_to_award + v_ended
    WHERE phase_id = v_phase AND v_ended > 0;
    RETURN v_ended;
END
$$;

-- Claims. The hot function takes many items and returns one row for each, in their order: what was made,
-- what an earlier request with the number had made, or the refusal by name. Refusals never raise and leave
-- nothing behind. A person is at most once in a batch (the batcher keeps its items apart).
--
-- Locks: stock rows in the order of their key, awards in the order of theirs, then request rows.
--
-- Plans are kept per connection and made when the tables may still be empty: only index look-ups and nested
-- loops are allowed, so that an opening rush never runs on scans that were cheap a minute ago.

-- How many of a type's remaining pieces can be claimed at a moment under a release plan: `p_amount` at the
-- opening and as many more at each step from it, everything from the closing on. The SQL twin of
-- services.issuance.phases.rules.Release.claimable; a test holds the two together.
CREATE OR REPLACE FUNCTION issuance.claimable(
    p_remaining bigint, p_issued bigint, p_amount bigint, p_seconds bigint, p_opens_at timestamptz,
    p_closes_at timestamptz, p_at timestamptz
) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN p_at >= p_closes_at THEN p_remaining
                WHEN p_at < p_opens_at THEN 0
                ELSE greatest(0, least(p_remaining, p_amount
                         * (floor(extract(epoch FROM p_at - p_opens_at) / p_seconds)::bigint + 1) - p_issued))
           END
$$;

-- Turns open awards into vouchers of the types that their winners chose. What remains of a type goes to the
-- claims in their order. Refusals, the first that applies:
--   request_no_reused, not_found (never was, or somebody else's), voucher_type_unknown, award_already_claimed,
--   award_on_hold, award_withdrawn, award_expired, limit_reached (vouchers of this phase or, if limited, of this type in the campaign),
--   out_of_stock or not_released (the release plan holds back what is left); the award stays open.
-- `p_sent_at` is the machine's time, for the outbox.
CREATE OR REPLACE FUNCTION issuance.claim_batch(
    p_now timestamptz, p_sent_at timestamptz, p_bucket smallint[], p_person uuid[], p_award uuid[],
    p_type text[], p_request_no text[], p_fingerprint bytea[], p_voucher uuid[], p_code_hash bytea[],
    p_code_sealed bytea[], p_outbox uuid[]
) RETURNS TABLE (
    outcome text, bucket smallint, voucher_id uuid, campaign text, voucher_type text, name text, kind text,
    amount_fen bigint, code_sealed bytea, valid_from timestamptz, valid_until timestamptz
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_refusal text[];
    v_made bigint[];
    v_issue record;
BEGIN
    PERFORM FROM issuance.phase_stock s
    WHERE (s.phase_id, s.voucher_type) IN (
        SELECT a.phase_id, item.voucher_type
        FROM unnest(p_bucket, p_award, p_person, p_type) AS item (bucket, award_id, person_id, voucher_type)
        JOIN issuance.award a ON a.bucket = item.bucket AND a.id = item.award_id AND a.person_id = item.person_id)
    ORDER BY s.phase_id, s.voucher_type
    FOR UPDATE;
    -- All awards of the winner in the campaign: of two claims of one person, one waits for the other.
    PERFORM FROM issuance.award a
    JOIN (
        SELECT mine.bucket, mine.person_id, mine.campaign_id
        FROM unnest(p_bucket, p_award, p_person) AS item (bucket, award_id, person_id)
        JOIN issuance.award mine ON mine.bucket = item.bucket AND mine.id = item.award_id
                                AND mine.person_id = item.person_id
    ) winner ON winner.bucket = a.bucket AND winner.person_id = a.person_id
             AND winner.campaign_id = a.campaign_id
    ORDER BY a.bucket, a.id
    FOR UPDATE OF a;

    SELECT array_agg(
               CASE WHEN EXISTS (SELECT FROM core.request r
                                 WHERE r.bucket = item.bucket AND r.caller_id = item.person_id
                                   AND r.operation = 'claim' AND r.request_no = item.request_no)
                    THEN 'known'
                    WHEN a.id IS NULL THEN 'not_found'
                    WHEN NOT EXISTS (SELECT FROM core.voucher_type t
                                     WHERE t.campaign_id = a.campaign_id AND t.key = item.voucher_type)
                    THEN 'voucher_type_unknown'
                    WHEN a.state = 'claimed' THEN 'award_already_claimed'
                    WHEN a.held_at IS NOT NULL THEN 'award_on_hold'
                    WHEN a.state = 'expired'
                         AND EXISTS (SELECT FROM issuance.award_hold h
                                     WHERE h.bucket = a.bucket AND h.award_id = a.id AND h.state = 'rejected')
                    THEN 'award_withdrawn'
                    WHEN a.state = 'expired' OR a.expires_at <= p_now THEN 'award_expired'
                    WHEN (SELECT count(*) FROM issuance.award other
                          WHERE other.bucket = a.bucket AND other.person_id = a.person_id
                            AND other.phase_id = a.phase_id AND other.state = 'claimed')
                         >= t.vouchers_per_phase
                      OR t.vouchers_per_type IS NOT NULL
                         AND (SELECT count(*) FROM issuance.award other
                              WHERE other.bucket = a.bucket AND other.person_id = a.person_id
                                AND other.campaign_id = a.campaign_id AND other.state = 'claimed'
                                AND other.voucher_type = item.voucher_type)
                             >= t.vouchers_per_type
                    THEN 'limit_reached'
               END ORDER BY item.ord)
    INTO v_refusal
    FROM unnest(p_bucket, p_person, p_award, p_type, p_request_no) WITH ORDINALITY
         AS item (bucket, person_id, award_id, voucher_type, request_no, ord)
    LEFT JOIN issuance.award a ON a.bucket = item.bucket AND a.id = item.award_id AND a.person_id = item.person_id
    LEFT JOIN issuance.campaign_rules t ON t.campaign_id = a.campaign_id;

    WITH able AS MATERIALIZED (
        SELECT u.*, a.phase_id,
               CASE WHEN s.release_amount IS NULL THEN s.remaining
                    ELSE (SELECT issuance.claimable(s.remaining, s.issued - s.returned, s.release_amount, ph.release_seconds,
                                                    ph.opens_at, ph.closes_at, p_now)
                          FROM issuance.phase ph WHERE ph.id = a.phase_id)
               END AS remaining,
               row_number() OVER (PARTITION BY a.phase_id, u.voucher_type ORDER BY u.ord) AS place
        FROM unnest(p_bucket, p_person, p_award, p_type, p_request_no, p_fingerprint, p_voucher, p_outbox, v_refusal)
             WITH ORDINALITY AS u (bucket, person_id, award_id, voucher_type, request_no, fingerprint, voucher_id,
                                   outbox_id, refusal, ord)
        JOIN issuance.award a ON a.bucket = u.bucket AND a.id = u.award_id
        JOIN issuance.phase_stock s ON s.phase_id = a.phase_id AND s.voucher_type = u.voucher_type
        WHERE u.refusal IS NULL
    ), fresh AS (
        INSERT INTO core.request (
            bucket, caller_id, operation, request_no, fingerprint, result_bucket, result_id, created_at)
        SELECT bucket, person_id, 'claim', request_no, fingerprint, bucket, voucher_id, p_now
        FROM able
        WHERE place <= remaining
        ORDER BY bucket, person_id
        ON CONFLICT DO NOTHING
        RETURNING result_id
    ), made AS (
        SELECT able.* FROM able WHERE able.voucher_id = ANY (ARRAY(SELECT result_id FROM fresh))
    ), claimed AS (
        UPDATE issuance.award a
        SET state = 'claimed', claimed_at = p_now, voucher_id = made.voucher_id, voucher_type = made.voucher_type
        FROM made WHERE a.bucket = made.bucket AND a.id = made.award_id
    ), taken AS (
        UPDATE issuance.phase_stock s SET remaining = s.remaining - sold.n, issued = s.issued + sold.n
        FROM (SELECT phase_id, voucher_type, count(*) AS n FROM made GROUP BY phase_id, voucher_type) sold
        WHERE s.phase_id = sold.phase_id AND s.voucher_type = sold.voucher_type
    ), counted AS (
        -- By the way in which the chance was earned, which has its own line in every figure.
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, n)
        SELECT d.campaign_id, (p_now AT TIME ZONE c.timezone)::date, 'issue_way', d.channel, count(*)
        FROM made
        JOIN issuance.award a ON a.bucket = made.bucket AND a.id = made.award_id
        JOIN issuance.draw d ON d.bucket = a.bucket AND d.id = a.draw_id
        JOIN core.campaign c ON c.id = d.campaign_id
        GROUP BY d.campaign_id, c.timezone, d.channel
    ), told AS (
        INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)
        SELECT bucket, outbox_id, 'issuance', 'issuance.voucher_issued',
               jsonb_build_object('voucher_id', core.hot_id_text(bucket, voucher_id)), p_sent_at, p_sent_at
        FROM made
    )
    SELECT coalesce(array_agg(ord), '{}') INTO v_made FROM made;

    FOR v_issue IN
        SELECT a.campaign_id, ph.seq, u.voucher_type, array_agg(u.bucket) AS bucket, array_agg(u.id) AS id,
               array_agg(u.person_id) AS person, array_agg(u.award_id) AS source,
               array_agg(u.code_hash) AS code_hash, array_agg(u.code_sealed) AS code_sealed
        FROM unnest(p_bucket, p_voucher, p_person, p_award, p_type, p_code_hash, p_code_sealed) WITH ORDINALITY
             AS u (bucket, id, person_id, award_id, voucher_type, code_hash, code_sealed, ord)
        JOIN issuance.award a ON a.bucket = u.bucket AND a.id = u.award_id
        JOIN issuance.phase ph ON ph.id = a.phase_id
        WHERE u.ord = ANY (v_made)
        GROUP BY a.campaign_id, ph.seq, u.voucher_type
    LOOP
        PERFORM core.vouchers_issue(
            v_issue.campaign_id, v_issue.seq, v_issue.voucher_type, p_now, v_issue.bucket, v_issue.id,
            v_issue.person, v_issue.source, v_issue.code_hash, v_issue.code_sealed, 'citizen');
    END LOOP;

    RETURN QUERY
    WITH item AS MATERIALIZED (
        SELECT * FROM unnest(p_bucket, p_person, p_award, p_type, p_request_no, p_fingerprint, p_voucher, v_refusal)
            WITH ORDINALITY AS u (bucket, person_id, award_id, voucher_type, request_no, fingerprint, voucher_id,
                                  refusal, ord)
        ORDER BY bucket, person_id
    ), replay AS (
        UPDATE core.request r SET replays = replays + 1
        FROM item
        WHERE item.ord <> ALL (v_made) AND r.bucket = item.bucket AND r.caller_id = item.person_id
          AND r.operation = 'claim' AND r.request_no = item.request_no
        RETURNING item.ord, r.result_id, r.fingerprint = item.fingerprint AS same
    ), ended AS MATERIALIZED (
        SELECT item.ord, item.bucket,
               CASE WHEN item.ord = ANY (v_made) THEN 'created'
                    WHEN replay.same THEN 'replayed'
                    WHEN replay.ord IS NOT NULL THEN 'request_no_reused'
                    WHEN item.refusal IS NOT NULL THEN item.refusal
                    WHEN EXISTS (SELECT FROM issuance.award a
                                 JOIN issuance.phase_stock s
                                     ON s.phase_id = a.phase_id AND s.voucher_type = item.voucher_type
                                 WHERE a.bucket = item.bucket AND a.id = item.award_id
                                   AND s.release_amount IS NOT NULL AND s.remaining > 0)
                    THEN 'not_released'
                    ELSE 'out_of_stock'
               END AS outcome,
               CASE WHEN replay.ord IS NULL THEN item.voucher_id WHEN replay.same THEN replay.result_id END AS id
        FROM item LEFT JOIN replay ON replay.ord = item.ord
    )
    SELECT ended.outcome, v.bucket, v.id, c.slug, v.voucher_type, t.name, v.kind, v.amount_fen, v.code_sealed,
           v.valid_from, v.valid_until
    FROM ended
    LEFT JOIN core.voucher v ON v.bucket = ended.bucket AND v.id = ended.id
    LEFT JOIN core.campaign c ON c.id = v.campaign_id
    LEFT JOIN core.voucher_type t ON t.campaign_id = v.campaign_id AND t.key = v.voucher_type
    ORDER BY ended.ord;
END
$$;

-- The write-off: set-based, one outcome for each item, business refusals never raise.
--
-- Lock order: nonces, requests, vouchers, redemptions; rows of one table in the order of their key. An
-- item that waits for another transaction (same request number, same voucher) therefore holds nothing
-- that this other one could still want. Terminals, institutions and memberships are read, never locked:
-- a pause bites for every statement that begins after its commit.
--
-- Only index probes, from the items outwards, in the order in which the joins are written: the planner takes a
-- batch for a row or two, and on a young or a small directory it would rather read all of a campaign's members
-- and their terminals for each item (5,760 rows instead of 64).

-- Why these items cannot be redeemed as the rows are now (`word`; NULL: nothing speaks against it), in
-- the order of precedence of the API: what a stranger may learn comes first (not found, not eligible),
-- then what the till must enter, then the state of terminal, institution and voucher. `p_entered` is
-- false for a mere look at the voucher: then neither bill nor operator is asked for. Locks nothing.
-- Till 0.1 without `p_operator`; only this file calls it.
DROP FUNCTION IF EXISTS redemption.judge(
    text[], smallint[], bytea[], boolean[], bigint[], timestamptz[], boolean);
CREATE OR REPLACE FUNCTION redemption.judge(
    p_key_id text[], p_bucket smallint[], p_code_hash bytea[], p_token_expired boolean[],
    p_bill_fen bigint[], p_operator text[], p_at timestamptz[], p_entered boolean
) RETURNS TABLE (
    ord integer, word text, bucket smallint, voucher_id uuid, campaign_id uuid, voucher_type text,
    kind text, amount_fen bigint, valid_until timestamptz, person_id uuid, institution_id text
)
LANGUAGE sql STABLE AS $$
    SELECT item.ord::integer,
           CASE
               WHEN t.status IS NULL OR t.status NOT IN ('active', 'paused') THEN 'bad_signature'
               WHEN v.id IS NULL THEN 'voucher_not_found'
               WHEN (v.voucher_type = ANY (m.accepts)) IS NOT TRUE OR i.status = 'closed'
                   THEN 'institution_not_eligible'
               WHEN p_entered AND v.kind = 'general' AND coalesce(item.bill_fen, 0) = 0
                   THEN 'bill_fen_required'
               WHEN p_entered AND told.word IS NOT NULL THEN told.word
               WHEN t.status = 'paused' THEN 'terminal_paused'
               WHEN i.status = 'paused' THEN 'institution_paused'
               WHEN v.state = 'revoked' THEN 'voucher_revoked'
               WHEN v.state = 'redeemed' THEN 'already_redeemed'
               WHEN v.valid_from > item.at THEN 'not_yet_valid'
               WHEN v.state = 'expired' OR v.valid_until <= item.at THEN 'voucher_expired'
               WHEN item.token_expired THEN 'token_expired'
           END,
           v.bucket, v.id, v.campaign_id, v.voucher_type, v.kind,
           least(v.amount_fen, contract.price_fen), v.valid_until, v.person_id, t.institution_id
    FROM unnest(p_key_id, p_bucket, p_code_hash, p_token_expired, p_bill_fen, p_operator, p_at)
        WITH ORDINALITY AS item (key_id, bucket, code_hash, token_expired, bill_fen, operator, at, ord)
    LEFT JOIN core.voucher v ON v.bucket = item.bucket AND v.code_hash = item.code_hash
    LEFT JOIN redemption.terminal t ON t.id = item.key_id
    LEFT JOIN redemption.institution i ON i.id = t.institution_id
    LEFT JOIN redemption.membership m ON m.institution_id = t.institution_id AND m.campaign_id = v.campaign_id
    CROSS JOIN LATERAL redemption.operator_word(i.id, t.id, item.operator, i.operators_required) AS told
    LEFT JOIN LATERAL (
        SELECT p.price_fen FROM redemption.contract_price p
        WHERE v.kind = 'directed' AND p.institution_id = t.institution_id AND p.campaign_id = v.campaign_id
          AND p.voucher_type = v.voucher_type AND p.effective_from <= item.at
        ORDER BY p.effective_from DESC, p.version DESC LIMIT 1
    ) AS contract ON true
$$;

-- Uses nonces up and judges. Writes nothing but the nonces.
CREATE OR REPLACE FUNCTION redemption.verify_batch(
    p_key_id text[], p_nonce text[], p_again boolean[], p_nonce_expires_at timestamptz,
    p_bucket smallint[], p_code_hash bytea[], p_token_expired boolean[], p_bill_fen bigint[],
    p_now timestamptz
) RETURNS TABLE (
    ord integer, word text, voucher_type text, kind text, amount_fen bigint, valid_until timestamptz,
    holder_masked text
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET join_collapse_limit = 1 AS $$
#variable_conflict use_column
DECLARE
    v_stale integer[] := redemption.stale_nonces(p_key_id, p_nonce, p_again, p_nonce_expires_at);
BEGIN
    RETURN QUERY
    SELECT found.ord,
           CASE WHEN found.ord = ANY (v_stale) THEN 'replayed_nonce' ELSE found.word END,
           found.voucher_type, found.kind, found.amount_fen, found.valid_until, p.name_masked
    FROM redemption.judge(
        p_key_id, p_bucket, p_code_hash, p_token_expired, p_bill_fen, NULL,
        array_fill(p_now, ARRAY[cardinality(p_key_id)]), false) AS found
    LEFT JOIN core.person p ON p.bucket = found.bucket AND p.id = found.person_id;
END
$$;

-- Writes vouchers off. For each item one row:
--   created, replayed         with the redemption as it was answered first;
--   request_no_reused         the number was used for another body;
--   reversed_before_arrival   its reversal came first and blocked the number;
--   replayed_nonce            the signed request was used before;
--   any other word            the refusal; its request row is gone again, so the number is free.
-- `p_again` marks items that this process tried before without getting an answer: their own nonce is
-- no replay. Without nonces (`p_nonce` NULL) the caller has used its own up, as an offline batch does.
-- `p_word` is a refusal that is known beforehand but must not hide a replay (too_late).
-- No two items may have the same caller and request number.
-- Till 0.1 without `p_operator`; code of that time calls the one below just as well.
DROP FUNCTION IF EXISTS redemption.redeem_batch(
    text[], text[], boolean[], timestamptz, smallint[], uuid[], text[], bytea[], smallint[], bytea[], boolean[],
    bigint[], timestamptz[], text[], uuid[], text, timestamptz, timestamptz);
CREATE OR REPLACE FUNCTION redemption.redeem_batch(
    p_key_id text[], p_nonce text[], p_again boolean[], p_nonce_expires_at timestamptz,
    p_caller_bucket smallint[], p_caller uuid[], p_request_no text[], p_fingerprint bytea[],
    p_bucket smallint[], p_code_hash bytea[], p_token_expired boolean[], p_bill_fen bigint[],
    p_used_at timestamptz[], p_word text[], p_redemption uuid[], p_source text,
    p_now timestamptz, p_machine_now timestamptz, p_operator text[] DEFAULT NULL
) RETURNS TABLE (
    ord integer, outcome text, bucket smallint, id uuid, voucher_type text,
    applied_fen bigint, payable_fen bigint, redeemed_at timestamptz
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET join_collapse_limit = 1 AS $$
#variable_conflict use_column
DECLARE
    v_stale integer[] := redemption.stale_nonces(p_key_id, p_nonce, p_again, p_nonce_expires_at);
    v_fresh integer[];
    v_known integer[];
    v_known_outcome text[];
    v_known_bucket smallint[];
    v_known_id uuid[];
    v_made bigint;
BEGIN
    RETURN QUERY
    SELECT stale, 'replayed_nonce', NULL::smallint, NULL::uuid, NULL::text, NULL::bigint, NULL::bigint,
           NULL::timestamptz
    FROM unnest(v_stale) AS stale;

    -- A known number is recognised before anything else is looked at. Waits for a request with the
    -- number that is under way. A repetition writes (it counts itself), so that its commit proves the
    -- original durable. The address of the write-off to be is part of the row from the start.
    WITH item AS (
        SELECT * FROM unnest(p_caller_bucket, p_caller, p_request_no, p_fingerprint, p_bucket, p_redemption)
            WITH ORDINALITY AS u (caller_bucket, caller, request_no, fingerprint, bucket, redemption, ord)
    ), claimed AS (
        INSERT INTO core.request AS r (
            bucket, caller_id, operation, request_no, fingerprint, result_bucket, result_id, created_at)
        SELECT caller_bucket, caller, 'redemption', request_no, fingerprint, bucket, redemption, p_now
        FROM item
        WHERE ord <> ALL (v_stale)
        ORDER BY caller_bucket, caller, request_no
        ON CONFLICT (bucket, caller_id, operation, request_no) DO UPDATE SET replays = r.replays + 1
        RETURNING r.bucket, r.caller_id, r.request_no, r.fingerprint, r.result_bucket, r.result_id,
                  r.blocked, r.replays
    ), judged AS (
        SELECT item.ord::integer AS ord, c.result_bucket, c.result_id, c.replays = 0 AND NOT c.blocked AS fresh,
               CASE WHEN c.blocked THEN 'reversed_before_arrival'
                    WHEN c.fingerprint <> item.fingerprint THEN 'request_no_reused'
                    ELSE 'replayed' END AS outcome
        FROM claimed c
        JOIN item ON item.caller_bucket = c.bucket AND item.caller = c.caller_id
                 AND item.request_no = c.request_no
    )
    SELECT coalesce(array_agg(ord) FILTER (WHERE fresh), '{}'),
           array_agg(ord) FILTER (WHERE NOT fresh), array_agg(judged.outcome) FILTER (WHERE NOT fresh),
           array_agg(result_bucket) FILTER (WHERE NOT fresh), array_agg(result_id) FILTER (WHERE NOT fresh)
    INTO v_fresh, v_known, v_known_outcome, v_known_bucket, v_known_id
    FROM judged;

    IF v_known IS NOT NULL THEN
        RETURN QUERY
        SELECT known.ord,
               CASE WHEN known.outcome = 'replayed' AND r.used_at <> p_used_at[known.ord]
                    THEN 'request_no_reused' ELSE known.outcome END,
               r.bucket, r.id, r.voucher_type, r.applied_fen, r.payable_fen, r.redeemed_at
        FROM unnest(v_known, v_known_outcome, v_known_bucket, v_known_id)
            AS known (ord, outcome, bucket, id)
        LEFT JOIN redemption.redemption r ON r.bucket = known.bucket AND r.id = known.id;
    END IF;

    -- What decides before the voucher's own state: facts of the voucher that never change, and who asks.
    -- The conditional update of core.vouchers_redeem decides the rest.
    RETURN QUERY
    WITH chosen AS MATERIALIZED (
        SELECT item.ord::integer AS ord, v.bucket, v.id AS voucher_id, v.campaign_id, v.voucher_type, v.kind,
               t.id AS terminal_id, t.institution_id, item.redemption, item.request_no, item.bill_fen,
               item.used_at, least(coalesce(item.used_at, p_now), p_now) AS at, contract.price_fen,
               item.operator
        FROM unnest(p_key_id, p_bucket, p_code_hash, p_token_expired, p_bill_fen, p_used_at, p_word,
                    p_redemption, p_request_no, p_operator) WITH ORDINALITY
            AS item (key_id, bucket, code_hash, token_expired, bill_fen, used_at, word, redemption,
                     request_no, operator, ord)
        JOIN core.voucher v ON v.bucket = item.bucket AND v.code_hash = item.code_hash
        JOIN redemption.terminal t ON t.id = item.key_id AND t.status = 'active'
        JOIN redemption.institution i ON i.id = t.institution_id AND i.status = 'active'
        JOIN redemption.membership m ON m.institution_id = t.institution_id AND m.campaign_id = v.campaign_id
        CROSS JOIN LATERAL redemption.operator_word(i.id, t.id, item.operator, i.operators_required) AS told
        -- By contract, or NULL. It was written before it began, so that whoever asks for a moment always
        -- gets the same answer.
        LEFT JOIN LATERAL (
            SELECT p.price_fen FROM redemption.contract_price p
            WHERE v.kind = 'directed' AND p.institution_id = t.institution_id AND p.campaign_id = v.campaign_id
              AND p.voucher_type = v.voucher_type AND p.effective_from <= least(coalesce(item.used_at, p_now), p_now)
            ORDER BY p.effective_from DESC, p.version DESC LIMIT 1
        ) AS contract ON true
        WHERE item.ord = ANY (v_fresh) AND item.word IS NULL AND NOT item.token_expired
          AND v.voucher_type = ANY (m.accepts) AND (v.kind = 'directed' OR item.bill_fen > 0)
          AND told.word IS NULL
    ), given AS (
        SELECT array_agg(ord ORDER BY bucket, voucher_id) AS ords,
               array_agg(bucket ORDER BY bucket, voucher_id) AS buckets,
               array_agg(voucher_id ORDER BY bucket, voucher_id) AS vouchers,
               array_agg(institution_id ORDER BY bucket, voucher_id) AS institutions,
               array_agg('terminal:' || terminal_id ORDER BY bucket, voucher_id) AS actors,
               array_agg(redemption ORDER BY bucket, voucher_id) AS redemptions,
               array_agg(at ORDER BY bucket, voucher_id) AS ats,
               array_agg(CASE kind WHEN 'general' THEN bill_fen ELSE price_fen END
                         ORDER BY bucket, voucher_id) AS bills
        FROM chosen
    ), done AS (
        SELECT redeemed.*
        FROM given, core.vouchers_redeem(
            ords, buckets, vouchers, institutions, actors, redemptions, ats, bills, p_now) AS redeemed
    ), made AS (
        INSERT INTO redemption.redemption AS r (
            bucket, id, voucher_id, institution_id, terminal_id, campaign_id, voucher_type, kind, request_no,
            bill_fen, applied_fen, payable_fen, split_fen, used_at, redeemed_at, received_at, source, operator)
        SELECT bucket, redemption, voucher_id, institution_id, terminal_id, campaign_id, voucher_type, kind,
               request_no, bill_fen, done.applied_fen,
               CASE kind WHEN 'general' THEN bill_fen - done.applied_fen ELSE 0 END, done.split_fen,
               used_at, at, p_now, p_source, chosen.operator
        FROM done JOIN chosen ON chosen.ord = done.ord
        ORDER BY bucket, redemption
        RETURNING r.bucket, r.id, r.voucher_id, r.voucher_type, r.applied_fen, r.payable_fen, r.redeemed_at
    ), announced AS (
        -- The rows' ids follow from the write-off's: to draw random ones would cost 10 µs each.
        INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)
        SELECT made.bucket, told.id, told.queue, told.kind, told.payload, p_machine_now, p_machine_now
        FROM made CROSS JOIN LATERAL (VALUES
            (md5('voucher ' || made.id::text)::uuid, 'issuance', 'issuance.voucher_redeemed',
             jsonb_build_object('voucher_id', core.hot_id_text(made.bucket, made.voucher_id))),
            (made.id, 'redemption', 'redemption.redemption_counted',
             jsonb_build_object('redemption_id', core.hot_id_text(made.bucket, made.id)))
        ) AS told (id, queue, kind, payload)
    )
    SELECT chosen.ord, 'created', made.bucket, made.id, made.voucher_type, made.applied_fen,
           made.payable_fen, made.redeemed_at
    FROM made JOIN chosen ON chosen.redemption = made.id;

    GET DIAGNOSTICS v_made = ROW_COUNT;
    IF v_made = cardinality(v_fresh) THEN
        RETURN;
    END IF;

    -- The misses, as the rows are now: this statement sees what committed while the update waited. One
    -- that finds nothing any more was missed for a write-off that has been reversed since.
    RETURN QUERY
    WITH missed AS (
        SELECT found.ord, coalesce(p_word[found.ord], found.word, 'already_redeemed') AS word
        FROM redemption.judge(
            p_key_id, p_bucket, p_code_hash, p_token_expired, p_bill_fen, p_operator,
            (SELECT array_agg(least(coalesce(told, p_now), p_now) ORDER BY place)
             FROM unnest(p_used_at) WITH ORDINALITY AS u (told, place)), true) AS found
        LEFT JOIN redemption.redemption r
            ON r.bucket = p_bucket[found.ord] AND r.id = p_redemption[found.ord]
        WHERE found.ord = ANY (v_fresh) AND r.id IS NULL
    ), freed AS (
        DELETE FROM core.request q
        USING missed
        WHERE q.bucket = p_caller_bucket[missed.ord] AND q.caller_id = p_caller[missed.ord]
          AND q.operation = 'redemption' AND q.request_no = p_request_no[missed.ord]
    )
    SELECT missed.ord, missed.word, NULL::smallint, NULL::uuid, NULL::text, NULL::bigint, NULL::bigint,
           NULL::timestamptz
    FROM missed;
END
$$;

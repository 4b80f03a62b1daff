-- The reversal: set-based, one outcome for each item, business refusals never raise.
--
-- Lock order as in the write-off: nonces, requests, vouchers, redemptions; rows of one table in the order
-- of their key. No two items of a call may be of the same institution.

-- The write-offs that these numbers mean: the terminal's own first, else one of the institution's other
-- terminals (or of the one that is named), the live one before a reversed one. `ambiguous` when several
-- other terminals have a live one. Locks nothing.
CREATE OR REPLACE FUNCTION redemption.originals(
    p_ord integer[], p_caller uuid[], p_institution text[], p_original text[], p_original_terminal text[]
) RETURNS TABLE (ord integer, bucket smallint, id uuid, ambiguous boolean)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (found.ord) found.ord, found.bucket, found.id,
           NOT own AND live AND count(*) FILTER (WHERE live) OVER (PARTITION BY found.ord) > 1
    FROM (
        SELECT item.ord, r.bucket, r.id, t.caller_id = item.caller AS own, r.state = 'redeemed' AS live
        FROM unnest(p_ord, p_caller, p_institution, p_original, p_original_terminal)
            AS item (ord, caller, institution_id, original, original_terminal)
        JOIN redemption.terminal t ON t.institution_id = item.institution_id
                                  AND t.id = coalesce(item.original_terminal, t.id)
        JOIN core.request q ON q.bucket = t.bucket AND q.caller_id = t.caller_id
                           AND q.operation = 'redemption' AND q.request_no = item.original AND NOT q.blocked
        JOIN redemption.redemption r ON r.bucket = q.result_bucket AND r.id = q.result_id
    ) AS found
    ORDER BY found.ord, own DESC, live DESC
$$;

-- Undoes these write-offs as far as they stand, and announces and records it: the only way to do so. `p_by`
-- says who asks: a terminal is bound by what the voucher's type allows, and by a service result that was
-- reported; staff, of whom two have agreed, only by a type that nobody may undo. Without a terminal or a number
-- the write-off's own are recorded. Returns what was undone; the caller diagnoses the others from their rows.
-- Locks vouchers, then redemptions.
CREATE OR REPLACE FUNCTION redemption.undo(
    p_ord integer[], p_bucket smallint[], p_id uuid[], p_reversal uuid[], p_terminal text[],
    p_request_no text[], p_original text[], p_reason text[], p_actor text[], p_operator text[], p_by text,
    p_now timestamptz, p_machine_now timestamptz
) RETURNS TABLE (ord integer, bucket smallint, id uuid)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_undone bigint;
    v_restored bigint;
BEGIN
    -- Vouchers before redemptions, as in the write-off.
    PERFORM v.id
    FROM unnest(p_bucket, p_id) AS known (bucket, id)
    JOIN redemption.redemption r ON r.bucket = known.bucket AND r.id = known.id
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    ORDER BY v.bucket, v.id
    FOR UPDATE OF v;

    WITH undone AS (
        UPDATE redemption.redemption r SET state = 'reversed'
        FROM unnest(p_ord, p_bucket, p_id, p_reversal, p_terminal, p_request_no, p_original, p_reason, p_actor,
                    p_operator)
                AS known (ord, bucket, id, reversal, terminal_id, request_no, original, reason, actor, operator),
             core.voucher_type t
        WHERE r.bucket = known.bucket AND r.id = known.id
          AND t.campaign_id = r.campaign_id AND t.key = r.voucher_type
          AND r.state = 'redeemed' AND r.settlement_id IS NULL
          AND CASE p_by
                  WHEN 'staff' THEN t.reversal <> 'never'
                  ELSE t.reversal = 'terminal' AND r.result_reported_at IS NULL
                       AND (t.reversal_window_hours IS NULL
                            OR p_now < r.received_at + t.reversal_window_hours * interval '1 hour')
              END
        RETURNING known.*, r.voucher_id, r.institution_id, r.terminal_id AS own_terminal,
                  r.request_no AS own_request_no
    ), given AS (
        SELECT array_agg(ord ORDER BY bucket, voucher_id) AS ords,
               array_agg(bucket ORDER BY bucket, voucher_id) AS buckets,
               array_agg(voucher_id ORDER BY bucket, voucher_id) AS vouchers,
               array_agg(institution_id ORDER BY bucket, voucher_id) AS institutions,
               array_agg(actor ORDER BY bucket, voucher_id) AS actors,
               array_agg(id ORDER BY bucket, voucher_id) AS redemptions
        FROM undone
    ), restored AS (
        SELECT back.ord FROM given, core.vouchers_restore(
            ords, buckets, vouchers, institutions, actors, redemptions, p_now) AS back
    ), announced AS (
        INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)
        SELECT undone.bucket, gen_random_uuid(), told.queue, told.kind, told.payload, p_machine_now, p_machine_now
        FROM undone CROSS JOIN LATERAL (VALUES
            ('issuance', 'issuance.voucher_restored',
             jsonb_build_object('voucher_id', core.hot_id_text(undone.bucket, undone.voucher_id))),
            ('redemption', 'redemption.reversal_counted',
             jsonb_build_object('redemption_id', core.hot_id_text(undone.bucket, undone.id)))
        ) AS told (queue, kind, payload)
    ), written AS (
        INSERT INTO redemption.reversal AS v (
            bucket, id, outcome, redemption_id, institution_id, terminal_id, request_no, original_request_no,
            reason, actor, at, operator)
        SELECT bucket, reversal, 'reversed', id, institution_id, coalesce(terminal_id, own_terminal), request_no,
               coalesce(original, own_request_no), reason, actor, p_now, operator
        FROM undone
        RETURNING v.redemption_id
    )
    SELECT (SELECT count(*) FROM undone), (SELECT count(*) FROM restored) INTO v_undone, v_restored;
    IF v_undone <> v_restored THEN
        RAISE EXCEPTION 'a live redemption without a redeemed voucher'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    -- Written by this call and no other: their ids were new.
    RETURN QUERY
    SELECT known.ord, known.bucket, known.id
    FROM unnest(p_ord, p_bucket, p_id, p_reversal) AS known (ord, bucket, id, reversal)
    JOIN redemption.reversal v ON v.bucket = known.bucket AND v.id = known.reversal;
END
$$;

-- Undoes write-offs, or blocks those that have not arrived. For each item one row:
--   created, replayed   with the reversal as it was answered first (`result`: reversed or blocked);
--   request_no_reused   the reversal's number was used for another body;
--   replayed_nonce      the signed request was used before;
--   operator_unknown, already_reversed, already_settled, original_ambiguous, not_reversible,
--   reversal_by_staff_only, result_reported, reversal_window_over   refused; the number is free again.
-- Till 0.1 without `p_operator`; code of that time calls the one below just as well.
DROP FUNCTION IF EXISTS redemption.reverse_batch(
    text[], text[], boolean[], timestamptz, smallint[], uuid[], text[], text[], bytea[], text[], text[], text[],
    uuid[], timestamptz, timestamptz);
CREATE OR REPLACE FUNCTION redemption.reverse_batch(
    p_key_id text[], p_nonce text[], p_again boolean[], p_nonce_expires_at timestamptz,
    p_caller_bucket smallint[], p_caller uuid[], p_institution text[], p_request_no text[],
    p_fingerprint bytea[], p_original text[], p_original_terminal text[], p_reason text[],
    p_reversal uuid[], p_now timestamptz, p_machine_now timestamptz, p_operator text[] DEFAULT NULL
) RETURNS TABLE (
    ord integer, outcome text, result text, bucket smallint, id uuid, redemption_id uuid, at timestamptz
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_stale integer[] := redemption.stale_nonces(p_key_id, p_nonce, p_again, p_nonce_expires_at);
    v_fresh integer[];
    v_strange integer[];
    v_ord integer[];
    v_bucket smallint[];
    v_id uuid[];
    v_ambiguous integer[];
    v_unseen integer[];
    v_stone_ord integer[];
    v_stone_bucket smallint[];
    v_stone_caller uuid[];
BEGIN
    RETURN QUERY
    SELECT stale, 'replayed_nonce', NULL::text, NULL::smallint, NULL::uuid, NULL::uuid, NULL::timestamptz
    FROM unnest(v_stale) AS stale;

    -- The reversal's own number first: a repetition is recognised before anything else and counts itself.
    WITH item AS (
        SELECT * FROM unnest(p_caller_bucket, p_caller, p_request_no, p_fingerprint) WITH ORDINALITY
            AS u (caller_bucket, caller, request_no, fingerprint, ord)
    ), claimed AS (
        INSERT INTO core.request AS q (bucket, caller_id, operation, request_no, fingerprint, created_at)
        SELECT caller_bucket, caller, 'reversal', request_no, fingerprint, p_now
        FROM item
        WHERE ord <> ALL (v_stale)
        ORDER BY caller_bucket, caller, request_no
        ON CONFLICT (bucket, caller_id, operation, request_no) DO UPDATE SET replays = q.replays + 1
        RETURNING q.bucket, q.caller_id, q.request_no, q.replays
    )
    SELECT coalesce(array_agg(item.ord::integer) FILTER (WHERE c.replays = 0), '{}') INTO v_fresh
    FROM claimed c
    JOIN item ON item.caller_bucket = c.bucket AND item.caller = c.caller_id AND item.request_no = c.request_no;

    RETURN QUERY
    SELECT item.ord::integer,
           CASE WHEN q.fingerprint = item.fingerprint THEN 'replayed' ELSE 'request_no_reused' END,
           v.outcome, v.bucket, v.id, v.redemption_id, v.at
    FROM unnest(p_caller_bucket, p_caller, p_request_no, p_fingerprint) WITH ORDINALITY
        AS item (caller_bucket, caller, request_no, fingerprint, ord)
    JOIN core.request q ON q.bucket = item.caller_bucket AND q.caller_id = item.caller
                       AND q.operation = 'reversal' AND q.request_no = item.request_no
    LEFT JOIN redemption.reversal v ON v.bucket = q.result_bucket AND v.id = q.result_id
    WHERE item.ord <> ALL (v_fresh) AND item.ord <> ALL (v_stale);

    -- Also where operators are required, a till may reverse without one: it does so by itself when it gets no
    -- answer. One that is named has to be known.
    IF cardinality(array_remove(p_operator, NULL)) > 0 THEN
        v_strange := ARRAY(
            SELECT o FROM unnest(v_fresh) AS o
            CROSS JOIN LATERAL redemption.operator_word(p_institution[o], p_key_id[o], p_operator[o], false) AS told
            WHERE told.word IS NOT NULL);
        DELETE FROM core.request q
        USING unnest(v_strange) AS o
        WHERE q.bucket = p_caller_bucket[o] AND q.caller_id = p_caller[o] AND q.operation = 'reversal'
          AND q.request_no = p_request_no[o];
        RETURN QUERY
        SELECT o, 'operator_unknown', NULL::text, NULL::smallint, NULL::uuid, NULL::uuid, NULL::timestamptz
        FROM unnest(v_strange) AS o;
        v_fresh := ARRAY(SELECT o FROM unnest(v_fresh) AS o WHERE o <> ALL (v_strange));
    END IF;

    SELECT array_agg(found.ord), array_agg(found.bucket), array_agg(found.id),
           coalesce(array_agg(found.ord) FILTER (WHERE found.ambiguous), '{}')
    INTO v_ord, v_bucket, v_id, v_ambiguous
    FROM redemption.originals(v_fresh, ARRAY(SELECT p_caller[o] FROM unnest(v_fresh) AS o),
                              ARRAY(SELECT p_institution[o] FROM unnest(v_fresh) AS o),
                              ARRAY(SELECT p_original[o] FROM unnest(v_fresh) AS o),
                              ARRAY(SELECT p_original_terminal[o] FROM unnest(v_fresh) AS o)) AS found;
    v_unseen := ARRAY(SELECT o FROM unnest(v_fresh) AS o WHERE o <> ALL (coalesce(v_ord, '{}')));

    IF cardinality(v_unseen) > 0 THEN
        -- Never seen: its number is blocked for every terminal of the institution. An original that is
        -- under way holds its own request row: this statement waits for it and then finds the key taken.
        WITH laid AS (
            INSERT INTO core.request AS q (
                bucket, caller_id, operation, request_no, fingerprint, blocked, created_at)
            SELECT t.bucket, t.caller_id, 'redemption', p_original[o], ''::bytea, true, p_now
            FROM unnest(v_unseen) AS o
            JOIN redemption.terminal t ON t.institution_id = p_institution[o]
                                      AND t.id = coalesce(p_original_terminal[o], t.id)
            ORDER BY t.bucket, t.caller_id, p_original[o]
            ON CONFLICT DO NOTHING
            RETURNING q.bucket, q.caller_id
        )
        SELECT array_agg(o), array_agg(laid.bucket), array_agg(laid.caller_id)
        INTO v_stone_ord, v_stone_bucket, v_stone_caller
        FROM laid
        JOIN redemption.terminal t ON t.caller_id = laid.caller_id
        JOIN unnest(v_unseen) AS o ON p_institution[o] = t.institution_id;

        -- It may have arrived just now: then it is known after all, and its number is not blocked.
        WITH late AS (
            SELECT found.* FROM redemption.originals(
                v_unseen, ARRAY(SELECT p_caller[o] FROM unnest(v_unseen) AS o),
                ARRAY(SELECT p_institution[o] FROM unnest(v_unseen) AS o),
                ARRAY(SELECT p_original[o] FROM unnest(v_unseen) AS o),
                ARRAY(SELECT p_original_terminal[o] FROM unnest(v_unseen) AS o)) AS found
        ), lifted AS (
            DELETE FROM core.request q
            USING late, unnest(v_stone_ord, v_stone_bucket, v_stone_caller) AS stone (ord, bucket, caller_id)
            WHERE stone.ord = late.ord AND q.bucket = stone.bucket AND q.caller_id = stone.caller_id
              AND q.operation = 'redemption' AND q.request_no = p_original[late.ord]
        )
        SELECT v_ord || array_agg(late.ord), v_bucket || array_agg(late.bucket), v_id || array_agg(late.id),
               v_ambiguous || coalesce(array_agg(late.ord) FILTER (WHERE late.ambiguous), '{}')
        INTO v_ord, v_bucket, v_id, v_ambiguous
        FROM late;
        v_unseen := ARRAY(SELECT o FROM unnest(v_unseen) AS o WHERE o <> ALL (coalesce(v_ord, '{}')));
    END IF;

    WITH undone AS (
        SELECT back.ord, back.bucket
        FROM (
            SELECT array_agg(known.ord) AS ords, array_agg(known.bucket) AS buckets, array_agg(known.id) AS ids,
                   array_agg(p_reversal[known.ord]) AS reversals, array_agg(p_key_id[known.ord]) AS terminals,
                   array_agg(p_request_no[known.ord]) AS request_nos, array_agg(p_original[known.ord]) AS originals,
                   array_agg(p_reason[known.ord]) AS reasons,
                   array_agg('terminal:' || p_key_id[known.ord]) AS actors,
                   array_agg(p_operator[known.ord]) AS operators
            FROM unnest(v_ord, v_bucket, v_id) AS known (ord, bucket, id)
            WHERE known.ord <> ALL (v_ambiguous)
        ) AS given, redemption.undo(
            ords, buckets, ids, reversals, terminals, request_nos, originals, reasons, actors, operators, 'terminal',
            p_now, p_machine_now) AS back
    ), blocked AS (
        INSERT INTO redemption.reversal (
            bucket, id, outcome, redemption_id, institution_id, terminal_id, request_no, original_request_no,
            reason, actor, at, operator)
        SELECT p_caller_bucket[o], p_reversal[o], 'blocked', NULL, p_institution[o], p_key_id[o],
               p_request_no[o], p_original[o], p_reason[o], 'terminal:' || p_key_id[o], p_now, p_operator[o]
        FROM unnest(v_unseen) AS o
    )
    UPDATE core.request q SET result_bucket = coalesce(undone.bucket, p_caller_bucket[o]),
                              result_id = p_reversal[o]
    FROM unnest(v_fresh) AS o
    LEFT JOIN undone ON undone.ord = o
    WHERE q.bucket = p_caller_bucket[o] AND q.caller_id = p_caller[o] AND q.operation = 'reversal'
      AND q.request_no = p_request_no[o] AND (undone.ord IS NOT NULL OR o = ANY (v_unseen));

    RETURN QUERY
    SELECT o, 'created', v.outcome, v.bucket, v.id, v.redemption_id, v.at
    FROM unnest(v_fresh) AS o
    JOIN core.request q ON q.bucket = p_caller_bucket[o] AND q.caller_id = p_caller[o]
                       AND q.operation = 'reversal' AND q.request_no = p_request_no[o]
    JOIN redemption.reversal v ON v.bucket = q.result_bucket AND v.id = q.result_id;

    -- What was missed is reversed or settled by now, or no till may undo it.
    RETURN QUERY
    WITH missed AS (
        SELECT known.ord,
               CASE WHEN known.ord = ANY (v_ambiguous) THEN 'original_ambiguous'
                    WHEN r.settlement_id IS NOT NULL THEN 'already_settled'
                    WHEN r.state = 'reversed' THEN 'already_reversed'
                    WHEN t.reversal = 'never' THEN 'not_reversible'
                    WHEN t.reversal = 'staff' THEN 'reversal_by_staff_only'
                    WHEN r.result_reported_at IS NOT NULL THEN 'result_reported'
                    ELSE 'reversal_window_over' END AS word
        FROM unnest(v_ord, v_bucket, v_id) AS known (ord, bucket, id)
        JOIN redemption.redemption r ON r.bucket = known.bucket AND r.id = known.id
        JOIN core.voucher_type t ON t.campaign_id = r.campaign_id AND t.key = r.voucher_type
        JOIN core.request q ON q.bucket = p_caller_bucket[known.ord] AND q.caller_id = p_caller[known.ord]
                           AND q.operation = 'reversal' AND q.request_no = p_request_no[known.ord]
        WHERE q.result_id IS NULL
    ), freed AS (
        DELETE FROM core.request q
        USING missed
        WHERE q.bucket = p_caller_bucket[missed.ord] AND q.caller_id = p_caller[missed.ord]
          AND q.operation = 'reversal' AND q.request_no = p_request_no[missed.ord]
    )
    SELECT missed.ord, missed.word, NULL::text, NULL::smallint, NULL::uuid, NULL::uuid, NULL::timestamptz
    FROM missed;
END
$$;

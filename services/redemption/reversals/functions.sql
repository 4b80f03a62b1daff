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

-- Undoes write-offs, or blocks those that have not arrived. For each item one row:
--   created, replayed   with the reversal as it was answered first (`result`: reversed or blocked);
--   request_no_reused   the reversal's number was used for another body;
--   replayed_nonce      the signed request was used before;
--   already_reversed, already_settled, original_ambiguous   refused; the number is free again.
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
    v_ord integer[];
    v_bucket smallint[];
    v_id uuid[];
    v_ambiguous integer[];
    v_unseen integer[];
    v_stone_ord integer[];
    v_stone_bucket smallint[];
    v_stone_caller uuid[];
    v_undone bigint;
    v_restored bigint;
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

    -- Vouchers before redemptions, as in the write-off.
    PERFORM v.id
    FROM unnest(v_bucket, v_id) AS known (bucket, id)
    JOIN redemption.redemption r ON r.bucket = known.bucket AND r.id = known.id
    JOIN core.voucher v ON v.bucket = r.bucket AND v.id = r.voucher_id
    ORDER BY v.bucket, v.id
    FOR UPDATE OF v;

    WITH undone AS (
        UPDATE redemption.redemption r SET state = 'reversed'
        FROM unnest(v_ord, v_bucket, v_id) AS known (ord, bucket, id)
        WHERE r.bucket = known.bucket AND r.id = known.id AND known.ord <> ALL (v_ambiguous)
          AND r.state = 'redeemed' AND r.settlement_id IS NULL
        RETURNING known.ord, r.bucket, r.id, r.voucher_id, r.institution_id
    ), given AS (
        SELECT array_agg(ord ORDER BY bucket, voucher_id) AS ords,
               array_agg(bucket ORDER BY bucket, voucher_id) AS buckets,
               array_agg(voucher_id ORDER BY bucket, voucher_id) AS vouchers,
               array_agg(institution_id ORDER BY bucket, voucher_id) AS institutions,
               array_agg('terminal:' || p_key_id[ord] ORDER BY bucket, voucher_id) AS actors,
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
        INSERT INTO redemption.reversal (
            bucket, id, outcome, redemption_id, institution_id, terminal_id, request_no, original_request_no,
            reason, actor, at, operator)
        SELECT undone.bucket, p_reversal[ord], 'reversed', undone.id, p_institution[ord], p_key_id[ord],
               p_request_no[ord], p_original[ord], p_reason[ord], 'terminal:' || p_key_id[ord], p_now, p_operator[ord]
        FROM undone
        UNION ALL
        SELECT p_caller_bucket[o], p_reversal[o], 'blocked', NULL, p_institution[o], p_key_id[o],
               p_request_no[o], p_original[o], p_reason[o], 'terminal:' || p_key_id[o], p_now, p_operator[o]
        FROM unnest(v_unseen) AS o
    ), answered AS (
        UPDATE core.request q SET result_bucket = coalesce(undone.bucket, p_caller_bucket[o]),
                                  result_id = p_reversal[o]
        FROM unnest(v_fresh) AS o
        LEFT JOIN undone ON undone.ord = o
        WHERE q.bucket = p_caller_bucket[o] AND q.caller_id = p_caller[o] AND q.operation = 'reversal'
          AND q.request_no = p_request_no[o] AND (undone.ord IS NOT NULL OR o = ANY (v_unseen))
    )
    SELECT (SELECT count(*) FROM undone), (SELECT count(*) FROM restored) INTO v_undone, v_restored;
    IF v_undone <> v_restored THEN
        RAISE EXCEPTION 'a live redemption without a redeemed voucher'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    RETURN QUERY
    SELECT o, 'created', v.outcome, v.bucket, v.id, v.redemption_id, v.at
    FROM unnest(v_fresh) AS o
    JOIN core.request q ON q.bucket = p_caller_bucket[o] AND q.caller_id = p_caller[o]
                       AND q.operation = 'reversal' AND q.request_no = p_request_no[o]
    JOIN redemption.reversal v ON v.bucket = q.result_bucket AND v.id = q.result_id;

    -- What the update missed is reversed or settled by now.
    RETURN QUERY
    WITH missed AS (
        SELECT known.ord,
               CASE WHEN known.ord = ANY (v_ambiguous) THEN 'original_ambiguous'
                    WHEN r.settlement_id IS NOT NULL THEN 'already_settled'
                    ELSE 'already_reversed' END AS word
        FROM unnest(v_ord, v_bucket, v_id) AS known (ord, bucket, id)
        JOIN redemption.redemption r ON r.bucket = known.bucket AND r.id = known.id
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

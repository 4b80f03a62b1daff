-- The quiz's hot operations. Each takes many items and returns one row for each, in their order: what was
-- made, what an earlier request with the number had made, or the refusal by name. Refusals never raise and
-- leave nothing behind. A person is at most once in a batch (the batcher keeps its items apart).
--
-- Locks: participants in the order of their key, then request rows, then rows that only the holder of the
-- participant's lock writes. The request row is inserted after the decision: whoever loses a race for a
-- number finds it in the statement after.
--
-- Plans are kept per connection and made when the tables may still be empty: only index look-ups and nested
-- loops are allowed, so that an opening rush never runs on scans that were cheap a minute ago.

-- A person's turn in a campaign. Whatever a person does there (start, answer, draw) queues up at this row,
-- so that counts, limits and the oldest chance are decided on what is true. Makes the rows that are missing.
CREATE OR REPLACE FUNCTION issuance.lock_participants(
    p_campaign uuid[], p_bucket smallint[], p_person uuid[]
) RETURNS void
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    -- The update that never happens locks the rows that are there already.
    INSERT INTO issuance.participant AS p (bucket, campaign_id, person_id)
    SELECT DISTINCT bucket, campaign_id, person_id
    FROM unnest(p_bucket, p_campaign, p_person) AS u (bucket, campaign_id, person_id)
    ORDER BY bucket, campaign_id, person_id
    ON CONFLICT (bucket, campaign_id, person_id)
    DO UPDATE SET attempts_today = p.attempts_today WHERE false;
END
$$;

-- What these persons were asked in their last attempts of a campaign, the latest first; locks nothing.
CREATE OR REPLACE FUNCTION issuance.recent_questions(
    p_campaign uuid, p_attempts integer, p_bucket smallint[], p_person uuid[]
) RETURNS TABLE (question_ids bigint[])
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT coalesce((
        SELECT array_agg(question_id ORDER BY a.day DESC, a.day_no DESC)
        FROM (SELECT day, day_no, question_ids FROM issuance.quiz_attempt
              WHERE bucket = u.bucket AND campaign_id = p_campaign AND person_id = u.person_id
              ORDER BY day DESC, day_no DESC LIMIT p_attempts) a
        CROSS JOIN LATERAL unnest(a.question_ids) AS question_id), '{}')
    FROM unnest(p_bucket, p_person) WITH ORDINALITY AS u (bucket, person_id, ord)
    ORDER BY u.ord;
END
$$;

-- What these attempts of these persons asked, and whether their answers need a token; nulls for what is not
-- theirs; locks nothing.
CREATE OR REPLACE FUNCTION issuance.attempts_to_mark(
    p_bucket smallint[], p_attempt uuid[], p_person uuid[]
) RETURNS TABLE (
    campaign_id uuid, question_ids bigint[], option_orders text[], expires_at timestamptz, needs_token boolean
)
LANGUAGE plpgsql STABLE
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT a.campaign_id, a.question_ids, a.option_orders, a.expires_at, rule.attempt_token
    FROM unnest(p_bucket, p_attempt, p_person) WITH ORDINALITY AS u (bucket, id, person_id, ord)
    LEFT JOIN issuance.quiz_attempt a ON a.bucket = u.bucket AND a.id = u.id AND a.person_id = u.person_id
    LEFT JOIN issuance.quiz_rule rule ON rule.id = a.rule_id
    ORDER BY u.ord;
END
$$;

-- Starts attempts in one campaign, with questions that were sampled under `p_rule` (comma-separated ids and
-- option orders). Refusals, the first that applies:
--   request_no_reused, phase_not_open, campaign_paused, rule_changed (sample again: another rule is in force
--   by now), quiz_not_ready (no questions yet), participation_excluded, attempts_exhausted.
CREATE OR REPLACE FUNCTION issuance.start_attempts(
    p_campaign uuid, p_phase uuid, p_rule uuid, p_ready boolean, p_now timestamptz,
    p_bucket smallint[], p_person uuid[], p_request_no text[], p_fingerprint bytea[],
    p_attempt uuid[], p_questions text[], p_orders text[]
) RETURNS TABLE (
    outcome text, bucket smallint, attempt_id uuid, expires_at timestamptz, question_ids bigint[],
    option_orders text[]
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_day date;
    v_per_day bigint;
    v_seconds bigint;
    v_refusal text;
    v_excluded bigint[] := '{}';
    v_made bigint[] := '{}';
BEGIN
    SELECT (p_now AT TIME ZONE c.timezone)::date, r.attempts_per_day, r.time_limit_seconds,
           CASE WHEN c.status = 'ended' OR ph.id IS NULL THEN 'phase_not_open'
                WHEN c.status = 'paused' THEN 'campaign_paused'
                WHEN r.id IS DISTINCT FROM p_rule THEN 'rule_changed'
                WHEN NOT p_ready THEN 'quiz_not_ready'
           END
    INTO v_day, v_per_day, v_seconds, v_refusal
    FROM core.campaign c
    LEFT JOIN issuance.phase ph ON ph.id = p_phase AND ph.campaign_id = c.id
                               AND ph.opens_at <= p_now AND ph.closes_at > p_now
    LEFT JOIN LATERAL (
        SELECT id, attempts_per_day, time_limit_seconds FROM issuance.quiz_rule
        WHERE phase_id = ph.id AND effective_from <= p_now
        ORDER BY effective_from DESC LIMIT 1
    ) r ON true
    WHERE c.id = p_campaign;

    IF v_refusal IS NULL THEN
        PERFORM issuance.lock_participants(
            array_fill(p_campaign, ARRAY[cardinality(p_person)]), p_bucket, p_person);
        v_excluded := issuance.excluded_places(p_campaign, p_now, p_bucket, p_person);

        WITH item AS MATERIALIZED (
            SELECT * FROM unnest(p_bucket, p_person, p_request_no, p_fingerprint, p_attempt, p_questions, p_orders)
                WITH ORDINALITY
                AS u (bucket, person_id, request_no, fingerprint, attempt_id, questions, orders, ord)
        ), able AS (
            -- A day never goes back, also when the clocks of two processes disagree about midnight.
            SELECT item.*, greatest(q.attempts_day, v_day) AS day,
                   CASE WHEN q.attempts_day >= v_day THEN q.attempts_today ELSE 0 END + 1 AS day_no
            FROM item
            JOIN issuance.participant q ON q.bucket = item.bucket AND q.campaign_id = p_campaign
                                       AND q.person_id = item.person_id
            WHERE (q.attempts_day IS NULL OR q.attempts_day < v_day OR q.attempts_today < v_per_day)
              AND item.ord <> ALL (v_excluded)
        ), fresh AS (
            INSERT INTO core.request (
                bucket, caller_id, operation, request_no, fingerprint, result_bucket, result_id, created_at)
            SELECT bucket, person_id, 'quiz_attempt', request_no, fingerprint, bucket, attempt_id, p_now
            FROM able
            ORDER BY bucket, person_id
            ON CONFLICT DO NOTHING
            RETURNING result_id
        ), made AS (
            SELECT able.* FROM able WHERE able.attempt_id = ANY (ARRAY(SELECT result_id FROM fresh))
        ), counted AS (
            UPDATE issuance.participant q SET attempts_day = made.day, attempts_today = made.day_no
            FROM made
            WHERE q.bucket = made.bucket AND q.campaign_id = p_campaign AND q.person_id = made.person_id
        ), started AS (
            INSERT INTO issuance.quiz_attempt (
                bucket, id, campaign_id, phase_id, person_id, rule_id, day, day_no, question_ids,
                option_orders, started_at, expires_at)
            SELECT bucket, attempt_id, p_campaign, p_phase, person_id, p_rule, day, day_no,
                   string_to_array(questions, ',')::bigint[], string_to_array(orders, ','), p_now,
                   p_now + make_interval(secs => v_seconds)
            FROM made
        )
        SELECT coalesce(array_agg(ord), '{}') INTO v_made FROM made;
    END IF;

    RETURN QUERY
    WITH item AS MATERIALIZED (
        SELECT * FROM unnest(p_bucket, p_person, p_request_no, p_fingerprint, p_attempt) WITH ORDINALITY
            AS u (bucket, person_id, request_no, fingerprint, attempt_id, ord)
        ORDER BY bucket, person_id
    ), replay AS (
        UPDATE core.request r SET replays = replays + 1
        FROM item
        WHERE item.ord <> ALL (v_made) AND r.bucket = item.bucket AND r.caller_id = item.person_id
          AND r.operation = 'quiz_attempt' AND r.request_no = item.request_no
        RETURNING item.ord, r.result_id, r.fingerprint = item.fingerprint AS same
    ), ended AS MATERIALIZED (
        SELECT item.ord, item.bucket,
               CASE WHEN item.ord = ANY (v_made) THEN 'created'
                    WHEN replay.same THEN 'replayed'
                    WHEN replay.ord IS NOT NULL THEN 'request_no_reused'
                    WHEN item.ord = ANY (v_excluded) THEN 'participation_excluded'
                    ELSE coalesce(v_refusal, 'attempts_exhausted')
               END AS outcome,
               CASE WHEN replay.ord IS NULL THEN item.attempt_id WHEN replay.same THEN replay.result_id END AS id
        FROM item LEFT JOIN replay ON replay.ord = item.ord
    )
    SELECT ended.outcome, a.bucket, a.id, a.expires_at, a.question_ids, a.option_orders
    FROM ended
    LEFT JOIN issuance.quiz_attempt a ON a.bucket = ended.bucket AND a.id = ended.id
    ORDER BY ended.ord;
END
$$;

-- Closes attempts with their marked answers and grants the chances of those that passed. Answers are the
-- original option keys of each question with a comma in front of each (so that one empty answer is not
-- none), marks are 1 or 0, comma-separated. Refusals, the first that applies:
--   request_no_reused, not_found (never was, or somebody else's), attempt_already_answered, attempt_expired,
--   submitted_too_soon (the attempt stays open).
CREATE OR REPLACE FUNCTION issuance.submit_attempts(
    p_now timestamptz, p_bucket smallint[], p_person uuid[], p_attempt uuid[], p_request_no text[],
    p_fingerprint bytea[], p_answers text[], p_correct text[], p_score smallint[]
) RETURNS TABLE (
    outcome text, campaign_id uuid, question_ids bigint[], option_orders text[], correct boolean[],
    score smallint, passed boolean, pass_score bigint, chances_granted smallint
)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
DECLARE
    v_made bigint[];
BEGIN
    PERFORM issuance.lock_participants(
        array_agg(a.campaign_id), array_agg(a.bucket), array_agg(a.person_id))
    FROM unnest(p_bucket, p_attempt, p_person) AS item (bucket, attempt_id, person_id)
    JOIN issuance.quiz_attempt a ON a.bucket = item.bucket AND a.id = item.attempt_id
                                AND a.person_id = item.person_id;

    WITH item AS MATERIALIZED (
        SELECT * FROM unnest(p_bucket, p_person, p_attempt, p_request_no, p_fingerprint, p_answers, p_correct, p_score)
            WITH ORDINALITY
            AS u (bucket, person_id, attempt_id, request_no, fingerprint, answers, correct, score, ord)
    ), open AS MATERIALIZED (
        SELECT item.*, a.campaign_id, a.started_at, a.rule_id
        FROM item
        JOIN issuance.quiz_attempt a ON a.bucket = item.bucket AND a.id = item.attempt_id
                                    AND a.person_id = item.person_id
        WHERE a.state = 'open' AND a.expires_at > p_now
    ), able AS (
        SELECT open.*, today.day, open.score >= r.pass_score AS passed,
               CASE WHEN open.score >= r.pass_score THEN coalesce(ch.chances, 0) ELSE 0 END AS chances,
               CASE WHEN q.answered_day IS NULL OR q.answered_day < today.day THEN true
                    WHEN q.answered_day = today.day THEN false
                    -- The clocks of two processes disagree about midnight: look. One that was answered on
                    -- that day began on it, or as long before as its time allowed.
                    ELSE NOT EXISTS (
                        SELECT FROM issuance.quiz_attempt other
                        WHERE other.bucket = open.bucket AND other.campaign_id = open.campaign_id
                          AND other.person_id = open.person_id
                          AND other.day BETWEEN today.day - 1 - (r.time_limit_seconds / 86400)::integer
                                            AND today.day
                          AND (other.answered_at AT TIME ZONE c.timezone)::date = today.day)
               END AS first_today
        FROM open
        JOIN issuance.quiz_rule r ON r.id = open.rule_id
        JOIN core.campaign c ON c.id = open.campaign_id
        JOIN issuance.participant q ON q.bucket = open.bucket AND q.campaign_id = open.campaign_id
                                   AND q.person_id = open.person_id
        CROSS JOIN LATERAL (SELECT (p_now AT TIME ZONE c.timezone)::date AS day) today
        LEFT JOIN issuance.channel ch ON ch.campaign_id = open.campaign_id AND ch.key = 'quiz'
        WHERE open.started_at + make_interval(secs => r.min_seconds) <= p_now
    ), fresh AS (
        INSERT INTO core.request (
            bucket, caller_id, operation, request_no, fingerprint, result_bucket, result_id, created_at)
        SELECT bucket, person_id, 'quiz_answers', request_no, fingerprint, bucket, attempt_id, p_now
        FROM able
        ORDER BY bucket, person_id
        ON CONFLICT DO NOTHING
        RETURNING result_id
    ), made AS (
        SELECT able.* FROM able WHERE able.attempt_id = ANY (ARRAY(SELECT result_id FROM fresh))
    ), closed AS (
        UPDATE issuance.quiz_attempt a
        SET state = 'answered', answered_at = p_now, answers = (string_to_array(made.answers, ','))[2:],
            correct = string_to_array(made.correct, ',')::boolean[], score = made.score,
            passed = made.passed, chances_granted = made.chances
        FROM made
        WHERE a.bucket = made.bucket AND a.id = made.attempt_id
    ), granted AS (
        -- Random ids: they stand in the public draw log, and must not tell when a chance was earned.
        INSERT INTO issuance.chance (
            bucket, id, campaign_id, person_id, channel, source_id, source_no, granted_at)
        SELECT bucket, gen_random_uuid(), campaign_id, person_id, 'quiz', attempt_id, source_no, p_now
        FROM made CROSS JOIN LATERAL generate_series(1, made.chances) AS source_no
    ), remembered AS (
        UPDATE issuance.participant q SET answered_day = greatest(q.answered_day, made.day)
        FROM made
        WHERE made.first_today AND q.bucket = made.bucket AND q.campaign_id = made.campaign_id
          AND q.person_id = made.person_id
    ), tallied AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, n)
        SELECT campaign_id, day, 'attempt', CASE WHEN passed THEN 'passed' ELSE 'failed' END, count(*)
        FROM made GROUP BY campaign_id, day, passed
        UNION ALL
        SELECT campaign_id, day, 'participant', '', count(*)
        FROM made WHERE first_today GROUP BY campaign_id, day
        UNION ALL
        SELECT campaign_id, day, 'chance', 'quiz', sum(chances)
        FROM made WHERE chances > 0 GROUP BY campaign_id, day
    )
    SELECT coalesce(array_agg(ord), '{}') INTO v_made FROM made;

    RETURN QUERY
    WITH item AS MATERIALIZED (
        SELECT * FROM unnest(p_bucket, p_person, p_attempt, p_request_no, p_fingerprint) WITH ORDINALITY
            AS u (bucket, person_id, attempt_id, request_no, fingerprint, ord)
        ORDER BY bucket, person_id
    ), replay AS (
        UPDATE core.request r SET replays = replays + 1
        FROM item
        WHERE item.ord <> ALL (v_made) AND r.bucket = item.bucket AND r.caller_id = item.person_id
          AND r.operation = 'quiz_answers' AND r.request_no = item.request_no
        RETURNING item.ord, r.fingerprint = item.fingerprint AS same
    )
    SELECT CASE WHEN item.ord = ANY (v_made) THEN 'created'
                WHEN replay.same THEN 'replayed'
                WHEN replay.ord IS NOT NULL THEN 'request_no_reused'
                WHEN a.id IS NULL THEN 'not_found'
                WHEN a.state = 'answered' THEN 'attempt_already_answered'
                WHEN a.expires_at <= p_now THEN 'attempt_expired'
                ELSE 'submitted_too_soon'
           END,
           a.campaign_id, a.question_ids, a.option_orders, a.correct, a.score, a.passed, r.pass_score,
           a.chances_granted
    FROM item
    LEFT JOIN replay ON replay.ord = item.ord
    LEFT JOIN issuance.quiz_attempt a ON a.bucket = item.bucket AND a.id = item.attempt_id
                                     AND a.person_id = item.person_id
    LEFT JOIN issuance.quiz_rule r ON r.id = a.rule_id
    ORDER BY item.ord;
END
$$;

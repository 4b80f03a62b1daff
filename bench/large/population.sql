-- A campaign that has been lived: persons, attempts, chances, draws, awards. Written set by set, as the hot
-- functions would have written it one by one, so that every invariant holds. Vouchers are issued afterwards
-- by the platform's own function.
CREATE SCHEMA IF NOT EXISTS bench;

-- People who signed in and bound an identity. Nothing personal is made up: what is sealed stays empty.
CREATE OR REPLACE FUNCTION bench.people(p_count integer, p_now timestamptz) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS bench.person;
    CREATE UNLOGGED TABLE bench.person AS
    SELECT n, (n::bigint * 7919 % 1024)::smallint AS bucket, gen_random_uuid() AS id, gen_random_uuid() AS account_id
    FROM generate_series(1, p_count) AS n;
    INSERT INTO core.person (bucket, id, verified_at, created_at) SELECT bucket, id, p_now, p_now FROM bench.person;
    INSERT INTO core.account (id, provider, subject_hash, subject_sealed, bucket, person_id, created_at)
    SELECT account_id, 'demo', sha256(convert_to('bench/' || n, 'UTF8')), '\x00', bucket, id, p_now FROM bench.person;
    INSERT INTO core.person_identity (identity_hash, bucket, person_id, account_id)
    SELECT sha256(convert_to('bench-id/' || n, 'UTF8')), bucket, id, account_id FROM bench.person;
END
$$;

-- Sheets of answers: who knows more is right more often, and hard questions are missed more often. A wrong
-- answer is one of the other options.
CREATE OR REPLACE FUNCTION bench.sheets(p_campaign uuid, p_rule uuid, p_count integer) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_questions bigint;
    v_pass bigint;
BEGIN
    SELECT questions, pass_score INTO v_questions, v_pass FROM issuance.quiz_rule WHERE id = p_rule;
    DROP TABLE IF EXISTS bench.sheet;
    CREATE UNLOGGED TABLE bench.sheet AS
    WITH bank AS MATERIALIZED (
        SELECT id, answer, (SELECT array_agg(key ORDER BY key) FROM jsonb_object_keys(options) AS key) AS keys,
               difficulty - 1.4 + (id % 7) / 7.0 AS hardness
        FROM issuance.question WHERE campaign_id = p_campaign
    ), person AS MATERIALIZED (
        SELECT n, (random() + random() + random() - 1.5) * 2 AS ability FROM generate_series(1, p_count) AS n
    ), asked AS (
        SELECT person.n, picked.*
        FROM person
        CROSS JOIN LATERAL (
            SELECT bank.id, bank.answer, bank.keys, random() < 1 / (1 + exp(bank.hardness - person.ability)) AS correct
            FROM bank ORDER BY random() * person.n LIMIT v_questions
        ) picked
    )
    SELECT n, array_agg(id) AS question_ids, array_agg(array_to_string(keys, '')) AS option_orders,
           array_agg(correct) AS correct,
           array_agg(CASE WHEN correct THEN array_to_string(answer, '')
                          ELSE (SELECT key FROM unnest(keys) AS key WHERE ARRAY[key] <> answer
                                ORDER BY md5(key || n || id) LIMIT 1) END) AS answers,
           100 * count(*) FILTER (WHERE correct) / count(*) AS score,
           100 * count(*) FILTER (WHERE correct) / count(*) >= v_pass AS passed
    FROM asked GROUP BY n;
    CREATE UNIQUE INDEX ON bench.sheet (n);
END
$$;

-- `p_each` attempts of every person on one or two days of the phase, three a day, each ended in time.
CREATE OR REPLACE FUNCTION bench.attempts(
    p_campaign uuid, p_phase uuid, p_rule uuid, p_each integer, p_first_day date, p_days integer, p_timezone text
) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    v_sheets integer := (SELECT count(*) FROM bench.sheet);
BEGIN
    INSERT INTO issuance.quiz_attempt (
        bucket, id, campaign_id, phase_id, person_id, rule_id, day, day_no, question_ids, option_orders, state,
        started_at, expires_at, answered_at, answers, correct, score, passed, chances_granted)
    SELECT p.bucket, gen_random_uuid(), p_campaign, p_phase, p.id, p_rule, at.day, at.day_no, s.question_ids,
           s.option_orders, 'answered', at.started, at.started + interval '300 s', at.started + interval '90 s',
           s.answers, s.correct, s.score, s.passed, s.passed::integer
    FROM bench.person p
    CROSS JOIN generate_series(0, p_each - 1) AS i
    CROSS JOIN LATERAL (
        SELECT p_first_day + (p.n % (p_days - 1))::integer + i / 3 AS day, i % 3 + 1 AS day_no
    ) AS d
    CROSS JOIN LATERAL (
        -- From 11:05 on, the day's attempts an hour and more apart, the last before midnight.
        SELECT d.day, d.day_no,
               ((d.day + time '11:05')::timestamp AT TIME ZONE p_timezone)
               + make_interval(secs => (d.day_no - 1) * 14000 + random() * 13000) AS started
    ) AS at
    JOIN bench.sheet s ON s.n = 1 + ((p.n::bigint * p_each + i) * 2654435761 % v_sheets)::integer;
END
$$;

-- One chance for every passed attempt, drawn a minute later.
CREATE OR REPLACE FUNCTION bench.draws(
    p_campaign uuid, p_phase uuid, p_odds uuid, p_threshold bytea, p_inner bytea, p_outer bytea, p_prefix text
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    DROP TABLE IF EXISTS bench.draw;
    CREATE UNLOGGED TABLE bench.draw AS
    SELECT a.bucket, a.person_id, a.id AS attempt_id, gen_random_uuid() AS chance_id, gen_random_uuid() AS draw_id,
           a.answered_at, a.answered_at + interval '60 s' AS drawn_at, a.day,
           row_number() OVER (PARTITION BY a.bucket, a.person_id, a.day ORDER BY a.day_no) AS day_no
    FROM issuance.quiz_attempt a WHERE a.campaign_id = p_campaign AND a.passed;

    INSERT INTO issuance.chance (
        bucket, id, campaign_id, person_id, channel, source_id, source_no, granted_at, state, draw_id)
    SELECT bucket, chance_id, p_campaign, person_id, 'quiz', attempt_id, 1, answered_at, 'drawn', draw_id
    FROM bench.draw;

    INSERT INTO issuance.draw (
        bucket, id, campaign_id, phase_id, person_id, chance_id, channel, client_seed, odds_version_id, value, won,
        drawn_at, day, day_no)
    SELECT bucket, draw_id, p_campaign, p_phase, person_id, chance_id, 'quiz', '', p_odds, value,
           p_threshold IS NULL OR substring(value FROM 1 FOR 8) < p_threshold, drawn_at, day, day_no
    FROM bench.draw
    CROSS JOIN LATERAL (
        SELECT sha256(p_outer || sha256(p_inner || convert_to(
            p_prefix || core.hot_id_text(bucket, chance_id) || '/', 'UTF8'))) AS value
    ) AS drawn;

    INSERT INTO issuance.participant (
        bucket, campaign_id, person_id, attempts_day, attempts_today, answered_day, draws_day, draws_today)
    SELECT p.bucket, p_campaign, p.id, a.day, a.n, a.day, d.day, coalesce(d.n, 0)
    FROM bench.person p
    JOIN (SELECT DISTINCT ON (bucket, person_id) bucket, person_id, day, count(*) AS n
          FROM issuance.quiz_attempt WHERE campaign_id = p_campaign
          GROUP BY bucket, person_id, day ORDER BY bucket, person_id, day DESC) a
      ON a.bucket = p.bucket AND a.person_id = p.id
    LEFT JOIN (SELECT DISTINCT ON (bucket, person_id) bucket, person_id, day, count(*) AS n
               FROM bench.draw GROUP BY bucket, person_id, day ORDER BY bucket, person_id, day DESC) d
      ON d.bucket = p.bucket AND d.person_id = p.id;
END
$$;

-- Every win becomes an award that its winner claims at once; which type is left to chance among those given.
CREATE OR REPLACE FUNCTION bench.awards(
    p_campaign uuid, p_phase uuid, p_types text[], p_valid interval
) RETURNS TABLE (bucket smallint, award_id uuid, voucher_id uuid, person_id uuid, voucher_type text, hour timestamptz)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    INSERT INTO issuance.award (
        bucket, id, campaign_id, phase_id, person_id, draw_id, state, won_at, expires_at, claimed_at, voucher_id,
        voucher_type)
    SELECT d.bucket, gen_random_uuid(), p_campaign, p_phase, d.person_id, d.id, 'claimed', d.drawn_at,
           d.drawn_at + p_valid, date_trunc('hour', d.drawn_at) + interval '1 h', gen_random_uuid(),
           p_types[1 + (hashtextextended(d.id::text, 7) & 1048575) % cardinality(p_types)]
    FROM issuance.draw d WHERE d.phase_id = p_phase AND d.won
    RETURNING award.bucket, award.id, award.voucher_id, award.person_id, award.voucher_type, award.claimed_at;
    UPDATE issuance.phase_stock s SET remaining = s.remaining - sold.n, issued = s.issued + sold.n
    FROM (SELECT a.voucher_type, count(*) AS n FROM issuance.award a WHERE a.phase_id = p_phase GROUP BY 1) sold
    WHERE s.phase_id = p_phase AND s.voucher_type = sold.voucher_type;
    UPDATE issuance.award_pool SET left_to_award = (
        SELECT sum(remaining) FROM issuance.phase_stock WHERE phase_id = p_phase)
    WHERE phase_id = p_phase;
END
$$;

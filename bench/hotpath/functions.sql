-- What pgbench calls: each function takes the next prepared item and does it in one transaction, one round trip.
-- Run before every measurement: it makes what is missing and empties the tables.
CREATE SCHEMA IF NOT EXISTS bench;
CREATE SEQUENCE IF NOT EXISTS bench.next_item;
ALTER SEQUENCE bench.next_item RESTART;
CREATE UNLOGGED TABLE IF NOT EXISTS bench.start (
    n bigint PRIMARY KEY, campaign uuid, phase uuid, rule uuid, bucket smallint, person uuid, request_no text,
    fingerprint bytea, attempt uuid, questions text, orders text);
CREATE UNLOGGED TABLE IF NOT EXISTS bench.submission (
    n bigint PRIMARY KEY, bucket smallint, person uuid, attempt uuid, request_no text, fingerprint bytea,
    answers text, correct text, score smallint);
CREATE UNLOGGED TABLE IF NOT EXISTS bench.draw_item (
    n bigint PRIMARY KEY, campaign uuid, phase uuid, pad_inner bytea, pad_outer bytea, prefix text, bucket smallint,
    person uuid, request_no text, fingerprint bytea, draw uuid, award uuid);
CREATE UNLOGGED TABLE IF NOT EXISTS bench.write_off (
    n bigint PRIMARY KEY, key_id text, nonce text, request_no text, fingerprint bytea, bucket smallint,
    code_hash bytea, bill_fen bigint, redemption uuid);
TRUNCATE bench.start, bench.submission, bench.draw_item, bench.write_off;

-- The platform's time in a demonstration.
CREATE OR REPLACE FUNCTION bench.platform_now() RETURNS timestamptz LANGUAGE sql AS $$
    SELECT clock_timestamp() + coalesce((SELECT "offset" FROM core.demo_clock), interval '0')
$$;

CREATE OR REPLACE FUNCTION bench.done(p_outcome text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF p_outcome IS DISTINCT FROM 'created' THEN
        RAISE EXCEPTION 'not done: %', p_outcome;
    END IF;
    RETURN p_outcome;
END
$$;

CREATE OR REPLACE FUNCTION bench.start_next() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    i bench.start;
BEGIN
    SELECT * INTO i FROM bench.start WHERE n = (SELECT nextval('bench.next_item'));
    RETURN bench.done((SELECT outcome FROM issuance.start_attempts(
        i.campaign, i.phase, i.rule, true, bench.platform_now(), ARRAY[i.bucket], ARRAY[i.person],
        ARRAY[i.request_no], ARRAY[i.fingerprint], ARRAY[i.attempt], ARRAY[i.questions], ARRAY[i.orders])));
END
$$;

CREATE OR REPLACE FUNCTION bench.submit_next() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    i bench.submission;
BEGIN
    SELECT * INTO i FROM bench.submission WHERE n = (SELECT nextval('bench.next_item'));
    RETURN bench.done((SELECT outcome FROM issuance.submit_attempts(
        bench.platform_now(), ARRAY[i.bucket], ARRAY[i.person], ARRAY[i.attempt], ARRAY[i.request_no],
        ARRAY[i.fingerprint], ARRAY[i.answers], ARRAY[i.correct], ARRAY[i.score])));
END
$$;

CREATE OR REPLACE FUNCTION bench.draw_next() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    i bench.draw_item;
BEGIN
    SELECT * INTO i FROM bench.draw_item WHERE n = (SELECT nextval('bench.next_item'));
    RETURN bench.done((SELECT outcome FROM issuance.draw_batch(
        i.campaign, i.phase, i.pad_inner, i.pad_outer, i.prefix, bench.platform_now(), ARRAY[i.bucket],
        ARRAY[i.person], ARRAY[i.request_no], ARRAY[i.fingerprint], ARRAY[i.draw], ARRAY[i.award], ARRAY[''])));
END
$$;

-- The write-off by the platform's own function, as a batch of one.
CREATE OR REPLACE FUNCTION bench.redeem_batch_next() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    i bench.write_off;
    v_now timestamptz := bench.platform_now();
BEGIN
    SELECT * INTO i FROM bench.write_off WHERE n = (SELECT nextval('bench.next_item'));
    RETURN bench.done((
        SELECT r.outcome
        FROM redemption.terminal t
        CROSS JOIN LATERAL redemption.redeem_batch(
            ARRAY[i.key_id], ARRAY[i.nonce], ARRAY[false], v_now + interval '10 minutes', ARRAY[t.bucket],
            ARRAY[t.caller_id], ARRAY[i.request_no], ARRAY[i.fingerprint], ARRAY[i.bucket], ARRAY[i.code_hash],
            ARRAY[false], ARRAY[i.bill_fen], ARRAY[NULL::timestamptz], ARRAY[NULL::text], ARRAY[i.redemption],
            'online', v_now, clock_timestamp(), ARRAY[NULL::text]) AS r
        WHERE t.id = i.key_id));
END
$$;

-- The best that one transaction for one voucher can be on this schema, written by hand: no arrays, no sets, the
-- voucher's update first, and every row that the platform's own write-off makes. It answers only what it did or
-- that it did not; who asks why would have to ask again.
CREATE OR REPLACE FUNCTION bench.redeem_one(
    p_key_id text, p_nonce text, p_request_no text, p_fingerprint bytea, p_bucket smallint, p_code_hash bytea,
    p_bill_fen bigint, p_redemption uuid, p_now timestamptz
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    v record;
    v_applied bigint;
    v_split bigint[];
    v_rest bigint[];
    v_actor text := 'terminal:' || p_key_id;
    v_machine_now timestamptz := clock_timestamp();
BEGIN
    UPDATE core.voucher w SET state = 'redeemed', redeemed_at = p_now, institution_id = t.institution_id
    FROM redemption.terminal t
    JOIN redemption.institution i ON i.id = t.institution_id AND i.status = 'active' AND NOT i.operators_required
    JOIN redemption.membership m ON m.institution_id = i.id
    JOIN core.campaign c ON c.id = m.campaign_id
    WHERE w.bucket = p_bucket AND w.code_hash = p_code_hash AND w.state = 'issued' AND w.valid_from <= p_now
      AND w.valid_until > p_now AND w.kind = 'general' AND t.id = p_key_id AND t.status = 'active'
      AND m.campaign_id = w.campaign_id AND w.voucher_type = ANY (m.accepts)
    RETURNING w.id, w.campaign_id, w.voucher_type, w.kind, w.amount_fen, w.split_fen, w.fund_version,
              t.institution_id, t.bucket AS caller_bucket, t.caller_id, (p_now AT TIME ZONE c.timezone)::date AS day
    INTO v;
    IF NOT FOUND THEN
        RETURN 'refused';
    END IF;

    v_applied := least(v.amount_fen, p_bill_fen);
    v_split := v.split_fen;
    IF v_applied < v.amount_fen THEN
        SELECT core.split_within(v_applied, f.shares_ppm, v.split_fen) INTO v_split
        FROM core.fund_version f WHERE f.campaign_id = v.campaign_id AND f.version = v.fund_version;
        v_rest := core.amounts_add(v.split_fen, (SELECT array_agg(-x ORDER BY o)
                                                 FROM unnest(v_split) WITH ORDINALITY AS a (x, o)));
        INSERT INTO core.ledger_transfer (
            bucket, source_id, kind, campaign_id, debit, credit, amounts_fen, voucher_id, institution_id, actor, at)
        VALUES (p_bucket, p_redemption, 'release', v.campaign_id, 'committed', 'available', v_rest, v.id,
                v.institution_id, v_actor, p_now);
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n, amounts_fen)
        VALUES (v.campaign_id, v.day, 'release', v.voucher_type, v.institution_id, 1, v_rest);
    END IF;

    WITH nonce AS (
        INSERT INTO core.nonce (key_id, nonce, expires_at) VALUES (p_key_id, p_nonce, p_now + interval '10 minutes')
    ), request AS (
        INSERT INTO core.request (
            bucket, caller_id, operation, request_no, fingerprint, result_bucket, result_id, created_at)
        VALUES (v.caller_bucket, v.caller_id, 'redemption', p_request_no, p_fingerprint, p_bucket, p_redemption, p_now)
    ), redemption AS (
        INSERT INTO redemption.redemption (
            bucket, id, voucher_id, institution_id, terminal_id, campaign_id, voucher_type, kind, request_no,
            bill_fen, applied_fen, payable_fen, split_fen, redeemed_at, received_at, source)
        VALUES (p_bucket, p_redemption, v.id, v.institution_id, p_key_id, v.campaign_id, v.voucher_type, v.kind,
                p_request_no, p_bill_fen, v_applied, p_bill_fen - v_applied, v_split, p_now, p_now, 'online')
    ), ledger AS (
        INSERT INTO core.ledger_transfer (
            bucket, source_id, kind, campaign_id, debit, credit, amounts_fen, voucher_id, institution_id, actor, at)
        VALUES (p_bucket, p_redemption, 'redeem', v.campaign_id, 'committed', 'payable', v_split, v.id,
                v.institution_id, v_actor, p_now)
    ), tally AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n, amounts_fen)
        VALUES (v.campaign_id, v.day, 'redeem', v.voucher_type, v.institution_id, 1, v_split)
    )
    INSERT INTO core.outbox (bucket, id, queue, kind, payload, next_at, created_at)
    VALUES (p_bucket, md5('voucher ' || p_redemption::text)::uuid, 'issuance', 'issuance.voucher_redeemed',
            jsonb_build_object('voucher_id', core.hot_id_text(p_bucket, v.id)), v_machine_now, v_machine_now),
           (p_bucket, p_redemption, 'redemption', 'redemption.redemption_counted',
            jsonb_build_object('redemption_id', core.hot_id_text(p_bucket, p_redemption)), v_machine_now,
            v_machine_now);
    RETURN 'created';
END
$$;

CREATE OR REPLACE FUNCTION bench.redeem_one_next() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    i bench.write_off;
BEGIN
    SELECT * INTO i FROM bench.write_off WHERE n = (SELECT nextval('bench.next_item'));
    RETURN bench.done(bench.redeem_one(
        i.key_id, i.nonce, i.request_no, i.fingerprint, i.bucket, i.code_hash, i.bill_fen, i.redemption,
        bench.platform_now()));
END
$$;

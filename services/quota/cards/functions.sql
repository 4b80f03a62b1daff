-- Card events. Locks, in this order: the programme (shared: against a freeze), event keys by (bucket, id),
-- cards by (bucket, holder). A person's events lie in its bucket; only event keys have buckets of their own.

-- Works out anew what the events of these persons count for, and writes the difference. The caller holds
-- the persons' cards. New events come in with their ord; the result says what each of them came to.
--
-- Of a person's events in the order of their time (equal times in the order of arrival):
--   issued     opens a card, unless one is open: then the person has a card already
--   cancelled  closes the open card
--   used       uses the open card; a card counts as used once
-- A card counts for the hospital of the event that opened it, from the day of that event until the day of
-- its cancellation. What was credited before and no longer holds is taken back on its own day. Nothing is
-- written on a day before p_open_from: what belongs to a frozen month falls on the first open day.
CREATE OR REPLACE FUNCTION quota.settle_cards(
    p_programme uuid, p_timezone text, p_open_from date, p_now timestamptz, p_source text,
    p_holder_bucket smallint[], p_holder bytea[],
    p_ord integer[], p_event text[], p_event_holder_bucket smallint[], p_event_holder bytea[],
    p_kind text[], p_scene text[], p_hospital text[], p_at timestamptz[]
) RETURNS TABLE (ord integer, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH touched AS (
        SELECT c.bucket, c.holder_hash, c.events, c.credits
        FROM unnest(p_holder_bucket, p_holder) AS u (bucket, holder_hash)
        JOIN quota.card c
          ON c.bucket = u.bucket AND c.programme_id = p_programme AND c.holder_hash = u.holder_hash
    ), fresh AS (
        SELECT u.*,
               t.events - count(*) OVER (PARTITION BY u.bucket, u.holder_hash)
               + row_number() OVER (PARTITION BY u.bucket, u.holder_hash ORDER BY u.ord) AS place
        FROM unnest(p_ord, p_event, p_event_holder_bucket, p_event_holder, p_kind, p_scene, p_hospital, p_at)
             AS u (ord, event_id, bucket, holder_hash, kind, scene, hospital_id, at)
        JOIN touched t ON t.bucket = u.bucket AND t.holder_hash = u.holder_hash
    ), known AS (
        SELECT NULL::integer AS ord, e.bucket, e.holder_hash, e.place, e.event_id, e.kind, e.at,
               coalesce(a.hospital_id, e.hospital_id) AS hospital_id
        FROM touched t
        JOIN quota.card_event e
          ON e.bucket = t.bucket AND e.programme_id = p_programme AND e.holder_hash = t.holder_hash
        LEFT JOIN quota.card_assignment a
          ON a.bucket = e.bucket AND a.programme_id = p_programme AND a.event_id = e.event_id
        UNION ALL
        SELECT ord, bucket, holder_hash, place, event_id, kind, at, hospital_id FROM fresh
    ), marked AS (
        SELECT *, CASE
            WHEN kind = 'issued' AND lag(kind) OVER in_time IS DISTINCT FROM 'issued' THEN 'open'
            WHEN kind = 'cancelled' AND lag(kind) OVER in_time = 'issued' THEN 'close'
        END AS mark
        FROM known WHERE kind <> 'used'
        WINDOW in_time AS (PARTITION BY bucket, holder_hash ORDER BY at, place)
        UNION ALL
        SELECT *, NULL FROM known WHERE kind = 'used'
    ), posted AS (
        SELECT c.bucket, c.holder_hash, c.event_id, c.measure, c.hospital_id,
               sum(c.n) AS n, max(c.day) AS day
        FROM touched t
        JOIN quota.card_credit c
          ON c.bucket = t.bucket AND c.programme_id = p_programme AND c.holder_hash = t.holder_hash
        GROUP BY c.bucket, c.holder_hash, c.event_id, c.measure, c.hospital_id
        HAVING sum(c.n) <> 0
    ), runs AS (
        -- A run is a card: everything from its opening to the next one.
        SELECT m.*, p.n IS NOT NULL AS opened_before,
               count(*) FILTER (WHERE mark = 'open') OVER in_time AS run,
               count(*) FILTER (WHERE mark = 'open') OVER in_time
               > count(*) FILTER (WHERE mark = 'close') OVER in_time AS live
        FROM marked m
        LEFT JOIN posted p
          ON p.bucket = m.bucket AND p.holder_hash = m.holder_hash AND p.event_id = m.event_id
         AND p.measure = 'card' AND p.n > 0
        WINDOW in_time AS (PARTITION BY m.bucket, m.holder_hash ORDER BY m.at, m.place)
    ), told AS (
        SELECT *,
               kind = 'used' AND live AND row_number() OVER (
                   PARTITION BY bucket, holder_hash, run, kind = 'used' AND live ORDER BY at, place
               ) = 1 AS first_use,
               bool_or(kind = 'used' AND live) OVER card AS card_used,
               bool_or(opened_before) OVER card AS card_was_known,
               max(hospital_id) FILTER (WHERE mark = 'open') OVER card AS card_hospital,
               max(event_id) FILTER (WHERE mark = 'open') OVER card AS card_event,
               max(at) FILTER (WHERE mark = 'open') OVER card AS card_at
        FROM runs
        WINDOW card AS (PARTITION BY bucket, holder_hash, run)
    ), wanted AS (
        SELECT bucket, holder_hash, event_id, 'card' AS measure, coalesce(card_hospital, '') AS hospital_id,
               CASE mark WHEN 'open' THEN 1 ELSE -1 END AS n, at
        FROM told WHERE mark IS NOT NULL
        UNION ALL
        SELECT bucket, holder_hash, event_id, 'card_used', coalesce(card_hospital, ''),
               CASE WHEN first_use THEN 1 ELSE -1 END, at
        FROM told WHERE first_use OR (mark = 'close' AND card_used)
    ), moves AS (
        SELECT p.bucket, p.holder_hash, p.event_id, p.measure, p.hospital_id,
               -p.n AS n, greatest(p.day, p_open_from) AS day
        FROM posted p
        WHERE NOT EXISTS (
            SELECT 1 FROM wanted w
            WHERE w.bucket = p.bucket AND w.holder_hash = p.holder_hash AND w.event_id = p.event_id
              AND w.measure = p.measure AND w.hospital_id = p.hospital_id AND w.n = p.n)
        UNION ALL
        SELECT w.bucket, w.holder_hash, w.event_id, w.measure, w.hospital_id,
               w.n, greatest((w.at AT TIME ZONE p_timezone)::date, p_open_from)
        FROM wanted w
        WHERE NOT EXISTS (
            SELECT 1 FROM posted p
            WHERE p.bucket = w.bucket AND p.holder_hash = w.holder_hash AND p.event_id = w.event_id
              AND p.measure = w.measure AND p.hospital_id = w.hospital_id AND p.n = w.n)
    ), judged AS (
        -- An issued event counts when it brings a card more. One that comes late and takes the place of a
        -- later code moves the card to its hospital, but the person had its card already.
        SELECT t.ord, t.bucket, t.holder_hash, t.place, CASE
            WHEN t.kind = 'used' THEN CASE WHEN t.live THEN 'counted' ELSE 'unknown_holder' END
            WHEN t.kind = 'cancelled' THEN CASE WHEN t.mark = 'close' THEN 'counted' ELSE 'unknown_holder' END
            WHEN t.mark IS NULL OR t.card_was_known THEN 'already_has_card'
            WHEN t.hospital_id IS NULL THEN 'unattributed'
            ELSE 'counted'
        END AS outcome
        FROM told t WHERE t.ord IS NOT NULL
    ), stored AS (
        INSERT INTO quota.card_event (
            bucket, programme_id, holder_hash, place, event_id, kind, scene, hospital_id, at, received_at,
            source, outcome)
        SELECT f.bucket, p_programme, f.holder_hash, f.place, f.event_id, f.kind, f.scene, f.hospital_id,
               f.at, p_now, p_source, j.outcome
        FROM fresh f JOIN judged j ON j.ord = f.ord
    ), credited AS (
        INSERT INTO quota.card_credit (
            bucket, programme_id, holder_hash, place, event_id, measure, hospital_id, day, n, recorded_at)
        SELECT m.bucket, p_programme, m.holder_hash,
               t.credits + row_number() OVER (
                   PARTITION BY m.bucket, m.holder_hash ORDER BY m.measure, m.n, m.event_id),
               m.event_id, m.measure, m.hospital_id, m.day, m.n, p_now
        FROM moves m
        JOIN touched t ON t.bucket = m.bucket AND t.holder_hash = m.holder_hash
    ), figures AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, n)
        SELECT p_programme, day, measure, hospital_id, sum(n) FROM moves
        GROUP BY day, measure, hospital_id HAVING sum(n) <> 0
    ), standing AS (
        SELECT DISTINCT ON (bucket, holder_hash)
               bucket, holder_hash, run, live, card_hospital, card_event, card_at, card_used
        FROM told ORDER BY bucket, holder_hash, at DESC, place DESC
    ), renewed AS (
        UPDATE quota.card c
        SET state = CASE WHEN s.live THEN 'active' WHEN s.run > 0 THEN 'cancelled' ELSE 'none' END,
            hospital_id = s.card_hospital, event_id = s.card_event, opened_at = s.card_at,
            used = s.card_used, credits = c.credits + coalesce(k.written, 0)
        FROM standing s
        LEFT JOIN (SELECT bucket, holder_hash, count(*) AS written FROM moves GROUP BY bucket, holder_hash) k
          ON k.bucket = s.bucket AND k.holder_hash = s.holder_hash
        WHERE c.bucket = s.bucket AND c.programme_id = p_programme AND c.holder_hash = s.holder_hash
    )
    SELECT j.ord, j.outcome FROM judged j;
END
$$;

-- Counts a batch of events, exactly once each. Returns one outcome for each ord (from 1).
-- p_holder is the keyed hash of the holder, p_scene the scene as sent, p_code the scene as understood.
CREATE OR REPLACE FUNCTION quota.count_card_events(
    p_programme uuid, p_now timestamptz, p_source text,
    p_event_bucket smallint[], p_event text[], p_bucket smallint[], p_holder bytea[],
    p_kind text[], p_scene text[], p_code text[], p_at timestamptz[]
) RETURNS TABLE (ord integer, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_timezone text;
    v_open_from date;
    v_ord integer[];
    v_event text[];
    v_bucket smallint[];
    v_holder bytea[];
    v_kind text[];
    v_scene text[];
    v_hospital text[];
    v_at timestamptz[];
    v_person_bucket smallint[];
    v_person bytea[];
BEGIN
    SELECT timezone, coalesce(frozen_through + 1, '-infinity') INTO v_timezone, v_open_from
    FROM quota.programme WHERE id = p_programme FOR SHARE;

    WITH given AS (
        SELECT u.*, u.n::integer AS ord
        FROM unnest(p_event_bucket, p_event, p_bucket, p_holder, p_kind, p_scene, p_code, p_at)
             WITH ORDINALITY AS u (event_bucket, event_id, bucket, holder, kind, scene, code, at, n)
    ), first AS (
        SELECT DISTINCT ON (event_bucket, event_id) * FROM given ORDER BY event_bucket, event_id, ord
    ), keyed AS (
        INSERT INTO quota.card_event_key AS k (bucket, programme_id, event_id, holder_bucket, holder_hash)
        SELECT event_bucket, p_programme, event_id, bucket, holder FROM first
        ORDER BY event_bucket, event_id
        ON CONFLICT (bucket, programme_id, event_id) DO UPDATE SET replays = k.replays + 1
        RETURNING k.bucket, k.event_id, k.replays
    )
    SELECT array_agg(f.ord ORDER BY f.ord), array_agg(f.event_id ORDER BY f.ord),
           array_agg(f.bucket ORDER BY f.ord), array_agg(f.holder ORDER BY f.ord),
           array_agg(f.kind ORDER BY f.ord), array_agg(f.scene ORDER BY f.ord),
           array_agg(c.hospital_id ORDER BY f.ord), array_agg(f.at ORDER BY f.ord)
    INTO v_ord, v_event, v_bucket, v_holder, v_kind, v_scene, v_hospital, v_at
    FROM keyed
    JOIN first f ON f.event_bucket = keyed.bucket AND f.event_id = keyed.event_id
    LEFT JOIN quota.hospital_code c ON c.scene = f.code AND c.programme_id = p_programme
    WHERE keyed.replays = 0;

    IF v_ord IS NOT NULL THEN
        WITH locked AS (
            INSERT INTO quota.card AS c (
                bucket, programme_id, holder_hash, state, used, events, credits)
            SELECT u.bucket, p_programme, u.holder, 'none', false, count(*), 0
            FROM unnest(v_bucket, v_holder) AS u (bucket, holder)
            GROUP BY u.bucket, u.holder ORDER BY u.bucket, u.holder
            ON CONFLICT (bucket, programme_id, holder_hash) DO UPDATE SET events = c.events + excluded.events
            RETURNING c.bucket, c.holder_hash
        )
        SELECT array_agg(bucket), array_agg(holder_hash) INTO v_person_bucket, v_person FROM locked;

        RETURN QUERY SELECT s.ord, s.outcome FROM quota.settle_cards(
            p_programme, v_timezone, v_open_from, p_now, p_source, v_person_bucket, v_person,
            v_ord, v_event, v_bucket, v_holder, v_kind, v_scene, v_hospital, v_at) s;
    END IF;

    RETURN QUERY
    SELECT g.n::integer, 'duplicate_event'
    FROM generate_series(1, cardinality(p_event)) AS g (n)
    LEFT JOIN unnest(v_ord) AS f (ord) ON f.ord = g.n
    WHERE f.ord IS NULL;
END
$$;

-- Gives an unattributed card to a hospital. False when the event's card is not (or no longer) one.
CREATE OR REPLACE FUNCTION quota.assign_card(
    p_programme uuid, p_event_bucket smallint, p_event text, p_hospital text, p_reason text, p_change uuid,
    p_now timestamptz
) RETURNS boolean
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_timezone text;
    v_open_from date;
    v_bucket smallint;
    v_holder bytea;
BEGIN
    SELECT timezone, coalesce(frozen_through + 1, '-infinity') INTO v_timezone, v_open_from
    FROM quota.programme WHERE id = p_programme FOR SHARE;

    SELECT holder_bucket, holder_hash INTO v_bucket, v_holder
    FROM quota.card_event_key
    WHERE bucket = p_event_bucket AND programme_id = p_programme AND event_id = p_event;

    PERFORM 1 FROM quota.card
    WHERE bucket = v_bucket AND programme_id = p_programme AND holder_hash = v_holder
      AND state = 'active' AND event_id = p_event AND hospital_id IS NULL
    FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;

    INSERT INTO quota.card_assignment (
        bucket, programme_id, event_id, hospital_id, reason, change_id, assigned_at)
    VALUES (v_bucket, p_programme, p_event, p_hospital, p_reason, p_change, p_now);

    PERFORM quota.settle_cards(
        p_programme, v_timezone, v_open_from, p_now, '', ARRAY[v_bucket], ARRAY[v_holder],
        '{}'::integer[], '{}'::text[], '{}'::smallint[], '{}'::bytea[], '{}'::text[], '{}'::text[],
        '{}'::text[], '{}'::timestamptz[]);
    RETURN true;
END
$$;

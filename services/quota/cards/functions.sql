-- Card events. Locks, in this order: the programme (shared: against a freeze), event keys by (bucket, id),
-- cards by (bucket, holder). A person's events lie in its bucket; only event keys have buckets of their own.

-- The scene that was meant by one that was sent: qrcodes/rules.read_scene, for one that is known to be ours.
CREATE OR REPLACE FUNCTION quota.plain_scene(p_sent text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT translate(upper(p_sent), 'OIL -', '011')
$$;

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
-- A card whose event is void (evidence of a confirmed case of stuffing) and that was never used is taken out
-- of the effective figures by a credit of its own, `card_void`; the gross ones do not change.
DROP FUNCTION IF EXISTS quota.settle_cards(
    uuid, text, date, timestamptz, text, smallint[], bytea[], integer[], text[], smallint[], bytea[], text[],
    text[], text[], timestamptz[]);
CREATE OR REPLACE FUNCTION quota.settle_cards(
    p_programme uuid, p_timezone text, p_open_from date, p_now timestamptz, p_source text,
    p_holder_bucket smallint[], p_holder bytea[],
    p_ord integer[], p_event text[], p_event_holder_bucket smallint[], p_event_holder bytea[],
    p_kind text[], p_scene text[], p_hospital text[], p_at timestamptz[], p_device bigint[]
) RETURNS TABLE (ord integer, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    -- What belongs to a person is gathered by UNION ALL and grouped or windowed, never joined: estimates of
    -- array lengths are guesses, and a guess of one row makes a nested loop of a thousand times a thousand.
    WITH touched AS (
        -- `stored` is how many events a person had before: whoever is new has nothing to be looked for, and
        -- of ten million holders each look is a page from the disk.
        SELECT bucket, holder_hash, max(credits) AS credits, max(events) - sum(n) AS stored
        FROM (
            SELECT c.bucket, c.holder_hash, c.credits, c.events, 0 AS n
            FROM unnest(p_holder_bucket, p_holder) AS u (bucket, holder_hash)
            -- LIMIT keeps the planner from joining the other way round: statistics that do not know a new
            -- programme yet make all of its cards look like one row.
            CROSS JOIN LATERAL (
                SELECT * FROM quota.card k
                WHERE k.bucket = u.bucket AND k.programme_id = p_programme AND k.holder_hash = u.holder_hash
                LIMIT 1
            ) AS c
            UNION ALL
            SELECT bucket, holder_hash, NULL, NULL, 1
            FROM unnest(p_event_holder_bucket, p_event_holder) AS u (bucket, holder_hash)
        ) AS person
        GROUP BY bucket, holder_hash
    ), fresh AS (
        SELECT u.*, c.credits,
               c.events - count(*) OVER (PARTITION BY u.bucket, u.holder_hash)
               + row_number() OVER (PARTITION BY u.bucket, u.holder_hash ORDER BY u.ord) AS place
        FROM unnest(p_ord, p_event, p_event_holder_bucket, p_event_holder, p_kind, p_scene, p_hospital, p_at,
                    p_device)
             AS u (ord, event_id, bucket, holder_hash, kind, scene, hospital_id, at, device)
        CROSS JOIN LATERAL (
            SELECT * FROM quota.card k
            WHERE k.bucket = u.bucket AND k.programme_id = p_programme AND k.holder_hash = u.holder_hash
            LIMIT 1
        ) AS c
    ), posted AS (
        SELECT t.bucket, t.holder_hash, t.credits, c.event_id, c.measure, c.hospital_id, c.code, c.n, c.day
        FROM touched t
        JOIN quota.card_credit c
          ON c.bucket = t.bucket AND c.programme_id = p_programme AND c.holder_hash = t.holder_hash
        WHERE t.credits > 0
    ), known AS (
        SELECT bucket, holder_hash, event_id, max(credits) AS credits, max(ord) AS ord, max(place) AS place,
               max(kind) AS kind, max(at) AS at, max(scene) AS scene, max(code_hospital_id) AS code_hospital_id,
               coalesce(max(assigned_id), max(code_hospital_id)) AS hospital_id, max(code) AS code,
               sum(n) > 0 AS opened_before, max(device) AS device, bool_or(void) AS void
        FROM (
            SELECT t.bucket, t.holder_hash, e.event_id, t.credits, NULL::integer AS ord, e.place, e.kind, e.at,
                   NULL::text AS scene, e.hospital_id AS code_hospital_id, a.hospital_id AS assigned_id, 0 AS n,
                   CASE WHEN e.hospital_id IS NOT NULL THEN quota.plain_scene(e.scene) END AS code,
                   NULL::bigint AS device, v.event_id IS NOT NULL AS void
            FROM touched t
            JOIN quota.card_event e
              ON e.bucket = t.bucket AND e.programme_id = p_programme AND e.holder_hash = t.holder_hash
            LEFT JOIN quota.card_assignment a
              ON a.bucket = e.bucket AND a.programme_id = p_programme AND a.event_id = e.event_id
            LEFT JOIN quota.card_void v
              ON v.bucket = e.bucket AND v.programme_id = p_programme AND v.holder_hash = e.holder_hash
             AND v.event_id = e.event_id
            WHERE t.stored > 0
            UNION ALL
            SELECT bucket, holder_hash, event_id, credits, ord, place, kind, at, scene, hospital_id, NULL, 0,
                   CASE WHEN hospital_id IS NOT NULL THEN quota.plain_scene(scene) END, device, false
            FROM fresh
            UNION ALL
            SELECT bucket, holder_hash, event_id, credits, NULL, NULL, NULL, NULL, NULL, NULL, NULL, n, NULL,
                   NULL, false
            FROM posted WHERE measure = 'card'
        ) AS fact
        GROUP BY bucket, holder_hash, event_id
    ), marked AS (
        SELECT *, CASE
            WHEN kind = 'issued' AND lag(kind) OVER in_time IS DISTINCT FROM 'issued' THEN 'open'
            WHEN kind = 'cancelled' AND lag(kind) OVER in_time = 'issued' THEN 'close'
        END AS mark
        FROM known WHERE kind <> 'used'
        WINDOW in_time AS (PARTITION BY bucket, holder_hash ORDER BY at, place)
        UNION ALL
        SELECT *, NULL FROM known WHERE kind = 'used'
    ), runs AS (
        -- A run is a card: everything from its opening to the next one.
        SELECT *,
               count(*) FILTER (WHERE mark = 'open') OVER in_time AS run,
               count(*) FILTER (WHERE mark = 'open') OVER in_time
               > count(*) FILTER (WHERE mark = 'close') OVER in_time AS live
        FROM marked
        WINDOW in_time AS (PARTITION BY bucket, holder_hash ORDER BY at, place)
    ), told AS (
        SELECT *,
               kind = 'used' AND live AND row_number() OVER (
                   PARTITION BY bucket, holder_hash, run, kind = 'used' AND live ORDER BY at, place
               ) = 1 AS first_use,
               bool_or(kind = 'used' AND live) OVER card AS card_used,
               bool_or(opened_before) OVER card AS card_was_known,
               bool_or(void) FILTER (WHERE mark = 'open') OVER card AS card_void,
               max(hospital_id) FILTER (WHERE mark = 'open') OVER card AS card_hospital,
               coalesce(max(code) FILTER (WHERE mark = 'open') OVER card, '') AS card_code,
               max(event_id) FILTER (WHERE mark = 'open') OVER card AS card_event,
               max(at) FILTER (WHERE mark = 'open') OVER card AS card_at
        FROM runs
        WINDOW card AS (PARTITION BY bucket, holder_hash, run)
    ), moves AS (
        -- An event's credit of a measure has one sign for ever, so the difference is one card or none.
        SELECT bucket, holder_hash, max(credits) AS credits, event_id, measure, hospital_id, code,
               sum(wanted) - sum(posted) AS n, coalesce(max(event_day), max(posted_day)) AS happened_on,
               greatest(coalesce(max(event_day), max(posted_day)), p_open_from) AS day
        FROM (
            SELECT bucket, holder_hash, credits, event_id, 'card' AS measure,
                   coalesce(card_hospital, '') AS hospital_id, card_code AS code, CASE mark WHEN 'open' THEN 1 ELSE -1 END AS wanted,
                   0 AS posted, (at AT TIME ZONE p_timezone)::date AS event_day, NULL::date AS posted_day
            FROM told WHERE mark IS NOT NULL
            UNION ALL
            SELECT bucket, holder_hash, credits, event_id, 'card_used', coalesce(card_hospital, ''), card_code,
                   CASE WHEN first_use THEN 1 ELSE -1 END, 0, (at AT TIME ZONE p_timezone)::date, NULL
            FROM told WHERE first_use OR (mark = 'close' AND card_used)
            UNION ALL
            SELECT bucket, holder_hash, credits, event_id, 'card_void', coalesce(card_hospital, ''), card_code,
                   CASE mark WHEN 'open' THEN 1 ELSE -1 END, 0, (at AT TIME ZONE p_timezone)::date, NULL
            FROM told WHERE mark IS NOT NULL AND card_void AND NOT card_used
            UNION ALL
            SELECT bucket, holder_hash, credits, event_id, measure, hospital_id, code, 0, n, NULL, day FROM posted
        ) AS credit
        GROUP BY bucket, holder_hash, event_id, measure, hospital_id, code
        HAVING sum(wanted) <> sum(posted)
    ), judged AS (
        -- An issued event counts when it brings a card more. One that comes late and takes the place of a
        -- later code moves the card to its hospital, but the person had its card already.
        SELECT ord, bucket, holder_hash, place, event_id, kind, scene, code_hospital_id, at, device, CASE
            WHEN kind = 'used' THEN CASE WHEN live THEN 'counted' ELSE 'unknown_holder' END
            WHEN kind = 'cancelled' THEN CASE WHEN mark = 'close' THEN 'counted' ELSE 'unknown_holder' END
            WHEN mark IS NULL OR card_was_known THEN 'already_has_card'
            WHEN hospital_id IS NULL THEN 'unattributed'
            ELSE 'counted'
        END AS outcome
        FROM told WHERE ord IS NOT NULL
    ), stored AS (
        INSERT INTO quota.card_event (
            bucket, programme_id, holder_hash, place, event_id, kind, scene, hospital_id, at, received_at,
            source, outcome, device_hash)
        SELECT bucket, p_programme, holder_hash, place, event_id, kind, scene, code_hospital_id, at, p_now,
               p_source, outcome, device
        FROM judged
    ), credited AS (
        INSERT INTO quota.card_credit (
            bucket, programme_id, holder_hash, place, event_id, measure, hospital_id, code, day, n,
            recorded_at)
        SELECT bucket, p_programme, holder_hash,
               credits + row_number() OVER (PARTITION BY bucket, holder_hash ORDER BY measure, n, event_id),
               event_id, measure, hospital_id, code, day, n, p_now
        FROM moves
    ), figures AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, n)
        SELECT p_programme, day, measure, hospital_id, sum(n) FROM moves
        GROUP BY day, measure, hospital_id HAVING sum(n) <> 0
    ), code_figures AS (
        -- The same by code; what has none (assigned, unattributed) is under the empty one, so that they add up.
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
        SELECT p_programme, day, measure || '_code', hospital_id, code, sum(n) FROM moves
        GROUP BY day, measure, hospital_id, code HAVING sum(n) <> 0
    ), suspected AS (
        -- Days that the signals look at again.
        INSERT INTO quota.signal_mark (programme_id, hospital_id, code, day)
        SELECT DISTINCT p_programme, hospital_id, code, happened_on FROM moves
        WHERE measure = 'card' AND hospital_id <> '' AND code <> ''
    ), standing AS (
        SELECT bucket, holder_hash, max(run) AS run, bool_or(live) AS live, max(card_hospital) AS hospital_id,
               max(card_event) AS event_id, max(card_at) AS opened_at, bool_or(card_used) AS used,
               sum(written) AS written
        FROM (
            (SELECT DISTINCT ON (bucket, holder_hash)
                    bucket, holder_hash, run, live, card_hospital, card_event, card_at, card_used, 0 AS written
             FROM told ORDER BY bucket, holder_hash, at DESC, place DESC)
            UNION ALL
            SELECT bucket, holder_hash, NULL, NULL, NULL, NULL, NULL, NULL, 1 FROM moves
        ) AS part
        GROUP BY bucket, holder_hash
    ), renewed AS (
        UPDATE quota.card c
        SET state = CASE WHEN s.live THEN 'active' WHEN s.run > 0 THEN 'cancelled' ELSE 'none' END,
            hospital_id = s.hospital_id, event_id = s.event_id, opened_at = s.opened_at, used = s.used,
            credits = c.credits + s.written
        FROM standing s
        WHERE c.bucket = s.bucket AND c.programme_id = p_programme AND c.holder_hash = s.holder_hash
    )
    SELECT ord, outcome FROM judged;
END
$$;

-- Landings and applications whose keys are new: each is counted on its day under the code that was sent.
CREATE OR REPLACE FUNCTION quota.count_stages(
    p_programme uuid, p_timezone text, p_now timestamptz, p_source text,
    p_ord integer[], p_event_bucket smallint[], p_event text[], p_holder bytea[], p_kind text[],
    p_scene text[], p_hospital text[], p_at timestamptz[], p_device bigint[]
) RETURNS TABLE (ord integer, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH stage AS (
        SELECT *, (at AT TIME ZONE p_timezone)::date AS day
        FROM unnest(p_ord, p_event_bucket, p_event, p_holder, p_kind, p_scene, p_hospital, p_at, p_device)
             AS u (ord, bucket, event_id, holder_hash, kind, scene, hospital_id, at, device)
        WHERE kind IN ('landed', 'applied')
    ), stored AS (
        INSERT INTO quota.card_stage (
            bucket, programme_id, event_id, holder_hash, kind, scene, hospital_id, at, day, received_at,
            source, device_hash)
        SELECT bucket, p_programme, event_id, holder_hash, kind, scene, hospital_id, at, day, p_now,
               p_source, device
        FROM stage
    ), figures AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
        SELECT p_programme, day, 'card_' || kind, coalesce(hospital_id, ''),
               CASE WHEN hospital_id IS NULL THEN '' ELSE quota.plain_scene(scene) END, count(*)
        FROM stage GROUP BY 2, 3, 4, 5
    )
    SELECT ord, CASE WHEN hospital_id IS NULL THEN 'unattributed' ELSE 'counted' END FROM stage;
END
$$;

-- Locks these persons' cards, making those that are missing, and settles at once whoever needs no weighing:
-- a person without events before, of whom one issued event came. What that comes to is what settle_cards
-- would say; nothing has to be looked for, and the card is written once, as it stands. Returns these events with
-- their outcomes, in arrays; the caller settles everybody else.
-- p_code is the scene as understood, for events that have a hospital.
CREATE OR REPLACE FUNCTION quota.open_first_cards(
    p_programme uuid, p_timezone text, p_open_from date, p_now timestamptz, p_source text,
    p_ord integer[], p_event text[], p_bucket smallint[], p_holder bytea[], p_kind text[], p_scene text[],
    p_code text[], p_hospital text[], p_at timestamptz[], p_device bigint[],
    OUT opened_ord integer[], OUT opened_outcome text[]
)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
BEGIN
    WITH sent AS (
        SELECT *
        FROM unnest(p_ord, p_event, p_bucket, p_holder, p_kind, p_scene, p_code, p_hospital, p_at, p_device)
             AS u (ord, event_id, bucket, holder_hash, kind, scene, code, hospital_id, at, device)
    ), person AS (
        SELECT bucket, holder_hash, count(*) AS events, count(*) = 1 AND min(kind) = 'issued' AS opens,
               min(hospital_id) AS hospital_id, min(event_id) AS event_id, min(at) AS at
        FROM sent GROUP BY bucket, holder_hash
    ), locked AS (
        INSERT INTO quota.card AS c (
            bucket, programme_id, holder_hash, state, hospital_id, event_id, opened_at, used, events, credits)
        SELECT bucket, p_programme, holder_hash, CASE WHEN opens THEN 'active' ELSE 'none' END,
               CASE WHEN opens THEN hospital_id END, CASE WHEN opens THEN event_id END,
               CASE WHEN opens THEN at END, false, events, opens::integer
        FROM person ORDER BY bucket, holder_hash
        ON CONFLICT (bucket, programme_id, holder_hash) DO UPDATE SET events = c.events + excluded.events
        -- A card that was there has an event more than came just now.
        RETURNING c.bucket, c.holder_hash, c.events = 1 AND c.state = 'active' AS opened
    ), opened AS (
        SELECT s.*, (s.at AT TIME ZONE p_timezone)::date AS happened_on,
               CASE WHEN s.hospital_id IS NULL THEN 'unattributed' ELSE 'counted' END AS outcome
        FROM locked l JOIN sent s ON s.bucket = l.bucket AND s.holder_hash = l.holder_hash
        -- As the indexes are sorted: rows that follow each other lie near each other.
        WHERE l.opened ORDER BY s.bucket, s.holder_hash
    ), stored AS (
        INSERT INTO quota.card_event (
            bucket, programme_id, holder_hash, place, event_id, kind, scene, hospital_id, at, received_at,
            source, outcome, device_hash)
        SELECT bucket, p_programme, holder_hash, 1, event_id, kind, scene, hospital_id, at, p_now,
               p_source, outcome, device
        FROM opened
    ), credited AS (
        INSERT INTO quota.card_credit (
            bucket, programme_id, holder_hash, place, event_id, measure, hospital_id, code, day, n,
            recorded_at)
        SELECT bucket, p_programme, holder_hash, 1, event_id, 'card', coalesce(hospital_id, ''),
               coalesce(code, ''), greatest(happened_on, p_open_from), 1, p_now
        FROM opened
    ), sums AS (
        SELECT coalesce(hospital_id, '') AS hospital_id, coalesce(code, '') AS code, happened_on,
               greatest(happened_on, p_open_from) AS day, count(*) AS n
        FROM opened GROUP BY hospital_id, code, happened_on
    ), figures AS (
        INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
        SELECT p_programme, day, 'card', hospital_id, '', sum(n) FROM sums GROUP BY day, hospital_id
        UNION ALL
        SELECT p_programme, day, 'card_code', hospital_id, code, sum(n) FROM sums GROUP BY day, hospital_id, code
    ), suspected AS (
        INSERT INTO quota.signal_mark (programme_id, hospital_id, code, day)
        SELECT p_programme, hospital_id, code, happened_on FROM sums WHERE hospital_id <> ''
    )
    SELECT array_agg(ord), array_agg(outcome) INTO opened_ord, opened_outcome FROM opened;
END
$$;

-- Counts a batch of events, exactly once each. Returns one outcome for each ord (from 1).
-- p_holder is the keyed hash of the holder, p_scene the scene as sent, p_code the scene as understood,
-- p_device the keyed hash of the device; the code before it was told leaves it out.
-- Landings and applications only count for the funnel, under the code that was sent.
DROP FUNCTION IF EXISTS quota.count_card_events(
    uuid, timestamptz, text, smallint[], text[], smallint[], bytea[], text[], text[], text[], timestamptz[]);
CREATE OR REPLACE FUNCTION quota.count_card_events(
    p_programme uuid, p_now timestamptz, p_source text,
    p_event_bucket smallint[], p_event text[], p_bucket smallint[], p_holder bytea[],
    p_kind text[], p_scene text[], p_code text[], p_at timestamptz[], p_device bigint[] DEFAULT NULL
) RETURNS TABLE (ord integer, outcome text)
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_handed_on boolean;
    v_timezone text;
    v_open_from date;
    v_ord integer[];
    v_event text[];
    v_bucket smallint[];
    v_holder bytea[];
    v_kind text[];
    v_scene text[];
    v_code text[];
    v_hospital text[];
    v_at timestamptz[];
    v_device bigint[];
    v_event_bucket smallint[];
    v_fresh integer[];
    v_opened integer[];
    v_outcome text[];
    v_person_bucket smallint[];
    v_person bytea[];
BEGIN
    SELECT timezone, coalesce(frozen_through + 1, '-infinity') INTO v_timezone, v_open_from
    FROM quota.programme WHERE id = p_programme FOR SHARE;

    -- Read behind the gate: a closure that hands codes on is written while no batch is counted.
    v_handed_on := EXISTS (
        SELECT FROM quota.hospital_event
        WHERE programme_id = p_programme AND kind = 'close' AND successor_id IS NOT NULL);

    WITH given AS (
        SELECT u.*, u.n::integer AS ord
        FROM unnest(p_event_bucket, p_event, p_bucket, p_holder, p_kind, p_scene, p_code, p_at, p_device)
             WITH ORDINALITY AS u (event_bucket, event_id, bucket, holder, kind, scene, code, at, device, n)
    ), first AS (
        SELECT DISTINCT ON (event_bucket, event_id) * FROM given ORDER BY event_bucket, event_id, ord
    ), keyed AS (
        INSERT INTO quota.card_event_key AS k (bucket, programme_id, event_id, holder_bucket, holder_hash)
        SELECT event_bucket, p_programme, event_id, bucket, holder FROM first
        ORDER BY event_bucket, event_id
        ON CONFLICT (bucket, programme_id, event_id) DO UPDATE SET replays = k.replays + 1
        RETURNING k.bucket, k.event_id, k.replays
    )
    SELECT array_agg(f.ord), array_agg(f.event_id), array_agg(f.bucket), array_agg(f.holder),
           array_agg(f.kind), array_agg(f.scene), array_agg(c.scene),
           array_agg(CASE WHEN v_handed_on
                     THEN quota.heir_at(p_programme, c.hospital_id, (f.at AT TIME ZONE v_timezone)::date)
                     ELSE c.hospital_id END), array_agg(f.at),
           array_agg(f.device), array_agg(f.event_bucket)
    INTO v_ord, v_event, v_bucket, v_holder, v_kind, v_scene, v_code, v_hospital, v_at, v_device,
         v_event_bucket
    FROM keyed
    JOIN first f ON f.event_bucket = keyed.bucket AND f.event_id = keyed.event_id
    LEFT JOIN quota.hospital_code c ON c.scene = f.code AND c.programme_id = p_programme
    WHERE keyed.replays = 0;

    v_fresh := v_ord;
    IF v_kind && ARRAY['landed', 'applied'] THEN
        RETURN QUERY SELECT s.ord, s.outcome FROM quota.count_stages(
            p_programme, v_timezone, p_now, p_source, v_ord, v_event_bucket, v_event, v_holder, v_kind,
            v_scene, v_hospital, v_at, v_device) s;
        SELECT array_agg(ord), array_agg(event_id), array_agg(bucket), array_agg(holder), array_agg(kind),
               array_agg(scene), array_agg(code), array_agg(hospital_id), array_agg(at), array_agg(device)
        INTO v_ord, v_event, v_bucket, v_holder, v_kind, v_scene, v_code, v_hospital, v_at, v_device
        FROM unnest(v_ord, v_event, v_bucket, v_holder, v_kind, v_scene, v_code, v_hospital, v_at, v_device)
             AS u (ord, event_id, bucket, holder, kind, scene, code, hospital_id, at, device)
        WHERE kind NOT IN ('landed', 'applied');
    END IF;

    IF v_ord IS NOT NULL THEN
        SELECT o.opened_ord, o.opened_outcome INTO v_opened, v_outcome
        FROM quota.open_first_cards(
            p_programme, v_timezone, v_open_from, p_now, p_source, v_ord, v_event, v_bucket, v_holder, v_kind,
            v_scene, v_code, v_hospital, v_at, v_device) o;
        RETURN QUERY SELECT * FROM unnest(v_opened, v_outcome);

        IF cardinality(v_opened) IS DISTINCT FROM cardinality(v_ord) THEN
            SELECT array_agg(ord), array_agg(event_id), array_agg(bucket), array_agg(holder), array_agg(kind),
                   array_agg(scene), array_agg(hospital_id), array_agg(at), array_agg(device)
            INTO v_ord, v_event, v_bucket, v_holder, v_kind, v_scene, v_hospital, v_at, v_device
            FROM unnest(v_ord, v_event, v_bucket, v_holder, v_kind, v_scene, v_hospital, v_at, v_device)
                 AS u (ord, event_id, bucket, holder, kind, scene, hospital_id, at, device)
            WHERE ord NOT IN (SELECT unnest(v_opened));

            SELECT array_agg(bucket), array_agg(holder) INTO v_person_bucket, v_person
            FROM (SELECT DISTINCT bucket, holder FROM unnest(v_bucket, v_holder) AS u (bucket, holder)) AS p;

            RETURN QUERY SELECT s.ord, s.outcome FROM quota.settle_cards(
                p_programme, v_timezone, v_open_from, p_now, p_source, v_person_bucket, v_person,
                v_ord, v_event, v_bucket, v_holder, v_kind, v_scene, v_hospital, v_at, v_device) s;
        END IF;
    END IF;

    IF cardinality(v_fresh) IS DISTINCT FROM cardinality(p_event) THEN
        RETURN QUERY
        SELECT g.n::integer, 'duplicate_event'
        FROM generate_series(1, cardinality(p_event)) AS g (n)
        LEFT JOIN unnest(v_fresh) AS f (ord) ON f.ord = g.n
        WHERE f.ord IS NULL;
    END IF;
END
$$;

-- Counts a batch as count_card_events does and uses the nonce of its signature up, at once. Returns the outcomes
-- in the order of the events; NULL, and nothing was counted, when the nonce was used before. The programme is
-- there: the key that signed was found under its slug.
CREATE OR REPLACE FUNCTION quota.count_signed_events(
    p_slug text, p_key_id text, p_nonce text, p_nonce_until timestamptz, p_now timestamptz, p_source text,
    p_event_bucket smallint[], p_event text[], p_bucket smallint[], p_holder bytea[],
    p_kind text[], p_scene text[], p_code text[], p_at timestamptz[], p_device bigint[]
) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
    v_programme uuid;
BEGIN
    SELECT id INTO STRICT v_programme FROM quota.programme WHERE slug = p_slug;
    IF EXISTS (SELECT FROM core.nonces_use(ARRAY[p_key_id], ARRAY[p_nonce], p_nonce_until)) THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY(
        SELECT c.outcome
        FROM quota.count_card_events(
            v_programme, p_now, p_source, p_event_bucket, p_event, p_bucket, p_holder, p_kind, p_scene,
            p_code, p_at, p_device) c
        ORDER BY c.ord);
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
        '{}'::text[], '{}'::timestamptz[], '{}'::bigint[]);
    RETURN true;
END
$$;

-- Voids the cards of these events, or (p_void false) counts them in full again: a confirmed case of stuffing,
-- or one that was taken back. What another confirmed case names as well stays void: asked when the cards are
-- locked, so that of two cases that are taken back at once the later one sees the earlier. Returns how many there were. Cards that no longer stand are remembered all the
-- same: a card is void by its event, also when it comes to stand again.
CREATE OR REPLACE FUNCTION quota.void_cards(
    p_programme uuid, p_bucket smallint[], p_holder bytea[], p_event text[], p_void boolean, p_now timestamptz
) RETURNS integer
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    v_timezone text;
    v_open_from date;
    v_person_bucket smallint[];
    v_person bytea[];
BEGIN
    SELECT timezone, coalesce(frozen_through + 1, '-infinity') INTO v_timezone, v_open_from
    FROM quota.programme WHERE id = p_programme FOR SHARE;

    WITH locked AS (
        SELECT c.bucket, c.holder_hash
        FROM (SELECT DISTINCT bucket, holder FROM unnest(p_bucket, p_holder) AS u (bucket, holder)) u
        JOIN quota.card c ON c.bucket = u.bucket AND c.programme_id = p_programme AND c.holder_hash = u.holder
        ORDER BY c.bucket, c.holder_hash
        FOR UPDATE OF c
    )
    SELECT array_agg(bucket), array_agg(holder_hash) INTO v_person_bucket, v_person FROM locked;

    IF p_void THEN
        INSERT INTO quota.card_void (bucket, programme_id, holder_hash, event_id)
        SELECT DISTINCT bucket, p_programme, holder, event_id
        FROM unnest(p_bucket, p_holder, p_event) AS u (bucket, holder, event_id)
        ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM quota.card_void v USING unnest(p_bucket, p_holder, p_event) AS u (bucket, holder, event_id)
        WHERE v.bucket = u.bucket AND v.programme_id = p_programme AND v.holder_hash = u.holder
          AND v.event_id = u.event_id AND NOT EXISTS (
              SELECT FROM quota.stuffing_item i JOIN quota.stuffing_case s ON s.id = i.case_id
              WHERE i.bucket = v.bucket AND i.programme_id = p_programme AND i.holder_hash = v.holder_hash
                AND i.event_id = v.event_id AND s.status = 'confirmed');
    END IF;

    PERFORM quota.settle_cards(
        p_programme, v_timezone, v_open_from, p_now, '', v_person_bucket, v_person,
        '{}'::integer[], '{}'::text[], '{}'::smallint[], '{}'::bytea[], '{}'::text[], '{}'::text[],
        '{}'::text[], '{}'::timestamptz[], '{}'::bigint[]);
    RETURN cardinality(p_event);
END
$$;

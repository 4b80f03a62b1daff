-- Holders $3 to $4 (from 1) of $2, each with a card of its own in programme $1: the rows that counting a million
-- batches would have left. Hashes are spread evenly and rise with the number, so that the indexes grow as fast
-- as a disk allows; $5 are codes, and hospitals $6 that they belong to.
WITH holder AS (
    SELECT n, decode(lpad(to_hex(n * 4294967296 / ($2::bigint + 1)), 8, '0') || substr(md5(n::text), 1, 24), 'hex') AS hash,
           ((n * 4294967296 / ($2::bigint + 1)) >> 22)::smallint AS bucket,
           'p' || lpad(to_hex(n * 4294967296 / ($2::bigint + 1)), 8, '0') || '-' || n AS event_id,
           (n % cardinality($5::text[]))::integer + 1 AS code,
           timestamptz '2020-08-01 00:00+00' + make_interval(secs => n * 5184000.0 / $2) AS at
    FROM generate_series($3::bigint, $4::bigint) AS n
), keyed AS (
    INSERT INTO quota.card_event_key (bucket, programme_id, event_id, holder_bucket, holder_hash)
    SELECT bucket, $1, event_id, bucket, hash FROM holder
), stored AS (
    INSERT INTO quota.card_event (
        bucket, programme_id, holder_hash, place, event_id, kind, scene, hospital_id, at, received_at, source,
        outcome)
    SELECT bucket, $1, hash, 1, event_id, 'issued', ($5::text[])[code], ($6::text[])[code], at, at, 'bench',
           'counted'
    FROM holder
), credited AS (
    INSERT INTO quota.card_credit (
        bucket, programme_id, holder_hash, place, event_id, measure, hospital_id, code, day, n, recorded_at)
    SELECT bucket, $1, hash, 1, event_id, 'card', ($6::text[])[code], ($5::text[])[code],
           (at AT TIME ZONE 'Asia/Shanghai')::date, 1, at
    FROM holder
), figures AS (
    INSERT INTO core.tally_delta (scope_id, day, measure, dim, dim2, n)
    SELECT $1, (at AT TIME ZONE 'Asia/Shanghai')::date, measure, ($6::text[])[code],
           CASE measure WHEN 'card' THEN '' ELSE ($5::text[])[code] END, count(*)
    FROM holder CROSS JOIN (VALUES ('card'), ('card_code')) AS m (measure)
    GROUP BY 2, 3, 4, 5
)
INSERT INTO quota.card (
    bucket, programme_id, holder_hash, state, hospital_id, event_id, opened_at, used, events, credits)
SELECT bucket, $1, hash, 'active', ($6::text[])[code], event_id, at, false, 1, 1 FROM holder

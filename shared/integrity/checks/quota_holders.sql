-- name: holders_count_at_most_once
-- zh: 每人最多计一次
-- Per programme and person: the credits come to one card or none, and to no more uses than cards; the card's
-- row says the same, for the same hospital. No event, credit or key of an event is missing.
WITH net AS (
    SELECT bucket, programme_id, holder_hash,
           sum(n) FILTER (WHERE measure = 'card') AS cards,
           coalesce(sum(n) FILTER (WHERE measure = 'card_used'), 0) AS uses,
           count(*) AS credits
    FROM quota.card_credit GROUP BY bucket, programme_id, holder_hash
), placed AS (
    SELECT bucket, programme_id, holder_hash, count(*) FILTER (WHERE n <> 0) AS hospitals,
           max(hospital_id) FILTER (WHERE n <> 0) AS hospital_id
    FROM (
        SELECT bucket, programme_id, holder_hash, hospital_id, sum(n) AS n
        FROM quota.card_credit WHERE measure = 'card'
        GROUP BY bucket, programme_id, holder_hash, hospital_id
    ) AS by_hospital
    GROUP BY bucket, programme_id, holder_hash
), arrived AS (
    SELECT e.bucket, e.programme_id, e.holder_hash, count(*) AS events, count(k.event_id) AS keys
    FROM quota.card_event e
    LEFT JOIN quota.card_event_key k
      ON k.programme_id = e.programme_id AND k.event_id = e.event_id
     AND k.holder_bucket = e.bucket AND k.holder_hash = e.holder_hash
    GROUP BY e.bucket, e.programme_id, e.holder_hash
), judged AS (
    SELECT c.bucket, c.state,
           coalesce(net.cards, 0) AS cards,
           coalesce(net.cards, 0) = CASE c.state WHEN 'active' THEN 1 ELSE 0 END
           AND coalesce(net.uses, 0) = CASE WHEN c.state = 'active' AND c.used THEN 1 ELSE 0 END
           AND coalesce(net.credits, 0) = c.credits
           AND coalesce(arrived.events, 0) = c.events AND coalesce(arrived.keys, 0) = c.events
           AND coalesce(placed.hospitals, 0) = CASE c.state WHEN 'active' THEN 1 ELSE 0 END
           AND (c.state <> 'active' OR placed.hospital_id = coalesce(c.hospital_id, '')) AS fits
    FROM quota.card c
    LEFT JOIN net USING (bucket, programme_id, holder_hash)
    LEFT JOIN placed USING (bucket, programme_id, holder_hash)
    LEFT JOIN arrived USING (bucket, programme_id, holder_hash)
), orphans AS (
    SELECT count(*) AS n
    FROM (SELECT bucket, programme_id, holder_hash FROM net
          UNION SELECT bucket, programme_id, holder_hash FROM arrived
          UNION SELECT k.holder_bucket, k.programme_id, k.holder_hash FROM quota.card_event_key k
          WHERE NOT EXISTS (SELECT FROM quota.card_stage s
                            WHERE s.bucket = k.bucket AND s.programme_id = k.programme_id
                              AND s.event_id = k.event_id)) AS person
    LEFT JOIN quota.card c USING (bucket, programme_id, holder_hash)
    WHERE c.state IS NULL
)
SELECT coalesce(bool_and(fits), true) AND (SELECT n FROM orphans) = 0 AS ok,
       count(*) FILTER (WHERE state = 'active') AS expected, coalesce(sum(cards), 0)::bigint AS actual,
       'cards; persons that do not agree: '
       || nullif(count(*) FILTER (WHERE NOT fits) + (SELECT n FROM orphans), 0) AS detail
FROM judged

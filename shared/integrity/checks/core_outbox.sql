-- name: outbox_rows_are_delivered_or_visibly_waiting
-- zh: 待办事项均已送达或可见地等待
-- A delivered row is gone. One that waits must be somewhere where a worker looks and soon again: a queue
-- without workers, or a next attempt later than the longest pause, would hide it for good. Rows that failed
-- too often are dead: nothing is lost, but somebody has to act, so they are named here.
WITH hidden AS (
    SELECT id FROM core.outbox
    WHERE state = 'ready'
      AND (queue NOT IN ('issuance', 'redemption', 'quota', 'console')
           OR next_at > :machine_now + interval '1 hour')
), waiting AS (
    SELECT count(*) FILTER (WHERE state = 'ready') AS ready, count(*) FILTER (WHERE state = 'dead') AS dead,
           extract(epoch FROM :machine_now - min(created_at) FILTER (WHERE state = 'ready'))::bigint AS oldest
    FROM core.outbox
)
SELECT (SELECT count(*) FROM hidden) = 0 AS ok, 0 AS expected, (SELECT count(*) FROM hidden) AS actual,
       concat_ws('; ', ready || ' waiting', 'the oldest for ' || greatest(oldest, 0) || ' s', dead || ' dead',
                 'hidden: ' || (SELECT min(id::text) FROM hidden)) AS detail
FROM waiting

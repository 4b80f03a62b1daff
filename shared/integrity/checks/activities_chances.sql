-- name: activities_earned_what_they_were_accepted_for
-- zh: 参与记录获得的抽奖机会与审核结论、名额、每日上限一致
-- An accepted activity has as many chances as it was granted, of its own person, campaign and channel; one
-- that waits or was rejected has none. What waits was not decided, what was rejected was, and decisions say
-- what became of the activity. Per person and day there are no more of a channel than it allowed, what it
-- earns is its latest version, and the places that an event counts are those that people took.
WITH granted AS (
    SELECT bucket, source_id, count(*) AS n, min(person_id::text) AS person_id, min(campaign_id::text) AS campaign_id,
           min(channel) AS channel, count(DISTINCT (person_id, campaign_id, channel)) AS kinds
    FROM issuance.chance WHERE channel <> 'quiz'
    GROUP BY bucket, source_id
), version AS (
    SELECT v.*, lead(effective_from) OVER (PARTITION BY campaign_id, key ORDER BY effective_from) AS until
    FROM issuance.channel_version v
), daily AS (
    -- By the widest limit of the day, and either one when it changed within seconds of midnight.
    SELECT a.channel, a.day, a.person_id, a.n, (
        SELECT CASE WHEN count(v.per_day) = count(*) THEN max(v.per_day) END
        FROM version v JOIN core.campaign c ON c.id = v.campaign_id
        WHERE v.campaign_id = a.campaign_id AND v.key = a.channel
          AND v.effective_from < ((a.day + 1)::timestamp AT TIME ZONE c.timezone) + interval '10 seconds'
          AND (v.until IS NULL OR v.until > (a.day::timestamp AT TIME ZONE c.timezone) - interval '10 seconds')
    ) AS allowed
    FROM (SELECT campaign_id, channel, day, person_id, count(*) AS n FROM issuance.activity
          GROUP BY bucket, campaign_id, person_id, channel, day) a
), broken AS (
    SELECT format('activity %s is %s with %s chances, it was granted %s', a.id, a.state, coalesce(g.n, 0),
                  a.chances_granted) AS fault
    FROM issuance.activity a
    LEFT JOIN granted g ON g.bucket = a.bucket AND g.source_id = a.id
    WHERE coalesce(g.n, 0) <> a.chances_granted OR g.kinds > 1
       OR (g.person_id, g.campaign_id, g.channel)
          <> (a.person_id::text, a.campaign_id::text, a.channel)
    UNION ALL
    SELECT format('activity %s is %s, its decision says %s', a.id, a.state, coalesce(d.state, 'nothing'))
    FROM issuance.activity a
    LEFT JOIN issuance.activity_decision d ON d.bucket = a.bucket AND d.activity_id = a.id
    WHERE d.state <> a.state OR (d.state IS NULL) <> (a.state = 'pending') AND a.state <> 'accepted'
    UNION ALL
    SELECT 'a decision about no activity: ' || d.activity_id
    FROM issuance.activity_decision d
    LEFT JOIN issuance.activity a ON a.bucket = d.bucket AND a.id = d.activity_id
    WHERE a.id IS NULL
    UNION ALL
    SELECT format('%s times %s on %s by person %s, %s are allowed', n, channel, day, person_id, allowed)
    FROM daily WHERE n > allowed
    UNION ALL
    SELECT format('what %s earns in campaign %s is not its latest version', ch.key, ch.campaign_id)
    FROM issuance.channel ch
    LEFT JOIN version v ON v.campaign_id = ch.campaign_id AND v.key = ch.key AND v.until IS NULL
    WHERE (ch.chances, ch.per_day, ch.review) IS DISTINCT FROM (v.chances, v.per_day, v.review)
    UNION ALL
    SELECT format('event %s counts %s places taken, %s people came', e.id, e.seats_taken, count(a.id))
    FROM issuance.event e
    LEFT JOIN issuance.activity a ON a.event_id = e.id
    WHERE e.capacity IS NOT NULL
    GROUP BY e.id HAVING e.seats_taken <> count(a.id)
)
SELECT NOT EXISTS (SELECT FROM broken) AS ok,
       (SELECT coalesce(sum(chances_granted), 0) FROM issuance.activity)::bigint AS expected,
       (SELECT coalesce(sum(g.n), 0) FROM granted g
        JOIN issuance.activity a ON a.bucket = g.bucket AND a.id = g.source_id)::bigint AS actual,
       'chances of activities; ' || (SELECT min(fault) || format(' (%s faults)', count(*)) FROM broken) AS detail

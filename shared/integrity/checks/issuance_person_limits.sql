-- name: limits_hold_for_persons
-- zh: 限额按自然人生效
-- Per person: attempts and draws of a day, vouchers and open awards of a phase. And the counters that decide
-- them are the recount of what they count.
WITH attempts AS (
    SELECT a.bucket, a.campaign_id, a.person_id, a.day, count(*) AS n, max(r.attempts_per_day) AS allowed
    FROM issuance.quiz_attempt a JOIN issuance.quiz_rule r ON r.id = a.rule_id
    GROUP BY a.bucket, a.campaign_id, a.person_id, a.day
), draws AS (
    SELECT d.bucket, d.campaign_id, d.person_id, d.day, count(*) AS n, max(t.draws_per_day) AS allowed
    FROM issuance.draw d JOIN issuance.campaign_rules t ON t.campaign_id = d.campaign_id
    GROUP BY d.bucket, d.campaign_id, d.person_id, d.day
), broken AS (
    SELECT format('%s attempts on %s by person %s, %s are allowed', n, day, person_id, allowed) AS fault
    FROM attempts WHERE n > allowed
    UNION ALL
    SELECT format('%s draws on %s by person %s, %s are allowed', n, day, person_id, allowed)
    FROM draws WHERE n > allowed
    UNION ALL
    SELECT format('%s vouchers and open awards in phase %s of person %s', count(*), a.phase_id, a.person_id)
    FROM issuance.award a JOIN issuance.campaign_rules t ON t.campaign_id = a.campaign_id
    WHERE a.state = 'claimed' OR a.state = 'open' AND a.expires_at > :now
    GROUP BY a.bucket, a.person_id, a.phase_id HAVING count(*) > max(t.vouchers_per_phase)
    UNION ALL
    SELECT format('the counted attempts of person %s on %s', person_id, q.attempts_day)
    FROM issuance.participant q
    LEFT JOIN attempts a USING (bucket, campaign_id, person_id)
    WHERE q.attempts_day IS NOT NULL
    GROUP BY bucket, campaign_id, person_id, q.attempts_day, q.attempts_today
    HAVING q.attempts_today <> coalesce(sum(a.n) FILTER (WHERE a.day = q.attempts_day), 0)
    UNION ALL
    SELECT format('the counted draws of person %s on %s', person_id, q.draws_day)
    FROM issuance.participant q
    LEFT JOIN draws d USING (bucket, campaign_id, person_id)
    WHERE q.draws_day IS NOT NULL
    GROUP BY bucket, campaign_id, person_id, q.draws_day, q.draws_today
    HAVING q.draws_today <> coalesce(sum(d.n) FILTER (WHERE d.day = q.draws_day), 0)
)
SELECT count(*) = 0 AS ok, 0 AS expected, count(*) AS actual, 'over: ' || min(fault) AS detail FROM broken

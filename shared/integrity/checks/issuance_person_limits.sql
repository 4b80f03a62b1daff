-- name: limits_hold_for_persons
-- zh: 限额按自然人生效
-- Per person: attempts and draws of a day, draws, vouchers and open awards of a phase, vouchers of a type. What
-- a person had before a limit was lowered stays, so each is measured by the widest limit that was in force (on
-- the day, or until now). The limits in force are those of the latest version, and the counters that decide
-- them are the recount of what they count.
WITH version AS (
    SELECT l.*, lead(effective_from) OVER (PARTITION BY campaign_id ORDER BY effective_from) AS until
    FROM issuance.limits_version l
), widest AS (
    SELECT campaign_id, max(vouchers_per_phase) AS vouchers_per_phase,
           CASE WHEN count(draws_per_phase) = count(*) THEN max(draws_per_phase) END AS draws_per_phase,
           CASE WHEN count(vouchers_per_type) = count(*) THEN max(vouchers_per_type) END AS vouchers_per_type
    FROM issuance.limits_version GROUP BY campaign_id
), attempts AS (
    SELECT a.bucket, a.campaign_id, a.person_id, a.day, count(*) AS n, max(r.attempts_per_day) AS allowed
    FROM issuance.quiz_attempt a JOIN issuance.quiz_rule r ON r.id = a.rule_id
    GROUP BY a.bucket, a.campaign_id, a.person_id, a.day
), draws AS (
    SELECT d.bucket, d.campaign_id, d.person_id, d.day, count(*) AS n, (
        -- Limits that changed within seconds of midnight may have been read on either side of it.
        SELECT max(v.draws_per_day) FROM version v
        JOIN core.campaign c ON c.id = v.campaign_id
        WHERE v.campaign_id = d.campaign_id
          AND v.effective_from < ((d.day + 1)::timestamp AT TIME ZONE c.timezone) + interval '10 seconds'
          AND (v.until IS NULL OR v.until > (d.day::timestamp AT TIME ZONE c.timezone) - interval '10 seconds')
    ) AS allowed
    FROM issuance.draw d
    GROUP BY d.bucket, d.campaign_id, d.person_id, d.day
), broken AS (
    SELECT format('the limits of campaign %s are not those of their latest version', t.campaign_id) AS fault
    FROM issuance.campaign_rules t
    LEFT JOIN version v ON v.campaign_id = t.campaign_id AND v.until IS NULL
    WHERE (t.vouchers_per_phase, t.draws_per_day, t.draws_per_phase, t.vouchers_per_type)
          IS DISTINCT FROM (v.vouchers_per_phase, v.draws_per_day, v.draws_per_phase, v.vouchers_per_type)
    UNION ALL
    SELECT format('%s draws in phase %s by person %s', count(*), d.phase_id, d.person_id)
    FROM issuance.draw d JOIN widest w ON w.campaign_id = d.campaign_id
    WHERE w.draws_per_phase IS NOT NULL
    GROUP BY d.bucket, d.person_id, d.phase_id HAVING count(*) > max(w.draws_per_phase)
    UNION ALL
    SELECT format('%s vouchers %s of person %s', count(*), a.voucher_type, a.person_id)
    FROM issuance.award a JOIN widest w ON w.campaign_id = a.campaign_id
    WHERE w.vouchers_per_type IS NOT NULL AND a.state = 'claimed'
    GROUP BY a.bucket, a.person_id, a.campaign_id, a.voucher_type HAVING count(*) > max(w.vouchers_per_type)
    UNION ALL
    SELECT format('%s attempts on %s by person %s, %s are allowed', n, day, person_id, allowed) AS fault
    FROM attempts WHERE n > allowed
    UNION ALL
    SELECT format('%s draws on %s by person %s, %s are allowed', n, day, person_id, allowed)
    FROM draws WHERE n > allowed
    UNION ALL
    SELECT format('%s vouchers and open awards in phase %s of person %s', count(*), a.phase_id, a.person_id)
    FROM issuance.award a JOIN widest t ON t.campaign_id = a.campaign_id
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
